package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os/exec"
	"slices"
	"strings"

	"github.com/confab-chat/confab/lambdahost"
	"github.com/confab-chat/confab/stack"
)

// inspected gives the port of a function's debugger; 0: it has none.
func (r *Runner) inspected(f *stack.Function) int {
	if port := r.cfg.Inspect[f.LogicalID]; port != 0 {
		return port
	}
	return r.cfg.Inspect[f.Name]
}

// checkNames says which functions that the user has named the template does not have, and which
// cannot be inspected.
func (r *Runner) checkNames(s *stack.Stack) error {
	for name := range r.variables {
		if name != forAll && s.Function(name) == nil {
			r.journal.Note(fmt.Sprintf("--env-vars: %s is no function of the template", name))
		}
	}
	r.checkCommon(s)
	for name, port := range r.cfg.Inspect {
		f := s.Function(name)
		switch {
		case f == nil:
			return fmt.Errorf("--inspect %s=%d: the template has no such function", name, port)
		case inspector(f.Lambda.Runtime, port) == nil:
			return fmt.Errorf("--inspect %s=%d: functions in Node.js and Python can be inspected, "+
				"and this one has the runtime %s", name, port, f.Lambda.Runtime)
		case strings.HasPrefix(f.Lambda.Runtime, "python"):
			program := cmp.Or(r.cfg.Python, "python3")
			if exec.Command(program, "-c", "import debugpy").Run() != nil {
				return fmt.Errorf("--inspect %s=%d: %s has no debugpy: %s -m pip install debugpy",
					name, port, program, program)
			}
		}
	}
	return nil
}

// checkCommon says which variables of --env-vars are for all functions and in none of them.
func (r *Runner) checkCommon(s *stack.Stack) {
	common := maps.Clone(r.variables[forAll])
	credentials(common) // which need no place in the template
	for name := range common {
		if !slices.ContainsFunc(s.Functions, func(f *stack.Function) bool {
			_, has := f.Lambda.Env[name]
			return has
		}) {
			r.journal.Note(fmt.Sprintf("%s of --env-vars is in no function's variables in the "+
				"template: it is ignored, as by sam local", name))
		}
	}
}

// inspector gives the arguments by which a runtime waits for a debugger at a port; nil: it cannot.
func inspector(runtime string, port int) []string {
	switch {
	case strings.HasPrefix(runtime, "nodejs"):
		return []string{fmt.Sprintf("--inspect=127.0.0.1:%d", port)}
	case strings.HasPrefix(runtime, "python"):
		return []string{
			"-Xfrozen_modules=off", "-m", "debugpy", "--listen", fmt.Sprintf("127.0.0.1:%d", port),
		}
	}
	return nil
}

// prepare gives a function its credentials and what leads its calls here.
func (r *Runner) prepare(f *stack.Function, deployed *lambdahost.Function) {
	own := r.variables.of(f)
	deployed.Credentials = r.keys.give(f.LogicalID, credentials(own))
	deployed.Env = r.environment(f, own)
	if port := r.inspected(f); port != 0 {
		deployed.RuntimeArgs = inspector(f.Lambda.Runtime, port)
		deployed.Concurrency = 1 // one process has the port
		deployed.Timeout = lambdahost.MaxTimeout
	}
}

// call gives a function an event of an API, and follows it.
func (r *Runner) call(
	ctx context.Context, c stack.Call, in lambdahost.Input,
) (lambdahost.Output, error) {
	role := "integration"
	if c.Authorizer {
		role = "authorizer"
	}
	in.RequestID = newRequestID()
	trace := newTrace()
	in.TraceID = "Root=" + trace + ";Sampled=0"
	r.journal.Begin(c.RequestID, Call{
		Function: r.logicalID(in.Function), Role: role, ID: in.RequestID, trace: trace,
	})
	out, err := r.deliver(ctx, in)
	failed := err
	if err == nil {
		failed = out.Err()
	}
	r.journal.End(in.RequestID, failureOf(failed))
	return out, err
}

// deliver gives a function an event, as the configuration has it.
func (r *Runner) deliver(ctx context.Context, in lambdahost.Input) (lambdahost.Output, error) {
	if r.cfg.Deliver != nil {
		return r.cfg.Deliver(ctx, in, r.host.Invoke)
	}
	return r.host.Invoke(ctx, in)
}

// failureOf says what an invocation has failed with.
func failureOf(err error) string {
	var failed *lambdahost.FunctionError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &failed) && failed.Type != "":
		return failed.Type + ": " + failed.Message
	}
	return err.Error()
}

// wrote takes a line of a function's log.
func (r *Runner) wrote(l lambdahost.Record) {
	function := r.logicalID(l.Function)
	switch l.Kind {
	case lambdahost.KindStart:
		r.journal.started(l.RequestID, function)
	case lambdahost.KindOutput, lambdahost.KindFault, lambdahost.KindDropped:
		r.journal.Wrote(l.RequestID, function, l.Text)
	case lambdahost.KindReport:
		r.journal.Figured(l.RequestID, figures(l.Report))
		r.journal.reported(l.RequestID, l.Report.Status, l.Report.Error)
	case lambdahost.KindInit, lambdahost.KindEnd:
	}
}

// figures writes what an invocation took.
func figures(p *lambdahost.Report) string {
	text := shortly(p.Duration)
	if p.Init > 0 {
		text += fmt.Sprintf(", after a cold start of %s", shortly(p.Init))
	}
	if p.MemoryMB > 0 {
		text += fmt.Sprintf(", at most %d MB of memory", p.MemoryMB)
	}
	return text
}

// logicalID gives the name by which the template knows a function.
func (r *Runner) logicalID(name string) string {
	if f := r.functionOf(name); f != nil {
		return f.LogicalID
	}
	return name
}

// functionOf finds a function by its name or logical id.
func (r *Runner) functionOf(name string) *stack.Function {
	return r.current().Function(name)
}

// invokePath is where the Invoke API begins (API Reference of Lambda, Invoke).
const invokePath = "/2015-03-31/functions/"

// invocations is Lambda's Invoke API, for functions that call others and for tests; it takes
// logical ids too. The trace of the caller ends here: what the function called does is its own.
func (r *Runner) invocations(w http.ResponseWriter, req *http.Request) {
	if name, ok := strings.CutPrefix(req.URL.Path, invokePath); ok {
		name, rest, _ := strings.Cut(name, "/")
		if f := r.functionOf(name); f != nil {
			req.URL.Path, req.URL.RawPath = invokePath+f.Name+"/"+rest, ""
		}
	}
	r.calls.add(r.caller(req).function, actionInvoke)
	req.Header.Set("X-Amzn-Trace-Id", "Root="+newTrace())
	r.host.ServeHTTP(w, req)
}
