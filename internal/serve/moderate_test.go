package serve

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/signin"
	"github.com/confab-chat/confab/store/memstore"
)

// line is a socket of somebody.
type line struct {
	*testing.T
	conn *websocket.Conn
}

func (l line) say(frame string) {
	l.Helper()
	if err := l.conn.Write(l.Context(), websocket.MessageText, []byte(frame)); err != nil {
		l.Fatal(err)
	}
}

// until reads up to a frame that has the text, and gives what came.
func (l line) until(text string) (frames []string) {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), time.Minute)
	defer cancel()
	for len(frames) == 0 || !strings.Contains(frames[len(frames)-1], text) {
		_, frame, err := l.conn.Read(ctx)
		if err != nil {
			l.Fatalf("waiting for %s after %q: %v", text, frames, err)
		}
		frames = append(frames, string(frame))
	}
	return frames
}

// dial connects a session of somebody, and gives its socket and its secret.
func dial(t *testing.T, s *Server, house, handle string, owner bool) (line, string) {
	t.Helper()
	link, _, err := s.Desk().Invite(t.Context(), nil, 1, 0)
	if owner {
		link, _, err = s.Desk().MakeOwnerLink(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := s.Desk().SignIn(t.Context(), link, handle, "")
	if err != nil {
		t.Fatal(err)
	}
	options := &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + session}}}
	socket := "ws" + strings.TrimPrefix(house, "http") + "/production"
	conn, _, err := websocket.Dial(t.Context(), socket, options) //nolint:bodyclose // the library does
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return line{t, conn}, session
}

// TestServer_moderate has an owner of the server, who is in no room, and the operator remove people from
// a room of others, and delete what was said there.
func TestServer_moderate(t *testing.T) {
	s := newServer(t, Config{Sessions: memstore.NewSessions()})
	house, host := httptest.NewServer(s), httptest.NewServer(s.Operator("https://chat.example"))
	defer house.Close()
	defer host.Close()
	_, alice := dial(t, s, house.URL, "alice", true)
	bob, bobs := dial(t, s, house.URL, "bob", false)
	carol, _ := dial(t, s, house.URL, "carol", false)
	for _, l := range []line{bob, carol} {
		l.say(`{"action":"joinRoom","id":"j","room":"Tea"}`)
		l.until(`"event":"joined"`)
	}
	carol.say(`{"action":"sendMessage","id":"m1","room":"tea","message":"an insult"}`)
	bob.until(`"an insult"`)
	ask := func(url, session, body string, want error) {
		t.Helper()
		var answer struct {
			Room, User string
			Seq        uint64
		}
		err := signin.Ask(t.Context(), http.DefaultClient, url, session, json.RawMessage(body), &answer)
		switch {
		case want == nil && (err != nil || answer.Room != "Tea"):
			t.Errorf("%s %s: %+v, %v", url, body, answer, err)
		case want != nil && (err == nil || !strings.Contains(err.Error(), want.Error())):
			t.Errorf("%s %s: %v, want %v", url, body, err, want)
		}
	}
	remove, destroy := house.URL+"/auth/rooms/remove", house.URL+"/auth/messages/delete"
	ask(remove, bobs, `{"room":"tea","user":"carol"}`, refusal("only an owner"))
	ask(destroy, bobs, `{"room":"tea","seq":1}`, refusal("only an owner"))
	ask(remove, alice, `{"room":"none","user":"carol"}`, refusal("no room none"))
	ask(remove, alice, `{"room":"tea","user":"alice"}`, refusal("is not in the room"))
	ask(remove, alice, `{"room":"lobby","user":"carol"}`, refusal("lobby"))
	ask(destroy, alice, `{"room":"tea","seq":2}`, refusal("no message 2"))

	ask(destroy, alice, `{"room":"TEA","seq":1}`, nil)
	const gone = `{"event":"deleted","room":"Tea","seq":1,"by":"alice"}`
	for _, l := range []line{bob, carol} {
		l.until(gone)
	}
	ask(remove, alice, `{"room":"TEA","user":"CAROL"}`, nil)
	carol.until(`{"event":"removed","room":"Tea","reason":"removed by alice"}`)
	bob.say(`{"action":"sendMessage","id":"m2","room":"tea","message":"peace"}`)
	bob.until(`"peace"`)
	carol.say(`{"action":"history","id":"h","room":"tea"}`)
	for _, frame := range carol.until(`"id":"h"`) {
		if strings.Contains(frame, "peace") {
			t.Errorf("carol, who was removed, gets %s", frame)
		}
	}
	ask(host.URL+"/messages/delete", "", `{"room":"tea","seq":2}`, nil)
	bob.until(`{"event":"deleted","room":"Tea","seq":2,"by":"@operator"}`)
	carol.say(`{"action":"joinRoom","id":"j","room":"tea"}`)
	carol.until(`"event":"joined"`)
	bob.say(`{"action":"removeMember","id":"e","room":"tea","user":"carol"}`) // he has made it
	bob.until(`"event":"memberRemoved"`)
	ask(host.URL+"/rooms/remove", "", `{"room":"tea","user":"bob"}`, nil)
	bob.until(`{"event":"removed","room":"Tea","reason":"removed by @operator"}`)

	entries, _, err := s.Desk().Audit(t.Context(), nil, "", 5)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Actor+": "+e.Action+" "+e.Object)
	}
	want := []string{
		"operator: remove from room bob Tea", "bob: remove from room carol Tea", "operator: delete message Tea 2",
		"alice: remove from room carol Tea", "alice: delete message Tea 1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the audit log has\n%q, want\n%q", got, want)
	}
}

// refusal is a part of a sentence.
type refusal string

func (r refusal) Error() string { return string(r) }
