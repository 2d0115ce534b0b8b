package lambdahost

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// alive tells whether there is a process, one that has ended and is not waited for not counted.
func alive(pid int) bool {
	if runtime.GOOS == "linux" {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err == nil && state(string(stat)) != "Z"
	}
	return signal(pid, syscall.Signal(0)) == nil
}

// signal sends a process a signal.
func signal(pid int, s os.Signal) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Signal(s)
}

// state is a process's state in its line of /proc.
func state(stat string) string {
	return strings.Fields(stat[strings.LastIndex(stat, ")")+1:])[0]
}

func TestTimeout(t *testing.T) {
	j, clock := newJournal(), newManual()
	h := newHost(t, Config{Log: j.log, Clock: clock})
	deploy(t, h, func(f *Function) { f.Timeout = 3 * time.Second })
	pid := invoke(t, h, event{}).PID
	done := begin(t, h, Input{RequestID: "two", Payload: encode(event{Print: "slow", Hang: true}), LogTail: true})
	eventually(t, func() bool { return len(j.all(kind(KindStart))) == 2 })
	clock.await(t, 3*time.Second)
	clock.turn(3 * time.Second)
	out := end(t, done)
	const text = "2026-01-02T03:04:08.000Z two Task timed out after 3.00 seconds"
	wantJSON(t, out.Payload, `{"errorType":"Sandbox.Timedout","errorMessage":"`+text+`"}`)
	if out.FunctionError != "Unhandled" || alive(pid) {
		t.Errorf("%q, alive %t", out.FunctionError, alive(pid))
	}
	lines := strings.Split(string(out.LogTail), "\n")
	if len(lines) < 4 || !slices.Contains(lines, text) ||
		!strings.HasPrefix(lines[len(lines)-2], "REPORT RequestId: two\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\t") ||
		!strings.HasSuffix(lines[len(lines)-2], "Status: timeout\t") {
		t.Errorf("%q", lines)
	}
	if again := invoke(t, h, event{}); again.PID == pid {
		t.Error("the process lives")
	}
}

func TestInit_timeout(t *testing.T) {
	j, clock := newJournal(), newManual()
	h := newHost(t, Config{Log: j.log, Clock: clock})
	script(t, h, idleScript, func(f *Function) { f.Timeout = 5 * time.Second })
	done := begin(t, h, Input{RequestID: "one", LogTail: true})
	first, _ := runtimeOf(t, j, 1)
	clock.await(t, 10*time.Second)
	clock.turn(10 * time.Second)
	second, _ := runtimeOf(t, j, 2) // tried again in the event's own time
	clock.await(t, 5*time.Second)
	clock.turn(5 * time.Second)
	out := end(t, done)
	wantJSON(t, out.Payload, `{"errorType":"Sandbox.Timedout",
		"errorMessage":"2026-01-02T03:04:20.000Z one Task timed out after 5.00 seconds"}`)
	for _, want := range []string{
		"INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout\n",
		"INIT_REPORT Init Duration: 5000.00 ms\tPhase: invoke\tStatus: timeout\n",
	} {
		if !strings.Contains(string(out.LogTail), want) {
			t.Errorf("no %q in\n%s", want, out.LogTail)
		}
	}
	if alive(first) || alive(second) {
		t.Error("a process lives")
	}
}

// Who debugs a function has all the time of the world.
func TestInit_debug(t *testing.T) {
	j, clock := newJournal(), newManual()
	h := newHost(t, Config{Log: j.log, Clock: clock})
	deploy(t, h, func(f *Function) { f.Debug, f.Timeout = true, time.Second })
	gate := newGate(t)
	done := begin(t, h, Input{Payload: encode(event{Print: "x\n", Wait: gate.path})})
	j.await(t, 1, kind(KindOutput))
	if d, waits := clock.next(0); waits {
		t.Errorf("something waits for %v", d)
	}
	gate.open()
	end(t, done)
}

func TestInit_exit(t *testing.T) {
	h := newHost(t, Config{})
	script(t, h, "echo no such table >&2\nexit 7\n")
	out, err := h.Invoke(t.Context(), Input{Function: "f", RequestID: "one", LogTail: true})
	if err != nil {
		t.Fatal(err)
	}
	wantJSON(t, out.Payload, `{"errorType":"Runtime.ExitError",
		"errorMessage":"RequestId: one Error: Runtime exited with error: exit status 7"}`)
	if log := string(out.LogTail); !strings.Contains(log, "\nno such table\n") ||
		!strings.Contains(log, "Status: error\tError Type: Runtime.ExitError") {
		t.Errorf("log:\n%s", log)
	}
}

