package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/connections"
)

const testKey, testSecret = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

// managed is an API with @connections.
func managed(t *testing.T, cfg Config) *rig {
	t.Helper()
	cfg.ServeConnections = true
	cfg.Credentials = map[string]string{testKey: testSecret}
	return run(t, cfg)
}

func (r *rig) endpoint() string { return "http://" + r.addr + "/prod" }

// answered is an HTTP answer as far as tests look at it.
type answered struct {
	status int
	kind   string // x-amzn-ErrorType
	body   string
	header http.Header
}

// call sends a signed request to a path as it stands, as "/prod/@connections/abc%3D".
func (r *rig) call(t *testing.T, method, path string, body []byte, change func(*http.Request)) answered {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+r.addr+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sign(t, req, body, testKey, testSecret, time.Now())
	if change != nil {
		change(req)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{res.StatusCode, res.Header.Get("x-amzn-ErrorType"), string(text), res.Header}
}

func sign(t *testing.T, req *http.Request, body []byte, key, secret string, at time.Time) {
	t.Helper()
	err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{
		AccessKeyID:     key,
		SecretAccessKey: secret,
	}, req, sum(body), "execute-api", "us-east-1", at)
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, got answered, status int, kind, body string) {
	t.Helper()
	if got.status != status || got.kind != kind || got.body != body {
		t.Errorf("answer %d %s %q, want %d %s %q", got.status, got.kind, got.body, status, kind, body)
	}
}

func escaped(id string) string { return strings.ReplaceAll(id, "=", "%3D") }

func at(id string) string { return "/prod/@connections/" + escaped(id) }

