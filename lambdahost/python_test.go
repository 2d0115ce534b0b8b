package lambdahost

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/internal/tools"
)

// modules are written beside testdata/python: they are not Python, or fail when they are imported.
var modules = map[string]string{
	"syntax.py":  "def handler(event, context)\n    return 1\n",
	"raises.py":  "def load():\n    raise ValueError('no table: größer')\nload()\n",
	"exits.py":   "import sys\nsys.exit(5)\n",
	"no_name.py": "from json import no_such_name\n",
}

// pythonCode gives a folder with all Python handlers, and a bootstrap that runs them with Amazon's
// runtime client.
func pythonCode(tb testing.TB, python string) string {
	tb.Helper()
	dir := tb.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/python")); err != nil {
		tb.Fatal(err)
	}
	modules["bootstrap"] = "#!/bin/sh\nexec " + python + " -u -m awslambdaric $_HANDLER\n"
	for name, text := range modules {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// observed is what can be seen of a Python function from outside.
type observed struct {
	Payload, FunctionError, Report string
	Log                            []string
}

// The shim does what Amazon's runtime client does.
func TestPython_likeAmazons(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		return // the bootstrap of the comparison is a script
	}
	python := tools.Path(t, "lambdaric/bin/python3")
	dir := pythonCode(t, python)
	for _, runtime := range []string{"python3.11", "python3.12"} { // the latter answers in UTF-8
		ours, theirs := newJournal(), newJournal()
		shim := newHost(t, Config{Log: ours.log, Python: python})
		amazon := newHost(t, Config{Log: theirs.log, Env: map[string]string{"AWS_EXECUTION_ENV": "AWS_Lambda_" + runtime}})
		compare := func(f Function, calls ...string) {
			t.Helper()
			if err := amazon.Deploy(f); err != nil {
				t.Fatal(err)
			}
			f.Runtime = runtime
			if err := shim.Deploy(f); err != nil {
				t.Fatal(err)
			}
			for _, call := range calls {
				if diff := cmp.Diff(observe(t, amazon, theirs, call), observe(t, shim, ours, call)); diff != "" {
					t.Errorf("%s %s: -amazon +shim:\n%s", f.Handler, call, diff)
				}
			}
		}
		f := Function{Name: "f", Runtime: "provided.al2023", Handler: "handlers.dispatch", Code: dir, Timeout: time.Minute}
		compare(f, "text", "tuples")
		if runtime == "python3.12" { // nothing else differs
			continue
		}
		compare(f, "echo", "nothing", "scalar", "raw", "numbers", "decimal_key", "nan", "a_set", "a_date",
			"bad_bytes", "circle", "raises", "raises_custom", "raises_empty", "deep", "recursion", "exits",
			"exits_hard", "context_fields", "log", "counts", "counts", "instance", "no_such_function")
		for _, f.Handler = range []string{
			"handlers.missing", "pkg/mod.handler", "pkg.mod.handler", "none.handler", "nodot", "syntax.handler",
			"no_name.handler", "raises.handler", "exits.handler", "sys.exit",
		} {
			compare(f, "")
		}
	}
}

// observe invokes a function.
func observe(t *testing.T, h *Host, j *journal, call string) observed {
	t.Helper()
	before := len(j.all(kind(KindOutput)))
	out, err := h.Invoke(t.Context(), Input{
		Function: "f", RequestID: "8286a188-ba32-4475-8077-530cd35c09a9",
		Payload:       []byte(`{"call":"` + call + `","text":"größer 😀","list":[1,2.50,null,true],"big":12345678901234567890}`),
		ClientContext: `{"custom":{"a":"ü"},"client":{"app_title":"chat"},"env":{"b":"c"}}`,
		TraceID:       "Root=1-5759e988-bd862e3fe1be46a994272793",
	})
	if err != nil {
		t.Fatal(err)
	}
	reports := j.all(kind(KindReport))
	report := reports[len(reports)-1].Report
	var log []string
	for _, r := range j.all(kind(KindOutput))[before:] {
		if !warning.MatchString(r.Text) {
			log = append(log, strings.Split(plain(r.Text), "\n")...)
		}
	}
	return observed{plainPayload(out.Payload), out.FunctionError, report.Status + " " + report.Error, log}
}

var (
	timestamp = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	warning   = regexp.MustCompile(`^\[WARNING\]\t\S*\t\tLAMBDA_WARNING: Unhandled exception\.`)
	repeated  = regexp.MustCompile(`repeated \d+ more times`)
)

// plain takes out of a line what differs on purpose: the client writes a text of several lines as
// one, indented by no-break spaces, and has deeper stacks.
func plain(line string) string {
	line = strings.NewReplacer("\r", "\n", "\u00a0", " ").Replace(line)
	return repeated.ReplaceAllString(timestamp.ReplaceAllString(line, "TIME"), "repeated")
}

// plainPayload writes JSON in one way; what is none is left alone.
func plainPayload(payload []byte) string {
	var v any
	if json.Unmarshal(payload, &v) != nil {
		return string(payload)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return string(payload)
	}
	return plain(string(text))
}
