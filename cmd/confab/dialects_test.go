package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/sim"
)

// socket is a WebSocket client that takes frames of any form.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
}

func dialSocket(t *testing.T, url string) socket {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, url, nil) //nolint:bodyclose // the library closes it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return socket{t, conn}
}

func (s socket) send(frame string) {
	s.t.Helper()
	if err := s.conn.Write(s.t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		s.t.Fatal(err)
	}
}

// read awaits a frame.
func (s socket) read() string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), limit)
	defer cancel()
	_, frame, err := s.conn.Read(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(frame)
}

// next awaits a frame, byte for byte.
func (s socket) next(want string) {
	s.t.Helper()
	if got := s.read(); got != want {
		s.t.Fatalf("it gets %s, want %s", got, want)
	}
}

// TestServe_DialectsSurvive ends the server by kill -9 between a message and its recipient, and under
// the feet of somebody with a name.
func TestServe_DialectsSurvive(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	server := sim.Serve(t, "--addr", "127.0.0.1:0", "--data", data)
	directory, lounge := "/Prod?dialect=directory&name=", "/production?dialect=lounge"
	bob := dialSocket(t, "ws://"+server.Addr+directory+"bob")
	if err := bob.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	enter := func() socket {
		lena := dialSocket(t, "ws://"+server.Addr+lounge)
		lena.send(`{"action":"setName","name":"Lena"}`)
		lena.next(`{"members":["Lena"]}`)
		lena.next(`{"systemMessage":"Lena has joined the chat"}`)
		return lena
	}
	lena := enter()
	for _, text := range []string{"first", "second"} {
		lena.send(`{"action":"sendPrivate","to":"bob","message":"` + text + `"}`)
	}
	lena.send(`{"action":"sendPublic","message":"stored by now"}`)
	lena.next(`{"publicMessage":"Lena: stored by now"}`)

	server.Kill()
	server = sim.Serve(t, "--addr", "127.0.0.1:0", "--data", data)
	bob = dialSocket(t, "ws://"+server.Addr+directory+"bob")
	bob.next(`{"action":"send","sent_by":"Lena","message":"first"}`)
	bob.next(`{"action":"send","sent_by":"Lena","message":"second"}`)
	lena = enter() // nobody holds the name
	lena.send(`{"action":"sendPrivate","to":"bob","message":"third"}`)
	bob.next(`{"action":"send","sent_by":"Lena","message":"third"}`)

	lena.send(`{"action":"sendPrivate","to":"bob","message":"fourth"}`)
	bob.next(`{"action":"send","sent_by":"Lena","message":"fourth"}`)

	server.Kill() // before it has noted, perhaps, that bob has the fourth
	server = sim.Serve(t, "--addr", "127.0.0.1:0", "--data", data)
	bob = dialSocket(t, "ws://"+server.Addr+directory+"bob")
	enter().send(`{"action":"sendPrivate","to":"bob","message":"fifth"}`)
	if again := bob.read(); again != `{"action":"send","sent_by":"Lena","message":"fifth"}` {
		if again != `{"action":"send","sent_by":"Lena","message":"fourth"}` {
			t.Errorf("bob gets %s", again)
		}
		bob.next(`{"action":"send","sent_by":"Lena","message":"fifth"}`)
	}
}
