package testenv_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/testenv"
)

// handshake tries to connect and gives the HTTP status and the sentence of a refusal.
func handshake(t *testing.T, url string, header http.Header) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: header}) //nolint:bodyclose // the library closes it
	if err == nil {
		_ = conn.CloseNow()
		return http.StatusSwitchingProtocols, ""
	}
	if resp == nil {
		t.Fatalf("%s: %v", url, err)
	}
	body, _ := io.ReadAll(resp.Body) // the library keeps the first 1,024 bytes
	return resp.StatusCode, string(body)
}

func TestConnect_Names(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		base := e.URL(0, "")
		for query, want := range map[string]int{
			"?name=alice":                      101,
			"?name=alice&dialect=native":       101,
			"?name=Zo%C3%AB":                   101,
			"?name=%E5%BC%A0%E4%BC%9F":         101,
			"?name=a-b_c.9":                    101,
			"?name=" + strings.Repeat("a", 64): 101,
			"":                                 101,
			"?name=" + strings.Repeat("a", 65): 400,
			"?name=":                           400,
			"?name=a%20b":                      400,
			"?name=%3Cb%3E":                    400,
			"?name=a%2Fb":                      400,
			"?name=-alice":                     400,
			"?name=%D0%B0dmin":                 400, // a Cyrillic a among Latin letters
			"?name=a%E2%80%8Bb":                400, // a zero-width space
			"?name=a%E2%80%AEb":                400, // a right-to-left override
			"?name=%40alice,bob":               400,
			"?name=alice&dialect=klingon":      400,
			"?name=alice&dialect=Native":       400,
		} {
			status, sentence := handshake(t, base+query, nil)
			if status != want {
				t.Errorf("%q: status %d, want %d", query, status, want)
			}
			if status == 400 && !strings.Contains(sentence, " ") {
				t.Errorf("%q: the refusal says %q", query, sentence)
			}
			if strings.Contains(query, "klingon") && !strings.Contains(sentence, "native") {
				t.Errorf("the refusal of a dialect names none: %q", sentence)
			}
		}
		guest := testenv.DialURL(t, base, "guest")
		user := guest.Do("h1", `{"action":"hello","id":"h1"}`).User
		if !regexp.MustCompile(`^guest-[a-z0-9]{6}$`).MatchString(user) {
			t.Errorf("without a name one is %q", user)
		}
		// A name in other case, or in another normal form, is the same user, shown as first written.
		e.Dial(t, "alice")
		e.Dial(t, "Zoe\u0308")
		for _, name := range []string{"ALICE", "alice"} {
			if got := e.Dial(t, name).Do("h1", `{"action":"hello","id":"h1"}`).User; got != "alice" {
				t.Errorf("%s is %q, want alice", name, got)
			}
		}
		if got := e.Dial(t, "ZOE\u0308").Do("h1", `{"action":"hello","id":"h1"}`).User; got != "Zoë" {
			t.Errorf("ZOË is %q, want Zoë", got)
		}
	})
}

func TestConnect_Origin(t *testing.T) {
	options := once
	options.AllowedOrigins = []string{"https://chat.example"}
	testenv.Each(t, options, func(t *testing.T, e *testenv.Env) {
		url := e.URL(0, "alice")
		host := strings.TrimSuffix(strings.TrimPrefix(e.URLs[0], "ws://"), "/production")
		ip, port, _ := strings.Cut(host, ":")
		for origin, want := range map[string]int{
			"":                              101, // a program
			"http://" + host:                101, // the event's own host
			"https://chat.example":          101,
			"null":                          403,
			"https://evil.example":          403,
			"https://chat.example.evil.com": 403,
			"https://evilchat.example":      403,
			"http://chat.example":           403,
			"https://chat.example:8443":     403,
			"https://chat.example/":         403,
			"https://me@chat.example":       403,
			"http://" + ip:                  403,
			"http://" + ip + ":1":           403,
			"http://evil.example:" + port:   403,
			"http://" + host + ".evil.com":  403,
			"http://" + host + "/":          403,
			"http://me@" + host:             403,
			"ws://" + host:                  403,
			"file://" + host:                403,
			host:                            403,
		} {
			header := http.Header{}
			if origin != "" {
				header.Set("Origin", origin)
			}
			if status, _ := handshake(t, url, header); status != want {
				t.Errorf("Origin %q: status %d, want %d", origin, status, want)
			}
		}
	})
}

func TestConnect_TwentyDevices(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		devices := make([]*testenv.Client, 20)
		for i := range devices {
			devices[i] = e.Dial(t, "alice")
		}
		status, sentence := handshake(t, e.URL(0, "Alice"), nil)
		if status != 429 || !strings.Contains(sentence, " ") {
			t.Errorf("device 21: status %d, %q; want 429 with a sentence", status, sentence)
		}
		e.Dial(t, "bob").Say("lobby", "m1", "hi")
		for _, c := range devices {
			c.Await("the message", message("lobby", "hi"))
		}
		devices[7].Close()
		for deadline := time.Now().Add(time.Minute); ; {
			if status, _ = handshake(t, e.URL(0, "alice"), nil); status == 101 || time.Now().After(deadline) {
				break
			}
		}
		if status != 101 {
			t.Errorf("after one has closed: status %d", status)
		}
	})
}

// Connections that end while they speak leave nothing behind.
func TestConnect_Churn(t *testing.T) {
	testenv.Each(t, testenv.Options{}, func(t *testing.T, e *testenv.Env) {
		watcher := e.Dial(t, "watcher")
		watcher.Join("tea")
		for i := range 20 {
			c := e.Dial(t, fmt.Sprintf("user%d", i%4))
			if i < 4 {
				c.Join("tea")
			}
			c.Send(`{"action":"sendMessage","id":"m%d","message":"bye %d"}`, i, i)
			if i%2 == 0 {
				c.Kill()
			} else {
				c.Close()
			}
		}
		for _, user := range []string{"user0", "user1", "user2", "user3"} {
			offline(t, watcher, `{"action":"members","id":%q,"room":"tea"}`, user)
		}
		watcher.Say("lobby", "last", "all gone")
	})
}
