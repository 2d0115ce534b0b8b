package testenv_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/testenv"
)

// instructions is what broadcast answers to what it does not know: one line, a sentence without braces
// that names the actions, then who is asking.
var instructions = regexp.MustCompile(`^[^{\n]*\bsendMessage\b[^{\n]*(\{[^\n]*\})$`)

// TestDialects_Instructions sends to broadcast what no route fits.
func TestDialects_Instructions(t *testing.T) {
	testenv.Each(t, onceInOrder, func(t *testing.T, e *testenv.Env) {
		ben, other := dialAs(t, e, broadcast, "ben"), dialAs(t, e, broadcast, "bill")
		id := connectionOf(t, e, "ben")
		for _, frame := range []string{
			`{"action":"dance"}`, `hello`, `{"action":"sendMESSAGE","message":"hi"}`, `{"message":"hi"}`,
			`["sendMessage"]`, `7`, `{"action":"sendMessage","message":"cut o`, `{}`, `{"action":7}`, ``,
			`{"action":"$default"}`,
		} {
			ben.Send("%s", frame)
			f := ben.Next()
			found := instructions.FindStringSubmatch(f.Raw)
			if found == nil {
				t.Errorf("%q is answered %s", frame, f.Raw)
				continue
			}
			info := testenv.Frame{Raw: found[1]}
			if err := info.Matches(`{"ConnectedAt":"$any","Identity":{"SourceIp":"127.0.0.1","UserAgent":"Go-http-client/1.1"},`+
				`"LastActiveAt":"$any","connectionID":%q}`, id); err != nil {
				t.Errorf("%q is answered %s: %v", frame, f.Raw, err)
			}
			moments(t, found[1])
		}
		silent(t, ben, other)

		// wscat names no program, and has the member all the same.
		bert := testenv.DialHeader(t, e.URL(0, "bert")+"&dialect=broadcast", "bert", http.Header{"User-Agent": {""}})
		bert.Send(`{"action":"dance"}`)
		f := bert.Next()
		if !strings.Contains(f.Raw, `"Identity":{"SourceIp":"127.0.0.1","UserAgent":""}`) {
			t.Errorf("without a User-Agent the answer is %s", f.Raw)
		}
	})
}

// moments checks the times of a connection's info: within the last minute, and in order.
func moments(t *testing.T, info string) {
	t.Helper()
	var at struct{ ConnectedAt, LastActiveAt time.Time }
	if err := json.Unmarshal([]byte(info), &at); err != nil {
		t.Error(err)
	}
	if time.Since(at.ConnectedAt) > time.Minute || at.LastActiveAt.Before(at.ConnectedAt) || time.Until(at.LastActiveAt) > time.Second {
		t.Errorf("connected at %v, last active at %v", at.ConnectedAt, at.LastActiveAt)
	}
}

// connectionOf gives the id of a user's only connection.
func connectionOf(t *testing.T, e *testenv.Env, user string) string {
	t.Helper()
	list, err := e.Connections.OfUser(t.Context(), e.Name(user))
	if err != nil || len(list) != 1 {
		t.Fatalf("%d connections of %s: %v", len(list), user, err)
	}
	return list[0].ID
}

// TestDialects_Refused is about handshakes.
func TestDialects_Refused(t *testing.T) {
	testenv.Each(t, onceInOrder, func(t *testing.T, e *testenv.Env) {
		for query, want := range map[string]int{
			"?dialect=directory":                                 400,
			"?dialect=directory&name=":                           400,
			"?dialect=directory&name=%3Cb%3Ealice":               400,
			"?dialect=directory&name=alice%0Abob":                400,
			"?dialect=directory&name=%D0%B0dmin":                 400, // a Cyrillic a among Latin letters
			"?dialect=directory&name=" + strings.Repeat("a", 65): 400,
			"?dialect=directory&name=alice":                      101,
			"?dialect=broadcast":                                 101,
			"?dialect=broadcast&name=a%20b":                      400,
			"?dialect=direct":                                    101,
			"?dialect=lounge":                                    101,
			"?dialect=Lounge":                                    400,
			"?dialect=$lounge":                                   400,
		} {
			status, sentence := handshake(t, e.URLs[0]+query, nil)
			if status != want || status == 400 && !strings.Contains(sentence, " ") {
				t.Errorf("%s: status %d, want %d; it says %q", query, status, want, sentence)
			}
			if strings.Contains(query, "ounge") && status == 400 {
				for _, dialect := range []string{"native", broadcast, directory, direct, lounge} {
					if !strings.Contains(sentence, dialect) {
						t.Errorf("the refusal of a dialect does not name %s: %q", dialect, sentence)
					}
				}
			}
		}
		header := http.Header{"Origin": {"https://evil.example"}}
		if status, _ := handshake(t, e.URL(0, "alice")+"&dialect=directory", header); status != 403 {
			t.Errorf("a foreign page: status %d", status)
		}
	})
}
