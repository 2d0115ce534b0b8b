package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/coder/websocket"
)

const (
	maxMessage  = 128 << 10 // bytes that API Gateway delivers in one message
	dialTimeout = 10 * time.Second
)

// listener stays connected and says what comes.
type listener struct {
	url       string
	heartbeat time.Duration
	say       func(line string)
	wait      func(ctx context.Context, n int) // before the nth attempt in a row
}

// run connects, again and again, until ctx ends.
func (l listener) run(ctx context.Context) {
	for failures := 0; ctx.Err() == nil; failures++ {
		heard, err := l.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		if heard {
			failures = 0
		}
		l.say("⚠️ Connection lost: " + printable(err.Error()))
		l.wait(ctx, failures)
	}
}

// connect listens on one connection until it ends, and tells whether it got any message.
func (l listener) connect(ctx context.Context) (heard bool, err error) {
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, _, err := websocket.Dial(dialing, l.url, nil)
	if err != nil {
		return false, err
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxMessage)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go l.ask(ctx, conn)
	for id := ""; ; heard = true {
		_, frame, err := conn.Read(ctx)
		if err != nil {
			return heard, err
		}
		var answer struct{ ConnectionID string }
		_ = json.Unmarshal(frame, &answer) // most frames are no answer, and need not be JSON
		if answer.ConnectionID == "" {
			l.say(line(frame))
		} else if answer.ConnectionID != id { // else it is a heartbeat's
			id = answer.ConnectionID
			l.say("🔑 Your connection id: " + printable(id))
		}
	}
}

// ask asks for the connection's id, at first and then as a heartbeat, which API Gateway counts as
// activity. Where that fails, reading ends too.
func (l listener) ask(ctx context.Context, conn *websocket.Conn) {
	ticker := time.NewTicker(l.heartbeat)
	defer ticker.Stop()
	for {
		if conn.Write(ctx, websocket.MessageText, []byte(`{"action":"getConnectionId"}`)) != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// line is a frame as people read it. Who a message is from is what the message says, if it does;
// nobody has verified it. What is no JSON object was said to everybody.
func line(frame []byte) string {
	var direct struct {
		OperationType string
		Message       json.RawMessage
		Error         string
	}
	_ = json.Unmarshal(frame, &direct) // what cannot be read stays empty
	switch {
	case direct.Error != "":
		return "❌ " + printable(direct.Error)
	case direct.OperationType == "":
		return message("everybody", string(frame))
	}
	var chat struct{ User, Message string }
	_ = json.Unmarshal(direct.Message, &chat)
	if chat.User == "" || chat.Message == "" {
		return message(direct.OperationType, string(direct.Message))
	}
	return message(chat.User, chat.Message)
}

// message is the line of one message.
func message(user, text string) string {
	return fmt.Sprintf("📨 Message from %s: %s", printable(user), printable(text))
}

// printable keeps a terminal from doing what a message tells it.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '�'
		}
		return r
	}, text)
}
