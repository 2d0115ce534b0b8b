package examples

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/internal/tools"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// function is one Lambda function: as many processes as there are events at once.
type function struct {
	tb   testing.TB
	name string
	argv []string
	dir  string
	env  []string

	busy atomic.Int32 // events under way
	mu   sync.Mutex
	idle []*process
}

// newFunction puts the code of a function into a folder of its own and finds what runs it.
func newFunction(tm *template, name string) *function {
	tm.tb.Helper()
	properties := maps.Clone(tm.Globals.Function)
	if properties == nil {
		properties = map[string]any{}
	}
	maps.Copy(properties, tm.Resources[name].Properties)
	f := &function{tb: tm.tb, name: name, dir: filepath.Join(tm.tb.TempDir(), "task")}
	f.install(tm, properties)
	handler, runtime := tm.text(properties["Handler"]), tm.text(properties["Runtime"])
	shim := func(extension string) string {
		path, err := filepath.Abs("testdata/runtime" + extension)
		if err != nil {
			f.tb.Fatal(err)
		}
		return path
	}
	switch {
	case strings.HasPrefix(runtime, "python3."):
		f.argv = []string{tools.Path(f.tb, "python/bin/python3"), "-B", shim(".py"), handler}
	case strings.HasPrefix(runtime, "nodejs"):
		modules := filepath.Join(filepath.Dir(f.dir), "node_modules") // Lambda's runtime has the SDK
		if err := os.Symlink(tools.Path(f.tb, "node/node_modules"), modules); err != nil {
			f.tb.Fatal(err)
		}
		f.argv = []string{tools.Program(f.tb, "node"), shim(".mjs"), handler}
	case runtime == "provided.al2023" && handler == "bootstrap":
		f.argv = []string{build(f.tb, tm.dir)}
	default:
		f.tb.Fatalf("%s: this test cannot run %s", name, runtime)
	}
	f.environment(tm, tm.Globals.Function["Environment"])
	f.environment(tm, tm.Resources[name].Properties["Environment"])
	f.tb.Cleanup(f.stop)
	return f
}

// install copies the function's code to where it runs, from a folder or out of the template.
func (f *function) install(tm *template, properties map[string]any) {
	f.tb.Helper()
	code := properties["Code"]
	if code == nil {
		code = properties["CodeUri"]
	}
	if inline, ok := code.(map[string]any); ok {
		source := inline["ZipFile"].(string)
		if err := os.Mkdir(f.dir, 0o700); err != nil {
			f.tb.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(f.dir, "index.py"), []byte(source), 0o600); err != nil {
			f.tb.Fatal(err)
		}
		return
	}
	if err := os.CopyFS(f.dir, os.DirFS(filepath.Join(tm.dir, code.(string)))); err != nil {
		f.tb.Fatal(err)
	}
}

// environment adds the variables of a template.
func (f *function) environment(tm *template, v any) {
	f.tb.Helper()
	environment, _ := v.(map[string]any)
	variables, _ := environment["Variables"].(map[string]any)
	for name, value := range variables {
		f.env = append(f.env, name+"="+tm.text(value))
	}
}

// build builds a Go program.
func build(tb testing.TB, dir string) (file string) {
	tb.Helper()
	file = filepath.Join(tb.TempDir(), "bootstrap")
	cmd := exec.CommandContext(tb.Context(), "go", "build", "-tags", "lambda.norpc", "-o", file, ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build %s: %v\n%s", dir, err, out)
	}
	return file
}

// Handle is the integration of a route with the function.
func (f *function) Handle(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (
	events.APIGatewayProxyResponse, error,
) {
	return gateway.JSONHandler(f.invoke, func(warning string) { f.tb.Log(warning) }).Handle(ctx, e)
}

// invoke hands an event to a process that has none, or to a new one.
func (f *function) invoke(ctx context.Context, event []byte) (answer []byte, err error) {
	f.busy.Add(1)
	defer f.busy.Add(-1)
	f.mu.Lock()
	var p *process
	if n := len(f.idle); n > 0 {
		p, f.idle = f.idle[n-1], f.idle[:n-1]
	}
	f.mu.Unlock()
	if p == nil {
		if p, err = f.start(); err != nil {
			return nil, err
		}
	}
	if answer, err = p.invoke(ctx, event); err != nil && !errors.Is(err, errFunction) {
		p.stop()
		return nil, fmt.Errorf("%s: %w\n%s", f.name, err, p.stderr.String())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = append(f.idle, p)
	return answer, err
}

// stop ends all processes; the next event starts a new one, as after a cold start.
func (f *function) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.idle {
		p.stop()
		if f.tb.Failed() && p.stderr.Len() > 0 {
			f.tb.Logf("%s said:\n%s", f.name, p.stderr.String())
		}
	}
	f.idle = nil
}

// process is one execution environment with its Runtime API (Lambda Developer Guide, "Using the Lambda
// runtime API for custom runtimes").
type process struct {
	cmd     *exec.Cmd
	api     *httptest.Server
	events  chan []byte
	answers chan answer
	stderr  bytes.Buffer
	ended   chan struct{}
}

// answer is what a function said to an event.
type answer struct {
	kind string // response or error
	body []byte
}

// errFunction says that a function has failed, and its process goes on.
var errFunction = errors.New("the function failed")

// start starts a process.
func (f *function) start() (*process, error) {
	p := &process{events: make(chan []byte, 1), answers: make(chan answer, 1), ended: make(chan struct{})}
	p.api = httptest.NewServer(p)
	p.cmd = exec.Command(f.argv[0], f.argv[1:]...)
	p.cmd.Dir = f.dir
	p.cmd.Stderr = &p.stderr
	p.cmd.Env = slices.Concat([]string{
		"PATH=" + os.Getenv("PATH"), "AWS_LAMBDA_RUNTIME_API=" + p.api.Listener.Addr().String(),
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + f.name, "AWS_SECRET_ACCESS_KEY=" + secret,
	}, f.env)
	if err := p.cmd.Start(); err != nil {
		p.api.Close()
		return nil, err
	}
	go func() {
		p.cmd.Wait() // it ends when it is killed; any other end is told to who waits for an answer
		close(p.ended)
	}()
	return p, nil
}

// ServeHTTP is the Runtime API.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/invocation/"), "/")
	if path[0] == "next" {
		select {
		case event := <-p.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(patience).UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn")
			w.Write(event)
		case <-r.Context().Done():
		}
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || len(path) != 2 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.answers <- answer{path[1], body}
	w.WriteHeader(http.StatusAccepted)
}

// invoke runs the function on one event.
func (p *process) invoke(ctx context.Context, event []byte) ([]byte, error) {
	p.events <- event
	select {
	case a := <-p.answers:
		if a.kind != "response" {
			return nil, fmt.Errorf("%w: %s", errFunction, a.body)
		}
		return a.body, nil
	case <-p.ended:
		return nil, errors.New("the process has ended")
	case <-time.After(patience):
		return nil, errors.New("no answer")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stop ends the process.
func (p *process) stop() {
	p.cmd.Process.Kill()
	<-p.ended
	p.api.Close()
}