func TestInit_noBootstrap(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	dir := t.TempDir()
	deploy(t, h, func(f *Function) { f.Code = dir })
	want := func(text string) {
		t.Helper()
		out, err := h.Invoke(t.Context(), Input{Function: "f", RequestID: "one"})
		if err != nil || errorType(out.Payload) != "Runtime.InvalidEntrypoint" ||
			message(out.Payload) != "RequestId: one Error: "+text || out.FunctionError != "Unhandled" {
			t.Errorf("%s %v", out.Payload, err)
		}
	}
	path := filepath.Join(dir, "bootstrap")
	want("Couldn't find valid bootstrap(s): [" + path + "]")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want("fork/exec " + path + ": permission denied")
	if got := j.await(t, 2, kind(KindReport)).Report; got.Status != "error" || got.Error != "Runtime.InvalidEntrypoint" {
		t.Errorf("%+v", got)
	}
}

// What a process has started ends with it, at the end of the host and at a timeout.
func TestClose_wholeGroup(t *testing.T) {
	j := newJournal()
	h, err := New(Config{Log: j.log})
	if err != nil {
		t.Fatal(err)
	}
	script(t, h, "sleep 1000 &\necho $! -\necho $$ -\nexec sleep 1000\n")
	done := begin(t, h, Input{})
	child, _ := runtimeOf(t, j, 1)
	parent, _ := runtimeOf(t, j, 2)
	if !alive(child) || !alive(parent) {
		t.Fatal("they do not run")
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return !alive(child) && !alive(parent) })
	if p := <-done; !errors.Is(p.err, ErrClosed) {
		t.Errorf("the event under way: %v", p.err)
	}
	if _, err := h.Invoke(t.Context(), Input{Function: "f"}); err == nil {
		t.Error("a closed host invokes")
	}
	if err := h.Deploy(Function{Name: "g", Runtime: "provided.al2023", Code: t.TempDir()}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed host deploys: %v", err)
	}
	if _, err := os.Stat(h.dir); err == nil {
		t.Error("its files are there")
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// A process whose children outlive it leaves none behind.
func TestExit_leavesNoChildren(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	script(t, h, "sleep 1000 &\necho $! -\nexit 1\n")
	end(t, begin(t, h, Input{}))
	child, _ := runtimeOf(t, j, 1)
	eventually(t, func() bool { return !alive(child) })
}

// Functions do not outlive a program that is killed: in TestMain's process there is a host that
// another one, this test's, kills.
func TestKilledHost(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // elsewhere a process ends when it asks for the next event
	}
	if dir := os.Getenv("LAMBDAHOST_TEST_KILLED"); dir != "" {
		h := newHost(t, Config{Log: func(r Record) {
			if r.Kind == KindOutput {
				os.WriteFile(filepath.Join(dir, "pid.new"), []byte(strings.Fields(r.Text)[0]), 0o600)
				os.Rename(filepath.Join(dir, "pid.new"), filepath.Join(dir, "pid"))
			}
		}})
		script(t, h, idleScript)
		<-begin(t, h, Input{})
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledHost$")
	cmd.Env = append(os.Environ(), "LAMBDAHOST_TEST_KILLED="+dir, "TMPDIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	eventually(t, func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "pid"))
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(string(text))
		return err == nil
	})
	if !alive(pid) {
		t.Error("the function does not run")
	}
	cmd.Process.Kill()
	cmd.Wait()
	eventually(t, func() bool { return !alive(pid) })
}

func TestFreeze(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // the state is read from /proc
	}
	stateOf := func(pid int) string {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		return state(string(stat))
	}
	h := newHost(t, Config{Freeze: true})
	deploy(t, h)
	for range 3 {
		pid := invoke(t, h, event{}).PID
		eventually(t, func() bool { return stateOf(pid) == "T" })
	}
	if s := h.Stats()["f"]; s.ColdStarts != 1 {
		t.Errorf("%+v", s)
	}
	h = newHost(t, Config{})
	deploy(t, h)
	pid := invoke(t, h, event{}).PID
	eventually(t, func() bool { return stateOf(pid) == "S" })
}

// idle gives the processes of the function f that wait for events.
func idle(h *Host) []*sandbox {
	f := h.functions["f"]
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.idle)
}

