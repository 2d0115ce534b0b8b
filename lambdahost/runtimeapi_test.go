package lambdahost

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// idleScript is a function that does nothing but say where its Runtime API and what its process is,
// so that a test can be its runtime.
const idleScript = "echo $$ $AWS_LAMBDA_RUNTIME_API\nexec sleep 1000\n"

// runtimeOf gives the process and the Runtime API's address that the nth idle script has told.
func runtimeOf(tb testing.TB, j *journal, n int) (pid int, api string) {
	tb.Helper()
	fields := strings.Fields(j.await(tb, n, kind(KindOutput)).Text)
	pid, err := strconv.Atoi(fields[0])
	if err != nil {
		tb.Fatal(err)
	}
	return pid, "http://" + fields[1] + "/2018-06-01/runtime/"
}

// reply is an answer of an HTTP API.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

// request asks an HTTP API.
func request(method, url, body string, header ...string) reply {
	r, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(text), err}
}

// want checks status and body; an empty body is any.
func (r reply) want(tb testing.TB, status int, body string) {
	tb.Helper()
	if r.err != nil || r.status != status || body != "" && strings.TrimSpace(r.body) != body {
		tb.Errorf("%d %q %v, want %d %q", r.status, r.body, r.err, status, body)
	}
}

// ask asks in the background.
func ask(url string) <-chan reply {
	done := make(chan reply, 1)
	go func() { done <- request(http.MethodGet, url, "") }()
	return done
}

func TestGW91_Next(t *testing.T) {
	j, clock := newJournal(), newManual()
	h := newHost(t, Config{Log: j.log, Clock: clock, Region: "eu-central-1", Account: "123456789012"})
	script(t, h, idleScript, func(f *Function) { f.Timeout = 7 * time.Second })
	const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	first := begin(t, h, Input{
		Payload: []byte(`{"n":1}`), RequestID: "11111111-2222-4333-8444-555555555555", TraceID: trace,
		ClientContext: "{\"custom\": {\n\"a\": \"ü😀\"}}",
	})
	_, api := runtimeOf(t, j, 1)
	clock.turn(3 * time.Second) // of initializing, which do not count
	got := request(http.MethodGet, api+"invocation/next", "")
	got.want(t, http.StatusOK, `{"n":1}`)
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id":       "11111111-2222-4333-8444-555555555555",
		"Lambda-Runtime-Deadline-Ms":          fmt.Sprint(clock.Now().Add(7 * time.Second).UnixMilli()),
		"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:f",
		"Lambda-Runtime-Trace-Id":             trace,
		"Lambda-Runtime-Client-Context":       `{"custom":{"a":"\u00fc\ud83d\ude00"}}`,
		"Content-Type":                        "application/json",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), want)
		}
	}
	request(http.MethodGet, api+"invocation/next", "").want(t, http.StatusForbidden, "") // not yet answered
	id := got.header.Get("Lambda-Runtime-Aws-Request-Id")
	request(http.MethodPost, api+"invocation/"+id+"/response", `"one"`).want(t, http.StatusAccepted, "")
	next := ask(api + "invocation/next")
	if out := end(t, first); string(out.Payload) != `"one"` || out.RequestID != id {
		t.Errorf("%s %s", out.Payload, out.RequestID)
	}
	select {
	case r := <-next:
		t.Fatalf("next does not block: %+v", r)
	default:
	}
	second := begin(t, h, Input{})
	got = <-next
	got.want(t, http.StatusOK, "{}")
	if again := got.header.Get("Lambda-Runtime-Aws-Request-Id"); again == id || len(again) != 36 {
		t.Errorf("request id %q", again)
	}
	if got.header.Get("Lambda-Runtime-Client-Context") != "" {
		t.Error("a client context from nowhere")
	}
	request(http.MethodPost, api+"invocation/"+got.header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "2")
	ask(api + "invocation/next")
	end(t, second)
}

