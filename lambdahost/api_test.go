package lambdahost

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// newAPI serves a host's Invoke API and gives the address of its functions.
func newAPI(tb testing.TB, h *Host) string {
	tb.Helper()
	s := httptest.NewServer(h)
	tb.Cleanup(s.Close)
	return s.URL + "/2015-03-31/functions/"
}

func TestGW95_Invoke(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	deploy(t, h)
	api := newAPI(t, h)
	post := func(path, body string, header ...string) reply {
		return request(http.MethodPost, api+path, body, header...)
	}
	t.Run("ok", func(t *testing.T) {
		r := post("f/invocations", `{"Env":"_HANDLER"}`, "X-Amz-Client-Context",
			base64.StdEncoding.EncodeToString([]byte(`{"custom":{"a":"b"}}`)), "X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793")
		r.want(t, http.StatusOK, "")
		var a answer
		if err := json.Unmarshal([]byte(r.body), &a); err != nil {
			t.Fatal(err)
		}
		if a.Client["a"] != "b" || a.Env != "bootstrap" || a.Trace != "Root=1-5759e988-bd862e3fe1be46a994272793" {
			t.Errorf("%+v", a)
		}
		for name, want := range map[string]string{
			"X-Amzn-Requestid": a.ID, "X-Amz-Executed-Version": "$LATEST", "X-Amz-Function-Error": "",
			"X-Amz-Log-Result": "", "Content-Type": "application/json",
		} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	})
	t.Run("function error", func(t *testing.T) {
		r := post("f/invocations", `{"Fail":"broken"}`)
		r.want(t, http.StatusOK, `{"errorMessage":"broken","errorType":"errorString"}`)
		if got := r.header.Get("X-Amz-Function-Error"); got != "Unhandled" {
			t.Errorf("X-Amz-Function-Error: %q", got)
		}
	})
	t.Run("event", func(t *testing.T) {
		r := post("f/invocations", `{"Print":"later"}`, "X-Amz-Invocation-Type", "Event")
		r.want(t, http.StatusAccepted, "")
		if r.body != "" {
			t.Errorf("body %q", r.body)
		}
		if got := j.await(t, 2, kind(KindOutput)); got.Text != "later" || got.RequestID != r.header.Get("X-Amzn-Requestid") {
			t.Errorf("%+v", got)
		}
	})
	t.Run("dry run", func(t *testing.T) {
		before := len(j.all(kind(KindStart)))
		post("f/invocations", "", "X-Amz-Invocation-Type", "DryRun").want(t, http.StatusNoContent, "")
		if after := len(j.all(kind(KindStart))); after != before {
			t.Error("it was run")
		}
	})
	for name, c := range map[string]struct {
		path, body string
		header     []string
		status     int
		kind, want string
	}{
		"unknown function": {
			"g/invocations", "{}", nil, 404, "ResourceNotFoundException",
			`{"Message":"Function not found: arn:aws:lambda:us-east-1:000000000000:function:g","Type":"User"}`,
		},
		"unknown function of an event": {
			"g/invocations", "{}", []string{"X-Amz-Invocation-Type", "Event"}, 404, "ResourceNotFoundException", "",
		},
		"unknown qualifier": {
			"f/invocations?Qualifier=live", "{}", nil, 404, "ResourceNotFoundException",
			`{"Message":"Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:live","Type":"User"}`,
		},
		"two qualifiers": {
			"f:1/invocations?Qualifier=2", "{}", nil, 400, "InvalidParameterValueException", "",
		},
		"not JSON":      {"f/invocations", "{", nil, 400, "InvalidRequestContentException", ""},
		"unknown type":  {"f/invocations", "{}", []string{"X-Amz-Invocation-Type", "x"}, 400, "InvalidParameterValueException", ""},
		"no context":    {"f/invocations", "{}", []string{"X-Amz-Client-Context", "{}"}, 400, "InvalidRequestContentException", ""},
		"another call":  {"f", "{}", nil, 404, "UnknownOperationException", ""},
		"somebody page": {"f/invocations", "{}", []string{"Origin", "https://example.com"}, 403, "AccessDeniedException", ""},
		"large": {
			"f/invocations", `"` + strings.Repeat("x", 6*1024*1024-1) + `"`, nil, 413, "RequestTooLargeException",
			`{"Type":"User","message":"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}`,
		},
		"large event": {
			"f/invocations", `"` + strings.Repeat("x", 1024*1024-1) + `"`,
			[]string{"X-Amz-Invocation-Type", "Event"},
			413, "RequestTooLargeException", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := post(c.path, c.body, c.header...)
			r.want(t, c.status, c.want)
			if got := r.header.Get("X-Amzn-Errortype"); got != c.kind {
				t.Errorf("X-Amzn-ErrorType: %q, want %q", got, c.kind)
			}
		})
	}
	t.Run("largest", func(t *testing.T) { // a string, which this function cannot take: but it got there
		r := post("f/invocations", `"`+strings.Repeat("x", 6*1024*1024-2)+`"`)
		r.want(t, http.StatusOK, "")
	})
	request(http.MethodGet, api+"f/invocations", "").want(t, http.StatusMethodNotAllowed, "")
}

