package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gobwas/ws"
)

// check is a question to AWS. name is a number of docs/fidelity.md where there is one.
type check struct {
	name, question, expected string
	takes                    time.Duration
	observe                  observer
}

// observer gives what it sees.
type observer = func(context.Context, *prober) (string, error)

// checks are all questions, with the answers that package gateway gives.
func checks(p *prober) []check {
	const twice = `{"action":"capped","action":"echo"}`
	goingAway := `closed with 1001 "Going away"`
	quick := []struct {
		name, question, expected string
		observe                  observer
	}{
		{
			"GW-05", "status of the handshake when $connect gives 204", "101",
			status("give", "204"),
		},
		{
			"GW-09", "status of the handshake when $connect is too slow", "504",
			status("slow", "1"),
		},
		{"GW-30", "$disconnect after a close frame 4321", `4321 "why not"`, farewell(closeFrame)},
		{
			"GW-32", "$disconnect after TCP is cut", `1006 "Connection closed abnormally"`,
			farewell(cut),
		},
		{"GW-42", "route of an action $connect", "$default", answer(`{"action":"$connect"}`)},
		{
			"GW-50", "a message to a slow route", "Endpoint request timed out, then nothing",
			slow,
		},
		{
			"GW-57", "text that is no UTF-8", `closed with 1007 "Invalid UTF-8"`,
			fault(ws.OpText, "a\xff"),
		},
		{
			"GW-57", "a reserved opcode", "closed with 1002",
			prefix(fault(ws.OpCode(3), ""), "closed with 1002"),
		},
		{
			"GW-97", "a function at its concurrency limit", "Internal server error",
			answer(`{"action":"capped"}`),
		},
		{"throttle", "the frame for a throttled message", "Too Many Requests", throttled},
		{"empty", "an empty body with a route response", "no message", empty},
		{"twice", "the route of " + twice, "echo", answer(twice)},
	}
	var list []check
	for _, c := range quick {
		list = append(list, check{c.name, c.question, c.expected, 0, c.observe})
	}
	for _, message := range []string{`5`, `"echo"`, `true`, `null`, `["action"]`} {
		list = append(list, check{"scalar", "route of " + message, "$default", 0, answer(message)})
	}
	return append(list,
		check{"GW-60", "GET and the idle time-out", goingAway, p.idle, vigil{get: true}.observe},
		check{"GW-60", "POST and the idle time-out", "open", p.idle, vigil{post: true}.observe},
		check{"GW-61", "pings and the idle time-out", goingAway, p.idle, vigil{ping: true}.observe},
		check{"GW-62", "end of a busy connection", goingAway, p.duration, vigil{talk: true}.observe},
	)
}

// status opens a connection with a parameter for $connect, and gives the status of the answer.
func status(name, value string) observer {
	return func(ctx context.Context, p *prober) (string, error) {
		s, err := p.dial(ctx, url.Values{name: {value}})
		var refused refusedError
		if errors.As(err, &refused) {
			return fmt.Sprint(refused.status), nil
		}
		if err != nil {
			return "", err
		}
		return "101", s.conn.Close()
	}
}

// with runs f on a connection of its own.
func with(ctx context.Context, p *prober, f func(*socket) (string, error)) (string, error) {
	s, err := p.dial(ctx, url.Values{})
	if err != nil {
		return "", err
	}
	defer s.conn.Close()
	return f(s)
}

// answer sends a message, and gives the route that it has come to or the text of the error frame.
func answer(message string) observer {
	return func(ctx context.Context, p *prober) (string, error) {
		return with(ctx, p, func(s *socket) (string, error) {
			r, err := s.ask(p, message)
			return r.Route + r.Message, err
		})
	}
}

// empty asks for an empty body, and gives the message that comes.
func empty(ctx context.Context, p *prober) (string, error) {
	return with(ctx, p, func(s *socket) (string, error) {
		if err := s.send(ws.OpText, `{"action":"echo","empty":true}`); err != nil {
			return "", err
		}
		text, err := s.message(p.patience / 3)
		if errors.Is(err, errNothing) {
			return err.Error(), nil
		}
		return fmt.Sprintf("%q", text), err
	})
}

// slow asks the route slow, whose function answers after its integration's time-out.
func slow(ctx context.Context, p *prober) (string, error) {
	return with(ctx, p, func(s *socket) (string, error) {
		r, err := s.ask(p, `{"action":"slow"}`)
		if err != nil {
			return "", err
		}
		late, err := s.message(p.patience / 3)
		if errors.Is(err, errNothing) {
			return r.Message + ", then nothing", nil
		}
		return r.Message + ", then " + late, err
	})
}

// fault sends a frame that the server must not take, and gives its close frame.
func fault(op ws.OpCode, payload string) observer {
	return func(ctx context.Context, p *prober) (string, error) {
		return with(ctx, p, func(s *socket) (string, error) {
			if err := s.send(op, payload); err != nil {
				return "", err
			}
			_, err := s.message(p.patience)
			return ended(err)
		})
	}
}

// prefix cuts what is observed where it begins as expected: the rest does not matter.
func prefix(observe observer, want string) observer {
	return func(ctx context.Context, p *prober) (string, error) {
		text, err := observe(ctx, p)
		if strings.HasPrefix(text, want) {
			text = want
		}
		return text, err
	}
}

// ended gives a close frame as what was observed.
func ended(err error) (string, error) {
	var closed closedError
	if errors.As(err, &closed) {
		return closed.Error(), nil
	}
	return "", err
}

// throttled sends more than the route limited takes, and gives the text of the error frame.
func throttled(ctx context.Context, p *prober) (string, error) {
	return with(ctx, p, func(s *socket) (string, error) {
		const many = 50
		for range many {
			if err := s.send(ws.OpText, `{"action":"limited"}`); err != nil {
				return "", err
			}
		}
		for range many {
			r, err := s.next(p.patience)
			if err != nil || r.Message != "" {
				return r.Message, err
			}
		}
		return "nothing was throttled", nil
	})
}

// farewell ends a connection, and gives the code and reason that $disconnect has got: the function
// posts them to the connection that observes.
func farewell(end func(*socket) error) observer {
	return func(ctx context.Context, p *prober) (string, error) {
		return with(ctx, p, func(watching *socket) (string, error) {
			self, err := watching.ask(p, `{"action":"echo"}`)
			if err != nil {
				return "", err
			}
			s, err := p.dial(ctx, url.Values{"observer": {self.ID}})
			if err != nil {
				return "", err
			}
			defer s.conn.Close()
			if err := end(s); err != nil {
				return "", err
			}
			r, err := watching.next(2 * p.patience)
			return fmt.Sprintf("%d %q", r.Code, r.Reason), err
		})
	}
}

func closeFrame(s *socket) error {
	return s.send(ws.OpClose, string(ws.NewCloseFrameBody(4321, "why not")))
}

func cut(s *socket) error { return s.kill() }
