package gateway

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// What goes over the wire, byte for byte: testdata/golden has the answers that captures of AWS have,
// with CONNECTION, REQUEST, UUID and TRACE for what differs each time. Lines end with \r\n on the wire
// and with \n in the files.

// varying are the parts that differ each time, and the forms that they must have.
var varying = []struct{ name, form string }{
	{"CONNECTION", `[A-Za-z0-9_-]{18}==`},
	{"REQUEST", `[A-Za-z0-9_-]{15}=`},
	{"UUID", `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`},
	{"TRACE", `Root=1-[0-9a-f]{8}-[0-9a-f]{24}`},
}

// matches compares bytes of the wire with a golden file. The order of header lines means nothing.
func matches(t *testing.T, name string, got []byte) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", "golden", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(file), "\n\n")
	if strings.HasPrefix(body, "<") {
		body = strings.ReplaceAll(body, "\n", "\r\n") // a page has lines
	} else {
		body = strings.TrimSuffix(body, "\n")
	}
	want := sorted(strings.ReplaceAll(head, "\n", "\r\n")) + "\r\n\r\n" + body
	form := regexp.QuoteMeta(want)
	for _, v := range varying {
		form = strings.ReplaceAll(form, v.name, v.form)
	}
	head, body, _ = strings.Cut(string(got), "\r\n\r\n")
	if have := sorted(head) + "\r\n\r\n" + body; !regexp.MustCompile(`\A` + form + `\z`).MatchString(have) {
		t.Errorf("the wire has\n%q\nwant\n%q", have, want)
	}
}

// sorted puts the lines after the first in order.
func sorted(head string) string {
	lines := strings.Split(head, "\r\n")
	slices.Sort(lines[1:])
	return strings.Join(lines, "\r\n")
}

// wire sends a handshake and gives the bytes of the answer; those of a 101 end with its head.
func (r *rig) wire(t *testing.T, target string, lines ...string) []byte {
	t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	all := append([]string{"GET " + target + " HTTP/1.1", "Host: ws.example"}, lines...)
	if _, err := io.WriteString(conn, strings.Join(all, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	var got bytes.Buffer
	in := bufio.NewReader(conn)
	for !bytes.HasSuffix(got.Bytes(), []byte("\r\n\r\n")) {
		line, err := in.ReadBytes('\n')
		if err != nil {
			t.Fatalf("%v after %q", err, got.Bytes())
		}
		got.Write(line)
	}
	var length int
	at := bytes.Index(got.Bytes(), []byte("Content-Length: "))
	if at >= 0 {
		fmt.Sscanf(got.String()[at:], "Content-Length: %d", &length)
	}
	if _, err := io.CopyN(&got, in, int64(length)); err != nil {
		t.Fatal(err)
	}
	return got.Bytes()
}

func goldenConfig(connect Handler) Config {
	// Date is the API's clock for what is answered after the handshake has left net/http.
	at := time.Date(2026, 9, 25, 1, 24, 18, 0, time.UTC)
	return Config{Now: func() time.Time { return at }, Routes: map[string]Route{"$connect": {Handler: connect, Timeout: -1}}}
}

// date is not the gateway's in what net/http answers.
var date = regexp.MustCompile(`Date: [^\r]+`)

func withoutDate(b []byte) []byte { return date.ReplaceAll(b, []byte("Date: now")) }

func TestGW01_Golden101(t *testing.T) {
	r := run(t, goldenConfig(answering(reply{
		StatusCode: 200, Headers: map[string]string{"Sec-WebSocket-Protocol": "b"},
	}, nil)))
	matches(t, "101", r.wire(t, "/prod", append(upgradeLines, "Sec-WebSocket-Protocol: a, b")...))
}

func TestGW02_GoldenForbidden(t *testing.T) {
	r := run(t, Config{})
	matches(t, "403-stage", withoutDate(r.wire(t, "/dev", upgradeLines...)))
	matches(t, "403-stage", withoutDate(r.wire(t, "/prod"))) // GW-03
}

func TestGW77_GoldenGone(t *testing.T) {
	r := managed(t, Config{})
	path := at(closedID(t, r))
	req, err := http.NewRequest(http.MethodGet, "http://ws.example"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, req, nil, testKey, testSecret, time.Now())
	matches(t, "410-get", withoutDate(r.wire(t, path, "Authorization: "+req.Header.Get("Authorization"),
		"X-Amz-Date: "+req.Header.Get("X-Amz-Date"))))
}

func TestGW06_GoldenRefusal(t *testing.T) {
	r := run(t, goldenConfig(answering(reply{
		StatusCode: 401, Headers: map[string]string{"x-Reason": "token"}, Body: "no",
	}, nil)))
	matches(t, "401-connect", r.wire(t, "/prod", upgradeLines...))
}

func TestGW08_GoldenFailure(t *testing.T) {
	r := run(t, goldenConfig(answering(reply{}, errors.New("broken"))))
	matches(t, "502-connect", r.wire(t, "/prod", upgradeLines...))
}

func TestGW71_GoldenRefusals(t *testing.T) {
	for name, g := range map[string]*guard{
		"401-authorizer":     newGuard(nil, errors.New("Unauthorized")),
		"403-authorizer":     newGuard(says("Deny", "*"), nil),
		"403-authorizer-not": newGuard(says("Allow", "arn:aws:execute-api:*:*:*/dev/*"), nil),
		"500-authorizer":     newGuard(nil, errors.New("broken")),
		"500-policy":         newGuard("Allow", nil),
	} {
		t.Run(name, func(t *testing.T) {
			cfg := goldenConfig(newRecorder())
			connect := cfg.Routes["$connect"]
			connect.Authorizer = &g.Authorizer
			cfg.Routes["$connect"] = connect
			r := run(t, cfg)
			matches(t, name, r.wire(t, "/prod", upgradeLines...))
			if name == "401-authorizer" {
				matches(t, "400-authorization", r.wire(t, "/prod",
					append(upgradeLines, "Authorization: a", "Authorization: b")...))
			}
		})
	}
}

// An error frame: the header of a text frame of its length, without a mask, and the text with AWS's
// spacing, a blank after "message": and after commas and none after the other colons.
func TestGW48_GoldenFrames(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	waits := HandlerFunc(func(context.Context, event) (reply, error) {
		<-release
		return reply{StatusCode: 200}, nil
	})
	for text, routes := range map[string]map[string]Route{
		"Forbidden":                  {},
		"Internal server error":      {"x": {Handler: answering(reply{}, errors.New("broken"))}},
		"Endpoint request timed out": {"x": {Handler: waits, Timeout: time.Millisecond}},
	} {
		r := run(t, Config{Routes: routes})
		c := r.dial(t)
		c.send(`{"action":"x"}`)
		want := `{"message": "` + text + `", "connectionId":"` + r.onlyID(t) + `", "requestId":"`
		size := len(want) + 16 + len(`"}`)
		head := []byte{0x81, byte(size)} // RFC 6455 section 5.2: FIN and text, no mask, the length
		if size > 125 {
			head = []byte{0x81, 126, 0, byte(size)}
		}
		got := make([]byte, len(head)+size)
		c.conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.ReadFull(c.in, got); err != nil {
			t.Fatal(err)
		}
		rest, ok := bytes.CutPrefix(got, append(head, want...))
		if !ok || !regexp.MustCompile(`^[A-Za-z0-9_-]{15}="}$`).Match(rest) {
			t.Errorf("the wire has %q, want %q and a request id", got, append(head, want...))
		}
	}
}
