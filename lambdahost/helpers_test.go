package lambdahost

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/confab-chat/confab/internal/tools"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

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
	Print, Error, Rest      string // to standard output, error, output
	Fail, Panic, Env        string
	Exit                    int
	Wait                    string // for this file
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
	fmt.Print(e.Print)
	fmt.Fprint(os.Stderr, e.Error)
	fmt.Print(e.Rest)
	for e.Wait != "" {
		if _, err := os.Stat(e.Wait); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
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

func main() {
	fmt.Fprint(os.Stderr, os.Getenv("SAY_FIRST"))
	lambda.Start(handle)
}
`

// event is what the Go function is told to do.
type event struct {
	Print, Error, Rest string // to standard output, error, output
	Fail, Panic, Env   string
	Exit               int
	Wait               string // for this file
	Hang               bool
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

// TestMain removes what was built, and sees that no goroutine of a closed host is left.
func TestMain(m *testing.M) {
	code := m.Run()
	if builtDir != "" {
		os.RemoveAll(builtDir)
	}
	http.DefaultClient.CloseIdleConnections()
	err := goleak.Find()
	for late := time.Now().Add(patience); err != nil && time.Now().Before(late); { // some still end
		err = goleak.Find()
	}
	if err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
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
		return dir, fmt.Errorf("%w\n%s", err, out)
	}
	return dir, os.Remove(file)
}

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

// journal keeps the records of a host.
type journal struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced with each record
	records []Record
}

func newJournal() *journal { return &journal{changed: make(chan struct{})} }

func (j *journal) log(r Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, r)
	close(j.changed)
	j.changed = make(chan struct{})
}

// all gives the records that a test is about.
func (j *journal) all(match func(Record) bool) []Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []Record
	for _, r := range j.records {
		if match(r) {
			found = append(found, r)
		}
	}
	return found
}

// kind matches records of a kind.
func kind(k Kind) func(Record) bool { return func(r Record) bool { return r.Kind == k } }

// await waits until there are n records that match, and gives the last.
func (j *journal) await(tb testing.TB, n int, match func(Record) bool) Record {
	tb.Helper()
	late := time.After(patience)
	for {
		j.mu.Lock()
		changed := j.changed
		j.mu.Unlock()
		if found := j.all(match); len(found) >= n {
			return found[n-1]
		}
		select {
		case <-changed:
		case <-late:
			tb.Fatalf("not %d such records:\n%s", n, j.text())
		}
	}
}

// text gives all records, one a line.
func (j *journal) text() string {
	var b strings.Builder
	for _, r := range j.all(func(Record) bool { return true }) {
		fmt.Fprintf(&b, "%s %s: %s\n", r.Kind, r.RequestID, r.Text)
	}
	return b.String()
}

// manual is a clock that a test turns.
type manual struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*time.Time]func()
}

func newManual() *manual {
	return &manual{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), timers: map[*time.Time]func(){}}
}

func (m *manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *manual) AfterFunc(d time.Duration, f func()) func() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.now.Add(d)
	key := &at
	m.timers[key] = f
	return func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		_, waits := m.timers[key]
		delete(m.timers, key)
		return waits
	}
}

// next gives how long it is until the first timer of those that are at least so far away.
func (m *manual) next(least time.Duration) (time.Duration, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var waits []time.Duration
	for at := range m.timers {
		if d := at.Sub(m.now); d >= least {
			waits = append(waits, d)
		}
	}
	if len(waits) == 0 {
		return 0, false
	}
	return slices.Min(waits), true
}

// turn puts the clock forward and calls what has come.
func (m *manual) turn(d time.Duration) {
	m.mu.Lock()
	m.now = m.now.Add(d)
	var due []func()
	for at, f := range m.timers {
		if !at.After(m.now) {
			due = append(due, f)
			delete(m.timers, at)
		}
	}
	m.mu.Unlock()
	for _, f := range due {
		f()
	}
}

// await waits until something waits for the clock for so long.
func (m *manual) await(tb testing.TB, d time.Duration) {
	tb.Helper()
	eventually(tb, func() bool {
		next, ok := m.next(d)
		return ok && next == d
	})
}

// eventually waits until something holds.
func eventually(tb testing.TB, holds func() bool) {
	tb.Helper()
	for late := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			tb.Fatal("it does not come")
		}
	}
}

// pending is an invocation under way.
type pending struct {
	out Output
	err error
}

// begin invokes the function f in the background.
func begin(tb testing.TB, h *Host, in Input) <-chan pending {
	tb.Helper()
	in.Function = "f"
	done := make(chan pending, 1)
	go func() {
		out, err := h.Invoke(context.Background(), in)
		done <- pending{out, err}
	}()
	return done
}

// end waits for an invocation.
func end(tb testing.TB, done <-chan pending) Output {
	tb.Helper()
	select {
	case p := <-done:
		if p.err != nil {
			tb.Fatal(p.err)
		}
		return p.out
	case <-time.After(patience):
		tb.Fatal("the invocation does not end")
		return Output{}
	}
}

// gate is a file that events wait for.
type gate struct {
	tb   testing.TB
	path string
}

func newGate(tb testing.TB) gate { return gate{tb, filepath.Join(tb.TempDir(), "gate")} }

// open lets all pass.
func (g gate) open() {
	g.tb.Helper()
	if err := os.WriteFile(g.path, nil, 0o600); err != nil {
		g.tb.Fatal(err)
	}
}

// script deploys a shell script as the function f.
func script(tb testing.TB, h *Host, text string, change ...func(*Function)) {
	tb.Helper()
	dir := tb.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		tb.Fatal(err)
	}
	deploy(tb, h, append([]func(*Function){func(f *Function) { f.Code = dir }}, change...)...)
}

// wantJSON compares JSON values.
func wantJSON(tb testing.TB, got []byte, want string) {
	tb.Helper()
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		tb.Fatalf("%v: %q", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		tb.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		tb.Errorf("%s\n%s", got, diff)
	}
}
