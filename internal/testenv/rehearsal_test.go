package testenv_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/internal/testenv"
	"github.com/confab-chat/confab/internal/testissuer"
)

// TestRehearsal_Invocation does what the direct-message write-up does by `aws lambda invoke`, with the
// deployed function: only the deployment's own endpoint will do.
func TestRehearsal_Invocation(t *testing.T) {
	t.Run("rehearsal", func(t *testing.T) {
		t.Parallel()
		testInvocation(t, testenv.Start(t, "rehearsal", "dynamostore", onceInOrder))
	})
	if testenv.HasStage() {
		t.Run("aws", func(t *testing.T) {
			testInvocation(t, testenv.Start(t, "aws", "dynamostore", onceInOrder))
		})
	}
}

func testInvocation(t *testing.T, e *testenv.Env) {
	t.Helper()
	one, nina := dialAs(t, e, direct, ""), e.Dial(t, "nina")
	invoke := func(endpoint string) (status int, body string) {
		const payload = `{"action": "sendmessage", "message": "Hello from CLI!", "apigw_endpoint": %q}`
		answer, err := e.Invoke(fmt.Appendf(nil, payload, endpoint))
		var said struct {
			StatusCode int
			Body       string
		}
		if err == nil {
			err = json.Unmarshal(answer, &said)
		}
		if err != nil {
			t.Fatal(err)
		}
		return said.StatusCode, said.Body
	}
	if status, body := invoke(e.Endpoint); status != http.StatusOK || body != `{"status":"Message sent"}` {
		t.Errorf("the result is %d %s", status, body)
	}
	gets(t, one, "Hello from CLI!")
	gets(t, nina, said(chatapi.Operator, "Hello from CLI!"))
	for _, endpoint := range []string{"https://evil.example/production", e.Endpoint + ".evil.example", ""} {
		if status, body := invoke(endpoint); status != http.StatusBadRequest {
			t.Errorf("%q: the result is %d %s", endpoint, status, body)
		}
	}
	silent(t, one, nina)
}

// TestRehearsal_Authorizer lets in whom a token vouches for, as who the token says, and answers the
// sub-protocol.
func TestRehearsal_Authorizer(t *testing.T) {
	t.Parallel()
	issuer := testissuer.New(t, time.Now)
	e := testenv.Start(t, "rehearsal", "dynamostore", testenv.Options{Issuer: issuer.URL})
	dial := func(address string, protocols ...string) (*websocket.Conn, int, error) {
		options := &websocket.DialOptions{Subprotocols: protocols}
		c, response, err := websocket.Dial(t.Context(), address, options) //nolint:bodyclose // the library does
		if response == nil {
			t.Fatal(err)
		}
		return c, response.StatusCode, err
	}
	token := issuer.Token(map[string]any{"sub": "alice"})
	c, _, err := dial(e.URLs[0], "confab", token)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if c.Subprotocol() != "confab" {
		t.Errorf("answered with the sub-protocol %q", c.Subprotocol())
	}
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"action":"hello","id":"h"}`)); err != nil {
		t.Fatal(err)
	}
	_, frame, err := c.Read(t.Context())
	var welcome struct{ Event, User string }
	if err == nil {
		err = json.Unmarshal(frame, &welcome)
	}
	if err != nil || welcome.Event != "welcome" || welcome.User != "alice" {
		t.Errorf("%s, %v, want a welcome of alice", frame, err)
	}
	old := issuer.Token(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})
	for name, refused := range map[string]struct {
		address, token string
		status         int
	}{
		"no token":       {e.URLs[0], "", http.StatusUnauthorized},
		"an old token":   {e.URLs[0], old, http.StatusUnauthorized},
		"another's name": {e.URLs[0] + "?name=bob", token, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			c, status, err := dial(refused.address, "confab", refused.token)
			if err == nil {
				c.CloseNow()
			}
			if status != refused.status {
				t.Errorf("the handshake is answered with %d, want %d", status, refused.status)
			}
		})
	}
}