func TestGW92_Response(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	script(t, h, idleScript)
	done := begin(t, h, Input{RequestID: "one"})
	_, api := runtimeOf(t, j, 1)
	request(http.MethodPost, api+"invocation/one/response", "1").want(t, http.StatusBadRequest, "") // not taken yet
	request(http.MethodGet, api+"invocation/next", "").want(t, http.StatusOK, "{}")
	stale := request(http.MethodPost, api+"invocation/zero/response", "0")
	stale.want(t, http.StatusBadRequest, `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`)
	request(http.MethodPost, api+"invocation/zero/error", "{}").want(t, http.StatusBadRequest, "")
	request(http.MethodPost, api+"init/error", "{}").want(t, http.StatusForbidden, "")
	good := request(http.MethodPost, api+"invocation/one/response", "1")
	good.want(t, http.StatusAccepted, `{"status":"OK"}`)
	request(http.MethodPost, api+"invocation/one/response", "2").want(t, http.StatusForbidden, "")
	ask(api + "invocation/next")
	if out := end(t, done); string(out.Payload) != "1" {
		t.Errorf("%s", out.Payload)
	}
	request(http.MethodPost, api+"invocation/one/response", "3").want(t, http.StatusBadRequest, "")
	request(http.MethodGet, api+"nothing", "").want(t, http.StatusNotFound, "")
	page := request(http.MethodGet, api+"invocation/next", "", "Origin", "https://example.com")
	page.want(t, http.StatusForbidden, "")
}

func TestGW93_InitError(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	script(t, h, idleScript)
	const body = `{"errorMessage":"no table","errorType":"Config.Missing","stackTrace":[]}`
	done := begin(t, h, Input{RequestID: "one", LogTail: true})
	_, api := runtimeOf(t, j, 1)
	r := request(http.MethodPost, api+"init/error", body, errorTypeHeader, "Runtime.ConfigMissing")
	r.want(t, http.StatusAccepted, `{"status":"OK"}`)
	out := end(t, done)
	if out.FunctionError != "Unhandled" || string(out.Payload) != body || out.Status != http.StatusOK {
		t.Errorf("%d %s %s", out.Status, out.FunctionError, out.Payload)
	}
	want := "INIT_REPORT Init Duration: "
	if log := string(out.LogTail); !strings.Contains(log, want) ||
		!strings.Contains(log, "Phase: init\tStatus: error\tError Type: Runtime.ConfigMissing\n") {
		t.Errorf("log:\n%s", log)
	}
	begin(t, h, Input{RequestID: "two"})
	if _, again := runtimeOf(t, j, 2); again == api {
		t.Error("the process that could not initialize got another event")
	}
}

func TestGW94_Exit(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	deploy(t, h)
	first := invoke(t, h, event{})
	second := begin(t, h, Input{RequestID: "two", Payload: encode(event{Print: "begun\n", Hang: true})})
	j.await(t, 1, kind(KindOutput))
	if err := signal(first.PID, os.Kill); err != nil {
		t.Fatal(err)
	}
	out := end(t, second)
	wantJSON(t, out.Payload, `{"errorType":"Runtime.ExitError",
		"errorMessage":"RequestId: two Error: Runtime exited with error: signal: killed"}`)
	if out.FunctionError != "Unhandled" {
		t.Errorf("function error %q", out.FunctionError)
	}
	if third := invoke(t, h, event{}); third.PID == first.PID {
		t.Error("the next event went to the process that is gone")
	}
	for code, want := range map[int]string{1: "exit status 1", 42: "exit status 42"} {
		out = end(t, begin(t, h, Input{RequestID: "four", Payload: encode(event{Exit: code})}))
		if got := message(out.Payload); got != "RequestId: four Error: Runtime exited with error: "+want {
			t.Errorf("%q", got)
		}
	}
	report := j.await(t, 4, kind(KindReport)).Report
	if report.Status != "error" || report.Error != "Runtime.ExitError" {
		t.Errorf("%+v", report)
	}
}

// A process that ends while nothing is under way is noticed before the next event.
func TestInvoke_diedIdle(t *testing.T) {
	h := newHost(t, Config{})
	deploy(t, h)
	first := invoke(t, h, event{})
	if err := signal(first.PID, os.Kill); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return len(idle(h)) == 0 })
	if second := invoke(t, h, event{}); second.PID == first.PID {
		t.Errorf("%+v", second)
	}
}

// player is a runtime that a test plays.
type player struct {
	tb   testing.TB
	h    *Host
	j    *journal
	next <-chan reply
}