func TestGW76_PostDelivers(t *testing.T) {
	r := managed(t, Config{})
	c := r.dial(t)
	got := r.call(t, "POST", at(r.onlyID(t)), []byte("hello\n{"), nil)
	want(t, got, 200, "", "")
	if got.header.Get("Content-Type") != "application/json" || got.header.Get("Content-Length") != "0" {
		t.Errorf("headers %v", got.header)
	}
	for name, form := range map[string]string{
		"X-Amzn-Requestid": `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
		"X-Amz-Apigw-Id":   `^[A-Za-z0-9_-]{15}=$`,
		"X-Amzn-Trace-Id":  `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`,
	} {
		if value := got.header.Get(name); !regexp.MustCompile(form).MatchString(value) {
			t.Errorf("%s: %q", name, value)
		}
	}
	text, sizes := c.message()
	if text != "hello\n{" || len(sizes) != 1 {
		t.Errorf("message %q in %d frames", text, len(sizes))
	}
}

// closedID gives the id of a connection that has been.
func closedID(t *testing.T, r *rig) string {
	t.Helper()
	c := r.dial(t)
	id := r.onlyID(t)
	c.frame(ws.OpClose, true, nil)
	c.closed(0, "")
	c.conn.Close()
	eventually(t, "the connection is forgotten", func() bool { return r.Stats().Open == 0 })
	return id
}

func TestGW77_ClosedIsGone(t *testing.T) {
	r := managed(t, Config{})
	id := closedID(t, r)
	want(t, r.call(t, "POST", at(id), []byte("x"), nil), 410, "GoneException", "")

	_, err := r.sdk().PostToConnection(context.Background(),
		&apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte("x")})
	var gone *types.GoneException
	if !errors.As(err, &gone) {
		t.Errorf("Go SDK: %v, want GoneException", err)
	}
}

func TestGW78_ClosedIsGoneForGetAndDelete(t *testing.T) {
	r := managed(t, Config{})
	id := closedID(t, r)
	want(t, r.call(t, "GET", at(id), nil, nil), 410, "GoneException", "")
	want(t, r.call(t, "DELETE", at(id), nil, nil), 410, "GoneException", "")
}

func unsigned(req *http.Request) { req.Header.Del("Authorization") }

func TestGW79_NeverIssuedIsBadRequest(t *testing.T) {
	r := managed(t, Config{})
	r.dial(t)
	id := r.onlyID(t)
	flipped := []byte(id)
	flipped[0] ^= 1
	for _, bad := range []string{"abc", "AAAAAAAAAAAAAAAAAA==", string(flipped), id[:19], id + "="} {
		for _, method := range []string{"POST", "GET", "DELETE"} {
			want(t, r.call(t, method, at(bad), nil, unsigned), 400, "BadRequestException",
				`{"message":"Invalid connectionId: `+bad+`"}`)
		}
	}
	twice := "/prod/@connections/" + strings.ReplaceAll(id, "=", "%253D")
	want(t, r.call(t, "GET", twice, nil, nil), 400, "BadRequestException",
		`{"message":"Invalid connectionId: `+escaped(id)+`"}`)
}

func TestGW80_SpellingsOfAnID(t *testing.T) {
	r := managed(t, Config{})
	c := r.dial(t)
	id := r.onlyID(t)
	for _, path := range []string{
		"/prod/@connections/" + id, "/prod/@connections/" + escaped(id),
		"/prod/%40connections/" + escaped(id),
	} {
		want(t, r.call(t, "POST", path, []byte(path), nil), 200, "", "")
		c.expect(path)
	}
}

func TestGW81_GetDescribes(t *testing.T) {
	clock := newClock(time.Now().Truncate(time.Second).Add(887 * time.Millisecond))
	r := managed(t, Config{Now: clock.now})
	r.dial(t)
	id := r.onlyID(t)
	connected := clock.now().UTC().Format("2006-01-02T15:04:05") + ".887Z"
	want(t, r.call(t, "GET", at(id), nil, nil), 200, "", `{
  "identity": {
    "sourceIp": "127.0.0.1",
    "userAgent": null
  },
  "connectedAt": "`+connected+`",
  "lastActiveAt": "`+connected+`"
}`)
	out, err := r.sdk().GetConnection(context.Background(),
		&apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id})
	if err != nil || !out.ConnectedAt.Equal(clock.now()) || *out.Identity.SourceIp != "127.0.0.1" {
		t.Errorf("Go SDK: %+v %v", out, err)
	}
}

func TestGW81_UserAgent(t *testing.T) {
	r := managed(t, Config{})
	r.dial(t, "User-Agent: probe/1")
	var got struct{ Identity struct{ UserAgent string } }
	text := r.call(t, "GET", at(r.onlyID(t)), nil, nil).body
	if err := json.Unmarshal([]byte(text), &got); err != nil || got.Identity.UserAgent != "probe/1" {
		t.Errorf("%s %v", text, err)
	}
}

func TestGW82_DeleteCloses(t *testing.T) {
	h := newRecorder()
	r := managed(t, Config{Routes: map[string]Route{"$disconnect": {Handler: h}}})
	c := r.dial(t)
	want(t, r.call(t, "DELETE", at(r.onlyID(t)), nil, nil), 204, "", "")
	f, err := c.read()
	if err != nil || f.Header.OpCode != ws.OpClose || string(f.Payload) != "\x03\xe8Connection Closed Normally" {
		t.Errorf("%v %q %v", f.Header.OpCode, f.Payload, err)
	}
	c.frame(ws.OpClose, true, f.Payload)
	_, e := h.next(t)
	if got := contextOf(e); got["disconnectStatusCode"] != 1000.0 ||
		got["disconnectReason"] != "Connection Closed Normally" {
		t.Errorf("%v %v", got["disconnectStatusCode"], got["disconnectReason"])
	}
}

func TestGW83_PayloadLimit(t *testing.T) {
	clock := newClock(time.Now())
	r := managed(t, Config{Now: clock.now})
	c := r.dial(t)
	id := r.onlyID(t)
	target := connections.Target{ID: id}
	before, err := r.Describe(context.Background(), target)
	if err != nil {
		t.Fatal(err)
	}
	clock.add(time.Second)
	big := bytes.Repeat([]byte("abcdefgh"), 131072/8)
	want(t, r.call(t, "POST", at(id), append(big, 'x'), nil), 413, "", "")
	after, err := r.Describe(context.Background(), target)
	if err != nil || !after.LastActiveAt.Equal(before.LastActiveAt) {
		t.Errorf("lastActiveAt moved from %v to %v (%v)", before.LastActiveAt, after.LastActiveAt, err)
	}
	want(t, r.call(t, "POST", at(id), big, nil), 200, "", "")
	text, sizes := c.message()
	if text != string(big) {
		t.Errorf("131,072 bytes arrive as %d others", len(text))
	}
	if diff := cmp.Diff([]int{32768, 32768, 32768, 32768}, sizes); diff != "" {
		t.Errorf("frames: %s", diff)
	}
	_, _, err = r.Post(context.Background(), []connections.Target{target}, [][]byte{{'a'}, append(big, 'x')})
	if !errors.Is(err, connections.ErrTooLarge) {
		t.Errorf("Post: %v, want ErrTooLarge", err)
	}
	post(t, r, id, "first after it")
	c.expect("first after it") // nothing of the failed post
	want(t, r.call(t, "POST", at(id), make([]byte, 11<<20), nil), 413, "", "")
}

func TestGW84_EmptyAndInvalidPayloads(t *testing.T) {
	r := managed(t, Config{})
	c := r.dial(t)
	id := r.onlyID(t)
	for in, out := range map[string]string{"": "", "a\xffb\xc3": "a\uFFFDb\uFFFD", "\uFFFD": "\uFFFD"} {
		want(t, r.call(t, "POST", at(id), []byte(in), nil), 200, "", "")
		c.expect(out)
		post(t, r, id, in)
		c.expect(out)
	}
}

func TestGW85_PostInsideConnectIsGone(t *testing.T) {
	var r *rig
	type result struct {
		gone []connections.Target
		http answered
	}
	inside := make(chan result, 1)
	r = managed(t, Config{Routes: map[string]Route{"$connect": {Handler: HandlerFunc(
		func(ctx context.Context, e event) (reply, error) {
			id := e.RequestContext.ConnectionID
			gone, _, err := r.Post(ctx, []connections.Target{{ID: id}}, [][]byte{[]byte("x")})
			if err != nil {
				return reply{}, err
			}
			inside <- result{gone, r.call(t, "POST", at(id), []byte("x"), nil)}
			return reply{StatusCode: 200}, nil
		})}}})
	c := r.dial(t)
	got := <-inside
	want(t, got.http, 410, "GoneException", "")
	id := r.onlyID(t)
	if diff := cmp.Diff([]connections.Target{{ID: id}}, got.gone); diff != "" {
		t.Error(diff)
	}
	post(t, r, id, "now")
	c.expect("now")
}

func TestGW86_StagesOfAnAPI(t *testing.T) {
	r := managed(t, Config{Stages: []Stage{{Name: "prod"}, {Name: "dev"}}})
	c := r.dial(t)
	id := r.onlyID(t)
	want(t, r.call(t, "POST", "/none/@connections/"+escaped(id), nil, nil), 403,
		"ForbiddenException", `{"message":"Forbidden"}`)
	want(t, r.call(t, "POST", "/dev/@connections/"+escaped(id), []byte("x"), nil), 200, "", "")
	c.expect("x")
}

func TestGW87_LastActiveAt(t *testing.T) {
	clock := newClock(time.Now())
	h := newRecorder()
	r := managed(t, Config{Now: clock.now, Routes: map[string]Route{"$default": {Handler: h}}})
	c := r.dial(t)
	id := r.onlyID(t)
	last := func() time.Time {
		info, err := r.Describe(context.Background(), connections.Target{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		return info.LastActiveAt
	}
	start := last()
	clock.add(time.Second)
	want(t, r.call(t, "POST", at(id), []byte("x"), nil), 200, "", "")
	c.expect("x")
	if got := last().Sub(start); got != time.Second {
		t.Errorf("after a post: moved by %v, want 1s", got)
	}
	clock.add(time.Second)
	if got := r.call(t, "GET", at(id), nil, nil).status; got != 200 {
		t.Errorf("GET %d", got)
	}
	if got := last().Sub(start); got != time.Second {
		t.Errorf("after a GET: moved by %v, want 1s", got)
	}
	c.send("y")
	h.next(t)
	if got := last().Sub(start); got != 2*time.Second {
		t.Errorf("after a message: moved by %v, want 2s", got)
	}
}

func TestConfig_ServeConnections_off(t *testing.T) {
	r := run(t, Config{Credentials: map[string]string{testKey: testSecret}})
	r.dial(t)
	want(t, r.call(t, "POST", at(r.onlyID(t)), []byte("x"), nil), 403, "ForbiddenException",
		`{"message":"Forbidden"}`)
}

func TestAPI_Close(t *testing.T) {
	r := run(t, Config{})
	c := r.dial(t)
	target := connections.Target{ID: r.onlyID(t)}
	post(t, r, target.ID, "last words")
	ctx := context.Background()
	if err := r.Close(ctx, target, 999, ""); err == nil {
		t.Error("Close takes 999")
	}
	if err := r.Close(ctx, target, 4000, strings.Repeat("x", 124)); err == nil {
		t.Error("Close takes a reason of 124 bytes")
	}
	if err := r.Close(ctx, target, 1008, "signed out"); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(ctx, target, 1008, "again"); !errors.Is(err, connections.ErrGone) {
		t.Errorf("second Close: %v, want ErrGone", err)
	}
	if _, err := r.Describe(ctx, target); !errors.Is(err, connections.ErrGone) {
		t.Errorf("Describe: %v, want ErrGone", err)
	}
	c.expect("last words")
	f, err := c.read()
	if err != nil || string(f.Payload) != "\x03\xf0signed out" {
		t.Errorf("%q %v", f.Payload, err)
	}
	c.frame(ws.OpClose, true, f.Payload)
}

// Two gateways post to each other's connections, each knowing its own by its endpoint.
func TestAPI_Post_otherEndpoints(t *testing.T) {
	near := managed(t, Config{Endpoint: "near"})
	far := managed(t, Config{})
	n, f := near.dial(t), far.dial(t)
	gone := connections.Target{ID: closedID(t, managed(t, Config{})), Endpoint: far.endpoint()}
	to := []connections.Target{
		{ID: far.onlyID(t), Endpoint: far.endpoint()},
		{ID: near.onlyID(t), Endpoint: "near"},
		{ID: near.onlyID(t)},
		gone,
	}
	for range 2 { // first target far, then near
		got, unsent, err := near.Post(context.Background(), to, [][]byte{[]byte("a"), []byte("b")})
		if err != nil || len(unsent) > 0 {
			t.Fatal(unsent, err)
		}
		if diff := cmp.Diff([]connections.Target{gone}, got); diff != "" {
			t.Error(diff)
		}
		f.expect("a")
		f.expect("b")
		for range 2 {
			n.expect("a")
			n.expect("b")
		}
		to[0], to[1] = to[1], to[0]
	}
	info, err := near.Describe(context.Background(), to[0])
	if err != nil || info.SourceIP != "127.0.0.1" {
		t.Errorf("Describe: %+v %v", info, err)
	}
	if err := near.Close(context.Background(), to[0], 4000, "ignored"); err != nil {
		t.Fatal(err)
	}
	if fr, err := f.read(); err != nil || string(fr.Payload) != "\x03\xe8Connection Closed Normally" {
		t.Errorf("%q %v", fr.Payload, err)
	}
}
