package lambdahost

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// collect reads what is written into an output.
func collect(t *testing.T) (o *output, lines *[]string) {
	t.Helper()
	lines = &[]string{}
	o, err := newOutput(func(line string) { *lines = append(*lines, line) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.close)
	return o, lines
}

func TestOutput(t *testing.T) {
	long := strings.Repeat("é", maxLine/2)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"lines":         {"one\ntwo\n", []string{"one", "two"}},
		"empty lines":   {"\n\nx\n", []string{"", "", "x"}},
		"unfinished":    {"one\ntwo", []string{"one", "two"}},
		"nothing":       {"", nil},
		"windows":       {"one\r\n", []string{"one"}},
		"not UTF-8":     {"a\xffb\n", []string{"a\uFFFDb"}},
		"NUL":           {"a\x00b\n", []string{"a\x00b"}},
		"longest":       {long + "\n", []string{long}},
		"too long":      {long + "1234\n", []string{long, "1234"}},
		"cut in a rune": {"x" + long + "\n", []string{"x" + long[2:], "é"}},
		"far too long":  {long + long + long + "\n", []string{long, long, long}},
		"long, and cut": {long + "12", []string{long, "12"}},
	} {
		t.Run(name, func(t *testing.T) {
			o, lines := collect(t)
			if _, err := o.w.WriteString(c.text); err != nil {
				t.Fatal(err)
			}
			o.flush() // after which all is there
			if diff := cmp.Diff(c.want, *lines, cmp.Transformer("nil", func(s []string) []string { return append([]string{}, s...) })); diff != "" {
				t.Error(diff[:min(len(diff), 500)])
			}
		})
	}
}

// A mark in the middle of a line that is too long is found.
func TestOutput_marks(t *testing.T) {
	for _, extra := range []int{-40, -36, -35, -34, -20, -1, 0, 1, 20, 34, 35, 36} {
		o, lines := collect(t)
		want := strings.Repeat("x", maxLine+extra)
		o.w.WriteString(want)
		o.flush()
		o.w.WriteString("next\n")
		o.flush()
		if got := strings.Join(*lines, ""); got != want+"next" {
			t.Errorf("%d: %d bytes of %d", extra, len(got), len(want)+4)
		}
	}
}

// What a function writes is in the log of its event, in order, between START and END.
func TestLog(t *testing.T) {
	j, clock := newJournal(), newManual()
	h := newHost(t, Config{Log: j.log, Clock: clock})
	deploy(t, h, func(f *Function) {
		f.Version, f.MemoryMB, f.Env = "7", 512, map[string]string{"SAY_FIRST": "loading"}
	})
	for i := range 2 {
		end(t, begin(t, h, Input{
			RequestID: fmt.Sprint("request-", i),
			Payload:   encode(event{Print: "out\n", Error: "error\n", Rest: "rest"}),
		}))
	}
	all := j.all(func(Record) bool { return true })
	var got []string
	for _, r := range all {
		if r.Function != "f" || r.Version != "7" || !r.Time.Equal(clock.Now()) || r.Stream != all[0].Stream || (r.Report != nil) != (r.Kind == KindReport) {
			t.Errorf("%+v", r)
		}
		got = append(got, string(r.Kind)+" "+r.RequestID+" "+strings.Split(r.Text, "\t")[0])
	}
	want := []string{
		"init request-0 INIT_START Runtime Version: provided:al2023", "output request-0 loading",
		"start request-0 START RequestId: request-0 Version: 7",
		"output request-0 out", "output request-0 error", "output request-0 rest",
		"end request-0 END RequestId: request-0", "report request-0 REPORT RequestId: request-0",
		"start request-1 START RequestId: request-1 Version: 7",
		"output request-1 out", "output request-1 error", "output request-1 rest",
		"end request-1 END RequestId: request-1", "report request-1 REPORT RequestId: request-1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(all[0].Stream, "2026/01/02/[7]") || len(all[0].Stream) != len("2026/01/02/[7]")+32 {
		t.Errorf("stream %q", all[0].Stream)
	}
}