// event gives the function an event and takes it.
func (p *player) event(id string) (done <-chan pending, api string) {
	p.tb.Helper()
	done = begin(p.tb, p.h, Input{RequestID: id})
	_, api = runtimeOf(p.tb, p.j, 1)
	if p.next == nil {
		p.next = ask(api + "invocation/next")
	}
	(<-p.next).want(p.tb, http.StatusOK, "{}")
	return done, api + "invocation/" + id + "/"
}

// end asks for the next event, which ends the one before.
func (p *player) end(done <-chan pending) Output {
	p.tb.Helper()
	_, api := runtimeOf(p.tb, p.j, 1)
	p.next = ask(api + "invocation/next")
	return end(p.tb, done)
}

func TestRuntimeAPI_errors(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	script(t, h, idleScript)
	p := &player{tb: t, h: h, j: j}
	for i, c := range []struct {
		header, body  string
		want, inAWord string
	}{
		{"Runtime.MyError", `{"errorType":"E","errorMessage":"m"}`, `{"errorType":"E","errorMessage":"m"}`, "Runtime.MyError"},
		{"", `{"errorType":"Function.Bad","errorMessage":"m"}`, `{"errorType":"Function.Bad","errorMessage":"m"}`, "Function.Bad"},
		{"KeyError", `{"errorMessage":"m"}`, `{"errorMessage":"m"}`, "Function.Unknown"},
		{"Runtime.no word", `"m"`, `"m"`, "Runtime.Unknown"},
		{"E", `not JSON`, `{"errorType":"Function.Unknown","errorMessage":"not JSON"}`, "Function.Unknown"},
	} {
		done, api := p.event(fmt.Sprint(i))
		request(http.MethodPost, api+"error", c.body, errorTypeHeader, c.header).want(t, http.StatusAccepted, "")
		out := p.end(done)
		wantJSON(t, out.Payload, c.want)
		report := j.await(t, i+1, kind(KindReport))
		if out.FunctionError != "Unhandled" || report.Report.Error != c.inAWord || report.RequestID != fmt.Sprint(i) {
			t.Errorf("%s: %s, %+v", c.header, out.FunctionError, report)
		}
	}
}

// aws-lambda-go tells in trailers what goes wrong while it writes an answer.
func TestRuntimeAPI_trailers(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	script(t, h, idleScript)
	p := &player{tb: t, h: h, j: j}
	done, api := p.event("one")
	const body = `{"errorType":"errorString","errorMessage":"cut"}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api+"response", io.MultiReader(strings.NewReader(`{"half`)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Lambda-Runtime-Function-Response-Mode", "streaming")
	r.Trailer = http.Header{
		errorTypeHeader:                      {"errorString"},
		"Lambda-Runtime-Function-Error-Body": {base64.StdEncoding.EncodeToString([]byte(body))},
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if out := p.end(done); out.FunctionError != "Unhandled" || string(out.Payload) != body {
		t.Errorf("%s %s", out.FunctionError, out.Payload)
	}
}

// An answer may have 6 MB and 100 bytes.
func TestRuntimeAPI_largeAnswers(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	script(t, h, idleScript)
	p := &player{tb: t, h: h, j: j}
	largest := `"` + strings.Repeat("x", 6*1024*1024+98) + `"`
	done, api := p.event("one")
	request(http.MethodPost, api+"response", largest).want(t, http.StatusAccepted, "")
	if out := p.end(done); string(out.Payload) != largest {
		t.Errorf("%d bytes", len(out.Payload))
	}
	done, api = p.event("two")
	request(http.MethodPost, api+"response", largest+" ").want(t, http.StatusRequestEntityTooLarge,
		`{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}`)
	wantJSON(t, p.end(done).Payload, `{"errorType":"Function.ResponseSizeTooLarge",
		"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`)
}

// Who ends after the answer has answered; the next event gets another process.
func TestRuntimeAPI_exitAfterAnswer(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	script(t, h, idleScript)
	p := &player{tb: t, h: h, j: j}
	done, api := p.event("one")
	request(http.MethodPost, api+"response", "1").want(t, http.StatusAccepted, "")
	pid, _ := runtimeOf(t, j, 1)
	if err := signal(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if out := end(t, done); string(out.Payload) != "1" || out.FunctionError != "" {
		t.Errorf("%s %s", out.Payload, out.FunctionError)
	}
	begin(t, h, Input{})
	runtimeOf(t, j, 2)
}
