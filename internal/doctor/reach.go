package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// reachLimit is how long the chat may take to answer.
const reachLimit = 10 * time.Second

// soonExpired is when a certificate that nobody has renewed yet is worth a warning.
const soonExpired = 7 * 24 * time.Hour

// reach connects as a page at the public address does, and asks for an answer of the chat.
func reach(ctx context.Context, c Config) Finding {
	f := Finding{Check: "reached at", Verdict: OK}
	ctx, cancel := context.WithTimeout(ctx, reachLimit)
	defer cancel()
	begin := time.Now()
	response, err := greet(ctx, c) //nolint:bodyclose // the library closes it
	took := time.Since(begin).Round(time.Millisecond)
	if err != nil && !asksToSignIn(response) {
		f.Verdict, f.Text = Fail, fmt.Sprintf("%s: %s", c.URL, explain(response, err))
		return f
	}
	f.Text = fmt.Sprintf("%s: the chat answers after %v", c.URL, took)
	if response.TLS == nil {
		return f
	}
	return f.judgeExpiry(response.TLS.PeerCertificates[0].NotAfter, begin)
}

// asksToSignIn tells whether the chat itself has answered: it lets accounts in alone, and doctor has
// none.
func asksToSignIn(response *http.Response) bool {
	if response == nil || response.StatusCode != http.StatusUnauthorized {
		return false
	}
	said, _ := io.ReadAll(response.Body) // as much of it as the library kept
	return bytes.Contains(said, []byte("sign in first"))
}

func (f Finding) judgeExpiry(expires, now time.Time) Finding {
	f.Text += expires.UTC().Format("; the certificate is valid until 2006-01-02")
	if expires.Sub(now) < soonExpired {
		f.Verdict = Warn
		f.Text += ": renew it"
	}
	return f
}

// greet says hello through the public address and reads the answer. The response is that to the
// handshake, where there was one.
func greet(ctx context.Context, c Config) (response *http.Response, err error) {
	base, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	socket := "ws" + strings.TrimPrefix(base.JoinPath(c.Stage).String(), "http")
	options := &websocket.DialOptions{HTTPHeader: http.Header{
		"Origin": {base.Scheme + "://" + base.Host}, "User-Agent": {"confab-doctor"},
	}}
	conn, response, err := websocket.Dial(ctx, socket, options)
	if err != nil {
		return response, err
	}
	defer func() { _ = conn.Close(websocket.StatusNormalClosure, "") }()
	hello := []byte(`{"action":"hello","id":"doctor"}`)
	if err := conn.Write(ctx, websocket.MessageText, hello); err != nil {
		return response, err
	}
	_, answer, err := conn.Read(ctx)
	if err == nil && !strings.Contains(string(answer), `"event":"welcome"`) {
		err = fmt.Errorf("something answers, and it is not Confab: %.80q", answer)
	}
	return response, err
}

// explain says what a failed handshake means and what to do.
func explain(response *http.Response, err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %v: does the port lead to the server?", reachLimit)
	case response == nil:
		var request *url.Error
		if errors.As(err, &request) {
			err = request.Err // without what the libraries say of themselves
		}
		return err.Error() + ": is the server running, and does the name lead to it?"
	}
	switch response.StatusCode {
	case http.StatusMisdirectedRequest:
		return "the server does not know this name: start it with --public-url"
	case http.StatusForbidden:
		said, _ := io.ReadAll(response.Body) // as much of it as the library kept
		if bytes.Contains(said, []byte("origin")) {
			return "403: the origin of this very address is refused: start the server with --public-url"
		}
		fallthrough // Confab's own answer to a request that is no WebSocket
	case http.StatusOK, http.StatusBadRequest, http.StatusUpgradeRequired, http.StatusNotFound:
		return fmt.Sprintf("%d instead of a WebSocket: a proxy in between has to hand on Upgrade and "+
			"Connection, see docs/operations.md", response.StatusCode)
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Sprintf("%d: the proxy does not reach the server, or the server stops", response.StatusCode)
	}
	return err.Error()
}
