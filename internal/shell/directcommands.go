package shell

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/login"
	"github.com/confab-chat/confab/internal/terminal"
)

// commands are those of the dialect.
func (d *direct) commands() []command {
	return []command{
		{"direct", "ID OPERATION JSON", "send JSON to one connection", 3, true, d.sendDirect},
		{"id", "", "ask for the connection's own id", 0, false, d.id},
		{"help", "", "this list", 0, false, d.help},
		{"quit", "", "end, as Ctrl-D does", 0, false, d.quit},
	}
}

// enter does what a line says: text is said to all, and what begins with / is a command.
func (d *direct) enter(ctx context.Context, line string) error {
	switch {
	case strings.TrimSpace(line) == "":
		return nil
	case strings.HasPrefix(line, "//"):
		line = line[1:]
	case strings.HasPrefix(line, "/"):
		return d.command(ctx, d.commands(), line)
	}
	said := saidText{rand.Text(), terminal.Plain(line)}
	d.mu.Lock()
	d.texts = append(d.texts, said)
	d.mu.Unlock()
	d.send(ctx, map[string]string{"action": "sendMessage", "id": said.id, "message": said.text})
	return nil
}

func (d *direct) sendDirect(ctx context.Context, arguments []string) error {
	payload := json.RawMessage(arguments[2])
	if !json.Valid(payload) {
		d.Console.Notice("That is no JSON: %s", terminal.CleanLine(arguments[2]))
		return nil
	}
	d.send(ctx, map[string]any{
		"action": "sendDirect", "connectionId": arguments[0], "operationType": arguments[1],
		"message": payload,
	})
	return nil
}

func (d *direct) id(ctx context.Context, _ []string) error { return d.askID(ctx) }

func (d *direct) help(context.Context, []string) error { return d.explain(d.commands()) }

// askID asks for the connection's id.
func (d *direct) askID(ctx context.Context) error {
	d.mu.Lock()
	d.asked++
	d.mu.Unlock()
	d.send(ctx, map[string]string{"action": "getConnectionId"})
	return nil
}

// send sends an action. What is typed while the line is down is not sent, and that is said: in this
// dialect nothing tells whether it has arrived before.
func (d *direct) send(ctx context.Context, action any) {
	d.mu.Lock()
	conn := d.conn
	d.mu.Unlock()
	frame, err := json.Marshal(action)
	if err == nil && conn == nil {
		err = fmt.Errorf("the line is down")
	}
	if err == nil {
		err = conn.Write(ctx, websocket.MessageText, frame)
	}
	if err != nil {
		d.Console.Notice("Not sent: %s", reason(err))
	}
}

// end waits until the server has dealt with all that was typed: it answers in order.
func (d *direct) end(ctx context.Context) error {
	defer d.close()
	if d.Console.Interactive() {
		return nil
	}
	d.mu.Lock()
	d.ended = true
	d.mu.Unlock()
	limit := time.NewTimer(farewell)
	defer limit.Stop()
	if err := d.askID(ctx); err != nil {
		return err
	}
	for {
		d.mu.Lock()
		left := d.asked + len(d.texts)
		d.mu.Unlock()
		if left == 0 {
			return nil
		}
		select {
		case <-d.told:
		case <-limit.C:
			return ErrUnreachable
		}
	}
}

// close ends the connection in good order.
func (d *direct) close() {
	d.mu.Lock()
	conn := d.conn
	d.ended = true
	d.mu.Unlock()
	if conn != nil {
		timer := time.AfterFunc(time.Second, func() { conn.CloseNow() })
		defer timer.Stop()
		_ = conn.Close(websocket.StatusNormalClosure, "") // it is over either way
	}
}

// keptSession gives the secret of the session at an origin.
func keptSession(origin string) (string, error) {
	file, err := login.Default()
	if err != nil {
		return "", err
	}
	sessions, err := file.Sessions()
	return sessions[origin].Session, err
}
