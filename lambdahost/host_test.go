package lambdahost

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/tools"
)

// handler is a Lambda function in Go that does what its events say.
const handler = `package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Print, Fail, Panic, Env string
	Exit                    int
	Sleep                   time.Duration
	Hang                    bool
}

type answer struct {
	PID      int
	ID, ARN  string
	Deadline time.Time
	Client   map[string]string
	Trace    string
	Env      string
}

func handle(ctx context.Context, e event) (answer, error) {
	if e.Print != "" {
		fmt.Print(e.Print)
	}
	time.Sleep(e.Sleep)
	switch {
	case e.Fail != "":
		return answer{}, errors.New(e.Fail)
	case e.Panic != "":
		panic(e.Panic)
	case e.Exit != 0:
		os.Exit(e.Exit)
	case e.Hang:
		select {}
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return answer{os.Getpid(), lc.AwsRequestID, lc.InvokedFunctionArn, deadline, lc.ClientContext.Custom,
		os.Getenv("_X_AMZN_TRACE_ID"), os.Getenv(e.Env)}, nil
}

func main() { lambda.Start(handle) }
`

// event is what the Go function is told to do.
type event struct {
	Print, Fail, Panic, Env string
	Exit                    int
	Sleep                   time.Duration
	Hang                    bool
}

// answer is what the Go function says.
type answer struct {
	PID      int
	ID, ARN  string
	Deadline time.Time
	Client   map[string]string
	Trace    string
	Env      string
}

// bootstrap builds the Go function, once, and gives its folder.
func bootstrap(tb testing.TB) string {
	tb.Helper()
	built.Do(func() { builtDir, builtErr = build(handler) })
	if builtErr != nil {
		tb.Fatal(builtErr)
	}
	return builtDir
}

var (
	built    sync.Once
	builtDir string
	builtErr error
)

func TestMain(m *testing.M) {
	code := m.Run()
	if builtDir != "" {
		os.RemoveAll(builtDir)
	}
	os.Exit(code)
}

// build builds a bootstrap in a folder of its own.
func build(source string) (string, error) {
	dir, err := os.MkdirTemp("", "lambdahost-test-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		return dir, err
	}
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, "bootstrap"), file)
	cmd.Dir = tools.Root() // for its go.mod
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, &buildError{err, out}
	}
	return dir, os.Remove(file)
}

type buildError struct {
	err error
	out []byte
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + string(e.out) }

// newHost gives a host that is closed with the test.
func newHost(tb testing.TB, config Config) *Host {
	tb.Helper()
	h, err := New(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := h.Close(); err != nil {
			tb.Error(err)
		}
	})
	return h
}

// deploy deploys the Go function as f, changed as the test wants.
func deploy(tb testing.TB, h *Host, change ...func(*Function)) {
	tb.Helper()
	f := Function{
		Name: "f", Runtime: "provided.al2023", Handler: "bootstrap", Code: bootstrap(tb), Timeout: time.Minute,
	}
	for _, c := range change {
		c(&f)
	}
	if err := h.Deploy(f); err != nil {
		tb.Fatal(err)
	}
}

// invoke gives the function f an event and wants an answer.
func invoke(tb testing.TB, h *Host, e event) answer {
	tb.Helper()
	out, err := h.Invoke(tb.Context(), Input{Function: "f", Payload: encode(e)})
	if err != nil || out.FunctionError != "" {
		tb.Fatalf("%v: %s", err, out.Payload)
	}
	var a answer
	if err := json.Unmarshal(out.Payload, &a); err != nil {
		tb.Fatal(err)
	}
	return a
}

// encode makes JSON of an event.
func encode(e event) []byte {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return text
}

func TestInvoke(t *testing.T) {
	h := newHost(t, Config{})
	deploy(t, h, func(f *Function) { f.Env = map[string]string{"TABLE": "t1"} })
	first := invoke(t, h, event{Env: "TABLE"})
	if first.Env != "t1" || first.ARN != "arn:aws:lambda:us-east-1:000000000000:function:f" {
		t.Errorf("%+v", first)
	}
	if second := invoke(t, h, event{}); second.PID != first.PID || second.ID == first.ID {
		t.Errorf("first %+v, second %+v", first, second)
	}
}