// The figures of a REPORT line are those of the clock.
func TestReport(t *testing.T) {
	j, clock := newJournal(), newManual()
	h := newHost(t, Config{Log: j.log, Clock: clock})
	script(t, h, idleScript, func(f *Function) { f.MemoryMB = 1024 })
	done := begin(t, h, Input{RequestID: "one"})
	p := &player{tb: t, h: h, j: j}
	_, api := runtimeOf(t, j, 1)
	clock.await(t, 10*time.Second) // the limit of initializing
	clock.turn(1500*time.Millisecond + 400*time.Microsecond)
	request("GET", api+"invocation/next", "")
	clock.turn(20*time.Millisecond + 340*time.Microsecond)
	request("POST", api+"invocation/one/response", "1")
	p.end(done)
	r := j.await(t, 1, kind(KindReport))
	memory := fmt.Sprintf("Max Memory Used: %d MB\t", r.Report.MemoryMB)
	if r.Report.MemoryMB == 0 { // not on this system
		memory = ""
	}
	want := "REPORT RequestId: one\tDuration: 20.34 ms\tBilled Duration: 1521 ms\tMemory Size: 1024 MB\t" + memory + "Init Duration: 1500.40 ms\t"
	if r.Text != want {
		t.Errorf("got  %q\nwant %q", r.Text, want)
	}
	s := h.Stats()["f"]
	sent := int64(0) // INIT_START, START, END and REPORT: 26 bytes and a break each
	for _, r := range j.all(func(Record) bool { return true }) {
		sent += int64(len(r.Text)) + 27
	}
	if s.LogBytes != sent || sent < 4*27 {
		t.Errorf("%d bytes of log, want %d", s.LogBytes, sent)
	}
	if s.Billed != 1521*time.Millisecond || s.Init != 1500*time.Millisecond+400*time.Microsecond || s.BilledMB != 1024*s.Billed {
		t.Errorf("%+v", s)
	}
}

// The environment is Lambda's, with what the configuration says, and nothing of this program's.
func TestEnvironment(t *testing.T) {
	t.Setenv("A_SECRET_OF_THE_USER", "x")
	t.Setenv("AWS_PROFILE", "production")
	j := newJournal()
	h := newHost(t, Config{
		Log: j.log, Region: "eu-west-1",
		Env: map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000", "LANG": "C", "BOTH": "host"},
	})
	layer := t.TempDir()
	script(t, h, "env\nexec sleep 1000\n", func(f *Function) {
		f.Env = map[string]string{"TABLE": "t1", "BOTH": "function"}
		f.MemoryMB, f.Version, f.Layers = 256, "3", []string{layer}
		f.Credentials = Credentials{"AKIA", "secret", ""}
	})
	begin(t, h, Input{})
	eventually(t, func() bool { return len(j.all(kind(KindOutput))) >= 24 })
	f := h.functions["f"]
	env := map[string]string{}
	for _, r := range j.all(kind(KindOutput)) {
		name, value, _ := strings.Cut(r.Text, "=")
		env[name] = value
	}
	for _, name := range []string{"PWD", "SHLVL", "OLDPWD", "_"} { // the shell's own
		delete(env, name)
	}
	if address := env["AWS_LAMBDA_RUNTIME_API"]; !strings.HasPrefix(address, "127.0.0.1:") {
		t.Errorf("Runtime API at %q", address)
	}
	if info, err := os.ReadDir(env["HOME"]); err != nil || len(info) != 0 {
		t.Errorf("home folder %s: %v %v", env["HOME"], info, err)
	}
	want := map[string]string{
		"_HANDLER": "bootstrap", "LAMBDA_TASK_ROOT": f.task, "AWS_REGION": "eu-west-1",
		"AWS_DEFAULT_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_VERSION": "3",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
		"AWS_LAMBDA_LOG_STREAM_NAME":     j.await(t, 1, kind(KindOutput)).Stream,
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret",
		"TZ": ":UTC", "LANG": "C", "PATH": "/usr/local/bin:/usr/bin:/bin:" + layer + "/bin",
		"LD_LIBRARY_PATH":           f.task + ":" + f.task + "/lib:" + layer + "/lib",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000",
		"TABLE": "t1", "BOTH": "function",
		"AWS_LAMBDA_RUNTIME_API": env["AWS_LAMBDA_RUNTIME_API"], "HOME": env["HOME"], "LAMBDA_RUNTIME_DIR": h.dir + "/runtime",
	}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Error(diff)
	}
}

