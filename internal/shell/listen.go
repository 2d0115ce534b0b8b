package shell

import (
	"context"
	"strings"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/terminal"
)

// listen shows what happens until the line is down for good.
func (t *Chat) listen(ctx context.Context) error {
	w := watch{say: t.sayLine}
	for e, err := range t.client.Events(ctx) {
		if err != nil {
			return err
		}
		m, isMessage := e.(client.Message)
		switch {
		case t.JSON:
			if line := eventLine(e); line != nil {
				err = t.screen.putJSON(line)
			}
		case w.take(e):
		case isMessage:
			t.mu.Lock()
			to := t.own[m.ID]
			t.mu.Unlock()
			err = t.message(m, to)
		default:
			t.tell(e)
		}
		if err != nil {
			return err
		}
		if isMessage {
			t.forget(m.ID)
		}
	}
	return nil
}

// sayLine says something about the line: a sentence for a person, a line of a program else.
func (t *Chat) sayLine(format string, args ...any) {
	if t.Console.Interactive() {
		t.Console.Notice(strings.ToUpper(format[:1])+format[1:]+".", args...)
		return
	}
	t.Console.Notice("confab: "+format, args...)
}

// message prints what somebody has said: where, unless it is this room.
func (t *Chat) message(m client.Message, to string) error {
	if m.Deleted {
		return nil
	}
	where := ""
	switch {
	case to != "":
		where = " to [" + t.screen.Style.Name(to) + "]"
	case isDirectRoom(m.Room) && m.From != t.client.User():
		where = " to [you]"
	case m.Room != t.here():
		where = " in [" + terminal.CleanLine(m.Room) + "]"
	}
	return t.screen.put(t.screen.said(m.From, where, m.Text))
}

// isDirectRoom tells the room of two users: docs/protocol.md, "Names".
func isDirectRoom(room string) bool { return strings.HasPrefix(room, "@") }

// tell says what else happens that is of interest to people.
func (t *Chat) tell(e client.Event) {
	clean := terminal.CleanLine
	switch e := e.(type) {
	case client.Payload:
		t.payload(e)
	case client.Presence:
		t.presence(e)
	case client.Invited:
		if e.User == t.client.User() {
			t.Console.Notice("%s has invited you: /join %s", clean(e.By), clean(e.Room))
		}
	case client.Left:
		if e.Reason != "" {
			t.Console.Notice("You are no longer in %s: %s.", clean(e.Room), clean(e.Reason))
		}
	case client.Deleted:
		t.Console.Notice("%s has deleted message %d in %s.", clean(e.By), e.Seq, clean(e.Room))
	case client.Reset:
		t.Console.Notice("%s begins anew: %s.", clean(e.Room), clean(e.Reason))
	}
}

// payload prints what was sent straight to this connection.
func (t *Chat) payload(p client.Payload) {
	text := payloadText(p.OperationType, p.Message)
	_ = t.screen.put(t.screen.said(p.From, "", text)) // the next message fails too
}

// payloadText is a payload on one line.
func payloadText(operation string, message []byte) string {
	return terminal.CleanLine(operation + " " + string(message))
}

// presence says who has come to this room and who has gone.
func (t *Chat) presence(e client.Presence) {
	if e.Room != t.here() {
		return
	}
	for _, name := range e.Online {
		if name == t.client.User() {
			continue
		}
		t.Console.Notice("%s is here.", terminal.CleanLine(name))
	}
	for _, name := range e.Offline {
		t.Console.Notice("%s has gone.", terminal.CleanLine(name))
	}
}