func TestInvoke_names(t *testing.T) {
	h := newHost(t, Config{Account: "123456789012"})
	deploy(t, h, func(f *Function) { f.Version, f.Aliases = "3", []string{"live"} })
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
	for name, want := range map[string]string{
		"f": arn, "f:live": arn + ":live", "123456789012:function:f": arn, "function:f:3": arn + ":3",
		"123456789012:function:f:live": arn + ":live", arn: arn, arn + ":$LATEST": arn + ":$LATEST",
	} {
		out, err := h.Invoke(t.Context(), Input{Function: name})
		var a answer
		if err == nil {
			err = json.Unmarshal(out.Payload, &a)
		}
		if err != nil || a.ARN != want || out.ExecutedVersion != "3" {
			t.Errorf("%s: %s, version %s, %v", name, a.ARN, out.ExecutedVersion, err)
		}
	}
	for _, name := range []string{"", "g", "f:dead", "function:g"} {
		_, err := h.Invoke(t.Context(), Input{Function: name})
		var e *Error
		if !errors.As(err, &e) || e.Code != "ResourceNotFoundException" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGW96_LogTail(t *testing.T) {
	h := newHost(t, Config{})
	deploy(t, h)
	api := newAPI(t, h)
	ask := func(e event) []string {
		t.Helper()
		r := request(http.MethodPost, api+"f/invocations", string(encode(e)), "X-Amz-Log-Type", "Tail")
		text, err := base64.StdEncoding.DecodeString(r.header.Get("X-Amz-Log-Result"))
		if err != nil || r.status != http.StatusOK || len(text) > 4096 {
			t.Fatalf("%d, %d bytes, %v", r.status, len(text), err)
		}
		id := r.header.Get("X-Amzn-Requestid")
		lines := strings.Split(strings.ReplaceAll(string(text), id, "ID"), "\n")
		if last := lines[len(lines)-2]; !strings.HasPrefix(last, "REPORT RequestId: ID\tDuration: ") || lines[len(lines)-1] != "" {
			t.Errorf("the last line is %q", last)
		}
		return lines
	}
	lines := ask(event{Print: "one\ntwo"})
	if !strings.HasPrefix(lines[0], "INIT_START Runtime Version: provided:al2023\tRuntime Version ARN: ") {
		t.Errorf("the first line is %q", lines[0])
	}
	if got := strings.Join(lines[1:5], "|"); got != "START RequestId: ID Version: $LATEST|one|two|END RequestId: ID" {
		t.Errorf("%q", got)
	}
	if !strings.Contains(lines[5], "\tInit Duration: ") || !strings.Contains(lines[5], "\tMemory Size: 128 MB\t") {
		t.Errorf("%q", lines[5])
	}
	lines = ask(event{Print: "begin" + strings.Repeat("0123456789\n", 1000) + "end"})
	if text := strings.Join(lines, "\n"); len(text) != 4096-2*(36-len("ID")) || strings.Contains(text, "begin") || !strings.Contains(text, "\nend\n") {
		t.Errorf("%d bytes of a long log", len(text))
	}
	if lines = ask(event{}); len(lines) != 4 { // of a warm process, without the events before
		t.Errorf("%q", lines)
	}
}

func TestGW97_Concurrency(t *testing.T) {
	for name, c := range map[string]struct {
		config   Config
		reserved int
		want     string
	}{
		"function": {Config{}, 1, "ReservedFunctionConcurrentInvocationLimitExceeded"},
		"host":     {Config{Concurrency: 1}, 0, "ConcurrentInvocationLimitExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJournal()
			c.config.Log = j.log
			h := newHost(t, c.config)
			deploy(t, h, func(f *Function) { f.Concurrency = c.reserved })
			api := newAPI(t, h) + "f/invocations"
			gate := newGate(t)
			first := begin(t, h, Input{Payload: encode(event{Print: "first\n", Wait: gate.path})})
			j.await(t, 1, kind(KindOutput))
			r := request(http.MethodPost, api, "{}")
			r.want(t, http.StatusTooManyRequests, `{"Reason":"`+c.want+`","Type":"User","message":"Rate Exceeded."}`)
			if got := r.header.Get("X-Amzn-Errortype"); got != "TooManyRequestsException" {
				t.Errorf("X-Amzn-ErrorType: %q", got)
			}
			gate.open()
			end(t, first)
			request(http.MethodPost, api, "{}").want(t, http.StatusOK, "")
			if s := h.Stats()["f"]; s.Throttles != 1 || s.Invocations != 2 || s.ColdStarts != 1 {
				t.Errorf("%+v", s)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		h := newHost(t, Config{})
		deploy(t, h, func(f *Function) { f.Concurrency = -1 })
		request(http.MethodPost, newAPI(t, h)+"f/invocations", "{}").want(t, http.StatusTooManyRequests, "")
	})
}

func TestGW98_OneEventAProcess(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	script(t, h, idleScript)
	one, two := begin(t, h, Input{RequestID: "one"}), begin(t, h, Input{RequestID: "two"})
	ids := map[string]string{} // of events, by the Runtime API
	for n := 1; n <= 2; n++ {  // both are under way before either is answered
		_, api := runtimeOf(t, j, n)
		r := request(http.MethodGet, api+"invocation/next", "")
		ids[api] = r.header.Get("Lambda-Runtime-Aws-Request-Id")
	}
	for api, id := range ids {
		request(http.MethodPost, api+"invocation/"+id+"/response", `"`+id+`"`).want(t, http.StatusAccepted, "")
		ask(api + "invocation/next")
	}
	if a, b := end(t, one), end(t, two); string(a.Payload) != `"one"` || string(b.Payload) != `"two"` {
		t.Errorf("%s, %s", a.Payload, b.Payload)
	}
}

// The process used last is used first.
func TestInvoke_reuse(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Log: j.log})
	deploy(t, h)
	busy := func() (pid int) { // two at once; gives the process that ends last
		gate := newGate(t)
		slow := begin(t, h, Input{Payload: encode(event{Print: "slow\n", Wait: gate.path})})
		j.await(t, 1, kind(KindOutput))
		invoke(t, h, event{})
		gate.open()
		var a answer
		if err := json.Unmarshal(end(t, slow).Payload, &a); err != nil {
			t.Fatal(err)
		}
		return a.PID
	}
	last := busy()
	for range 3 {
		if a := invoke(t, h, event{}); a.PID != last {
			t.Errorf("process %d, want %d", a.PID, last)
		}
	}
	if s := h.Stats()["f"]; s.ColdStarts != 2 || s.Invocations != 5 || s.Errors != 0 {
		t.Errorf("%+v", s)
	}
}