func TestIdle(t *testing.T) {
	j, clock := newJournal(), newManual()
	h := newHost(t, Config{Log: j.log, Clock: clock, MaxIdle: 2, IdleFor: time.Minute})
	deploy(t, h)
	gate := newGate(t)
	var all []<-chan pending
	for range 3 {
		all = append(all, begin(t, h, Input{Payload: encode(event{Print: "x\n", Wait: gate.path})}))
	}
	j.await(t, 3, kind(KindOutput))
	gate.open()
	for _, done := range all {
		end(t, done)
	}
	waiting := idle(h)
	if len(waiting) != 2 {
		t.Fatalf("%d processes wait", len(waiting))
	}
	clock.turn(40 * time.Second)
	invoke(t, h, event{}) // by the one used last
	clock.turn(20 * time.Second)
	if got := idle(h); len(got) != 1 || got[0] != waiting[1] || alive(waiting[0].cmd.Process.Pid) {
		t.Errorf("%d wait after a minute", len(got))
	}
	clock.turn(40 * time.Second)
	if got := idle(h); len(got) != 0 || alive(waiting[1].cmd.Process.Pid) {
		t.Errorf("%d wait at the end", len(got))
	}
	invoke(t, h, event{})
}

func TestDeploy_replaces(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	version := func(v string) {
		deploy(t, h, func(f *Function) { f.Version, f.Env = v, map[string]string{"VERSION": v} })
	}
	version("1")
	idle := invoke(t, h, event{Env: "VERSION"})
	gate := newGate(t)
	old := begin(t, h, Input{Payload: encode(event{Print: "x\n", Wait: gate.path, Env: "VERSION"})})
	j.await(t, 1, kind(KindOutput))
	version("2")
	if a := invoke(t, h, event{Env: "VERSION"}); a.Env != "2" || a.PID == idle.PID {
		t.Errorf("%+v", a)
	}
	gate.open()
	out := end(t, old)
	if !strings.Contains(string(out.Payload), `"Env":"1"`) || out.ExecutedVersion != "1" || alive(idle.PID) {
		t.Errorf("%s by version %s", out.Payload, out.ExecutedVersion)
	}
	h.Remove("f")
	if _, err := h.Invoke(t.Context(), Input{Function: "f"}); err == nil {
		t.Error("a removed function was invoked")
	}
}

// A caller that gives up leaves the function running to its end.
func TestInvoke_canceled(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	deploy(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	gate := newGate(t)
	done := make(chan error, 1)
	go func() {
		_, err := h.Invoke(ctx, Input{Function: "f", Payload: encode(event{Print: "x\n", Wait: gate.path})})
		done <- err
	}()
	j.await(t, 1, kind(KindOutput))
	cancel()
	if err := <-done; !errors.Is(err, ctx.Err()) {
		t.Errorf("%v", err)
	}
	gate.open()
	if r := j.await(t, 1, kind(KindReport)); r.Report.Status != "" {
		t.Errorf("%+v", r)
	}
}

// While as many processes start as may, an event is handled by one that becomes free, or by a new one
// after a second.
func TestInvoke_manyStart(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	deploy(t, h)
	gate := newGate(t)
	first := begin(t, h, Input{Payload: encode(event{Print: "x\n", Wait: gate.path})})
	j.await(t, 1, kind(KindOutput))
	for range cap(h.starts) {
		h.starts <- struct{}{}
	}
	h.patience = patience
	second := begin(t, h, Input{})
	f := h.functions["f"]
	eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.waiting) == 1
	})
	gate.open()
	end(t, first)
	end(t, second)
	if s := h.Stats()["f"]; s.Invocations != 2 || s.ColdStarts != 1 {
		t.Errorf("%+v", s)
	}
	deploy(t, h) // nothing is idle now
	h.patience = time.Millisecond
	end(t, begin(t, h, Input{}))
	for range cap(h.starts) {
		<-h.starts
	}
}

// What an idle process has started ends when the process does.
func TestInvoke_diedIdleWithChildren(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	script(t, h, "sleep 1000 & child=$!\necho $$ $AWS_LAMBDA_RUNTIME_API $child\nwait\n")
	p := &player{tb: t, h: h, j: j}
	done, api := p.event("one")
	request(http.MethodPost, api+"response", "1").want(t, http.StatusAccepted, "")
	p.end(done)
	pid, _ := runtimeOf(t, j, 1)
	child, err := strconv.Atoi(strings.Fields(j.await(t, 1, kind(KindOutput)).Text)[2])
	if err != nil || !alive(child) {
		t.Fatalf("the child does not run: %v", err)
	}
	if err := signal(pid, os.Kill); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return !alive(child) })
}

// A bootstrap that is still being written is waited for.
func TestInit_busyBootstrap(t *testing.T) {
	h := newHost(t, Config{})
	script(t, h, "exit 3\n")
	file, err := os.OpenFile(filepath.Join(h.functions["f"].task, "bootstrap"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, func() { file.Close() })
	if out := end(t, begin(t, h, Input{})); errorType(out.Payload) != "Runtime.ExitError" {
		t.Errorf("%s", out.Payload)
	}
}
