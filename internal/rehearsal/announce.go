package rehearsal

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/confab-chat/confab/stack"
)

// announce prints what runs, where it is, and what there is to say about the template.
func (r *Runner) announce(diagnostics []stack.Diagnostic) {
	out, s := r.cfg.Out, r.stack
	fmt.Fprintf(out, "confab run: %s as the stack %s in %s\n", s.File, s.Name, s.Region)
	urls := r.URLs()
	for _, url := range urls {
		fmt.Fprintf(out, "\n  %s\n", url)
	}
	if len(urls) > 0 {
		fmt.Fprintf(out, "\n  npx wscat -c %s\n", urls[0])
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range s.Functions {
		r.announceFunction(w, f)
	}
	for _, t := range s.Tables {
		fmt.Fprintf(w, "  table\t%s\t%s\t%s\n", t.LogicalID, t.Name, r.engine.endpoint)
	}
	for _, one := range s.Schedules {
		fmt.Fprintf(w, "  schedule\t%s\t%s\tevery %s\n", one.LogicalID,
			one.Function.LogicalID, strings.TrimSuffix(strings.TrimSuffix(one.Every.String(), "0s"), "0m"))
	}
	for _, o := range s.Outputs {
		fmt.Fprintf(w, "  output\t%s\t\t%s\n", o.Name, clean(o.Value))
	}
	fmt.Fprintf(w, "  Lambda\t\t\t%s\n", r.invoke)
	_ = w.Flush() // the reader is gone
	if len(diagnostics) > 0 {
		fmt.Fprintln(out)
	}
	r.tell(diagnostics)
	fmt.Fprint(out, "\nCtrl-C stops it. What became of a request: confab why REQUEST_ID\n\n")
}

// announceFunction prints a function, or why it does not run.
func (r *Runner) announceFunction(out io.Writer, f *stack.Function) {
	if f.Refused != "" {
		fmt.Fprintf(out, "  function\t%s\tdoes not run: %s\n", f.LogicalID, f.Refused)
		return
	}
	code := f.Source
	if code == "" {
		code = "in the template"
	} else if short, err := filepath.Rel(r.stack.Dir, code); err == nil {
		code = short
	}
	fmt.Fprintf(out, "  function\t%s\t%s\t%s, %s\n", f.LogicalID, f.Lambda.Runtime,
		f.Lambda.Handler, code)
	if port := r.inspected(f); port != 0 {
		fmt.Fprintf(out, "  \t\tdebugger\t127.0.0.1:%d, from its first event on\n", port)
	}
}

// tell prints what there is to say about a template, a line each with its file and line.
func (r *Runner) tell(diagnostics []stack.Diagnostic) {
	for _, d := range diagnostics {
		fmt.Fprintln(r.cfg.Out, clean(d.String()))
	}
}
