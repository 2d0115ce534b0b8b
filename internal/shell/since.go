package shell

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/confab-chat/confab/client"
)

// Since is a place in a room: after a number, or from a time on.
type Since struct {
	seq  uint64
	time time.Time
	kind string // "", "seq" or "time"
}

// forms are those of times, in the zone of this machine unless they say another.
var forms = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
}

// ParseSince reads a number of a message, as 41; how long ago, as 90s, 15m, 2h or 7d; or a time, as
// 2026-11-21 or "2026-11-21 14:30".
func ParseSince(text string, now time.Time) (Since, error) {
	if text == "" {
		return Since{}, nil
	}
	if seq, err := strconv.ParseUint(text, 10, 53); err == nil {
		return Since{seq: seq, kind: "seq"}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return Since{time: now.Add(-time.Duration(n) * 24 * time.Hour), kind: "time"}, nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return Since{time: now.Add(-ago), kind: "time"}, nil
	}
	for _, form := range forms {
		if at, err := time.ParseInLocation(form, text, now.Location()); err == nil {
			return Since{time: at, kind: "time"}, nil
		}
	}
	return Since{}, fmt.Errorf("--since %q: want a message's number, as 41, how long ago, as 15m "+
		"or 7d, or a time, as 2026-11-21 or \"2026-11-21 14:30\"", text)
}

func (s Since) set() bool { return s.kind != "" }

// tooEarly tells that a message was said before; clocks of servers can go back.
func (s Since) tooEarly(m client.Message) bool {
	return s.kind == "time" && !m.At.IsZero() && m.At.Before(s.time)
}

// start gives the number after which a room is to be read, by halving where it is a time.
func (s Since) start(ctx context.Context, c *client.Client, newest client.Page) (uint64, error) {
	if s.kind == "seq" {
		return s.seq, nil
	}
	var failed error
	at := sort.Search(int(newest.Seq), func(seq int) bool { //nolint:gosec // below 2^53
		late, err := s.reached(ctx, c, newest.Room, uint64(seq)) //nolint:gosec // not negative
		failed = firstOf(failed, err)
		return late || failed != nil
	})
	return uint64(at), failed //nolint:gosec // not negative
}

// reached tells whether the first message after a number that has a time was said at the time or
// later.
func (s Since) reached(
	ctx context.Context, c *client.Client, room string, seq uint64,
) (bool, error) {
	const few = 20 // tombstones have no time
	for {
		page, err := c.History(ctx, room, client.After(seq, few))
		if err != nil {
			return false, err
		}
		for _, m := range page.Messages {
			if !m.At.IsZero() {
				return !m.At.Before(s.time), nil
			}
		}
		if !page.More || page.Last <= seq {
			return true, nil
		}
		seq = page.Last
	}
}

func firstOf(first, second error) error {
	if first != nil {
		return first
	}
	return second
}