// Lambda's folders in a function's own lists are those that are here.
func TestEnvironment_lists(t *testing.T) {
	h := newHost(t, Config{})
	code, layer := t.TempDir(), t.TempDir()
	for name, c := range map[string]struct{ own, want string }{
		"unset": {"", code + ":" + code + "/lib:" + layer + "/lib"},
		"set":   {"/opt/lib:/var/task:/var/tasks:/optional:/usr/lib:/opt", layer + "/lib:" + code + ":/var/tasks:/optional:/usr/lib:" + layer},
	} {
		t.Run(name, func(t *testing.T) {
			f := Function{Name: "f", Runtime: "provided.al2023", Code: code, Layers: []string{layer}}
			if c.own != "" {
				f.Env = map[string]string{"LD_LIBRARY_PATH": c.own}
			}
			d, err := h.prepare(f)
			if err != nil {
				t.Fatal(err)
			}
			if env := d.environment("", ""); !slices.Contains(env, "LD_LIBRARY_PATH="+c.want) {
				t.Errorf("%q", env)
			}
		})
	}
}

func TestDeploy_refuses(t *testing.T) {
	h := newHost(t, Config{Node: "no-such-node"})
	for want, change := range map[string]func(*Function){
		"is no name":             func(f *Function) { f.Name = "a b" },
		"no code":                func(f *Function) { f.Code = "" },
		"no such file":           func(f *Function) { f.Code = t.TempDir() + "/none.zip" },
		"not from 1 s":           func(f *Function) { f.Timeout = 16 * time.Minute },
		"not from 128":           func(f *Function) { f.MemoryMB = 64 },
		"reserved by Lambda":     func(f *Function) { f.Env = map[string]string{"AWS_REGION": "x"} },
		"no such name":           func(f *Function) { f.Env = map[string]string{"A-B": "x"} },
		"at most 4 KB":           func(f *Function) { f.Env = map[string]string{"A1": strings.Repeat("x", 4095)} },
		"cannot be run here":     func(f *Function) { f.Runtime = "java21" },
		"no-such-node":           func(f *Function) { f.Runtime = "nodejs22.x" },
		"layers: ":               func(f *Function) { f.Layers = []string{"none.zip"} },
		"lambdahost: g: no code": func(f *Function) { f.Name, f.Code = "g", "" },
	} {
		f := Function{Name: "f", Runtime: "provided.al2023", Code: t.TempDir()}
		change(&f)
		if err := h.Deploy(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if got := h.Functions(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	for _, name := range []string{"provided.al2", "provided.al2023", "nodejs18.x", "nodejs24.x", "python3.9", "python3.14"} {
		if !CanRun(name) {
			t.Errorf("%s cannot be run", name)
		}
	}
	for _, name := range []string{"", "go1.x", "nodejs16.x", "nodejs19.x", "python3.8", "python3.1", "java21", "xprovided.al2"} {
		if CanRun(name) {
			t.Errorf("%s can be run", name)
		}
	}
	entries, err := os.ReadDir(h.dir)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if err != nil || !slices.Equal(names, []string{"home", "runtime"}) {
		t.Errorf("left behind: %v %v", names, err)
	}
}
