package testenv_test

import (
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/testenv"
)

// TestRetention cuts a room under its clients: who was away is reset, a gap that was cut is told as
// such, and nothing else changes.
func TestRetention(t *testing.T) {
	for _, c := range testenv.Combinations {
		if c.Store == "dynamostore" {
			continue // it keeps everything: docs/adr/0026
		}
		t.Run(c.Host+"+"+c.Store, func(t *testing.T) {
			t.Parallel()
			testRetention(t, testenv.Start(t, c.Host, c.Store, once))
		})
	}
}

func testRetention(t *testing.T, e *testenv.Env) {
	alice := e.Dial(t, "alice")
	epoch := alice.Join("tea").Epoch
	preload(t, e, "tea", "alice", 10)
	history := func(id, ask string) testenv.Frame {
		return alice.Do(id, `{"action":"history","id":%q,"room":"tea",%s}`, id, ask)
	}
	if f := history("q0", `"after":0`); f.Fields["firstSeq"] != nil {
		t.Errorf("nothing is cut: got %s, want no firstSeq", f.Raw)
	}
	if _, err := e.Log.(chat.Retainer).Cut(t.Context(), "tea", 6); err != nil {
		t.Fatal(err)
	}
	for id, c := range map[string]struct {
		ask         string
		first, last uint64 // 0: none
		more        bool
	}{
		"q1": {`"after":0,"limit":2`, 7, 8, true},
		"q2": {`"after":3`, 7, 10, false}, // to fill a gap that is cut
		"q3": {`"after":6`, 7, 10, false},
		"q4": {`"after":8`, 9, 10, false},
		"q5": {`"limit":50`, 7, 10, false},
		"q6": {`"before":9,"limit":50`, 7, 8, false},
		"q7": {`"before":7`, 0, 0, false},
		"q8": {`"after":10`, 0, 0, false},
	} {
		f := history(id, c.ask)
		got := messages(f)
		if f.Fields["firstSeq"] != 7.0 || f.Seq != 10 || f.Epoch != epoch || f.More != c.more {
			t.Errorf("history %s: got %s", c.ask, f.Raw)
		}
		if c.first == 0 && len(got) > 0 || c.first > 0 && (len(got) != int(c.last-c.first+1) ||
			got[0] != c.first) {
			t.Errorf("history %s: got numbers %v, want %d to %d", c.ask, got, c.first, c.last)
		}
	}
	for _, cursor := range []struct {
		seq   uint64
		reset bool
		came  int
	}{{0, true, 0}, {5, true, 0}, {6, false, 4}, {9, false, 1}, {10, false, 0}} {
		c := e.Dial(t, "alice")
		missed, end := resume(t, c, "tea", epoch, cursor.seq)
		if len(missed) != cursor.came {
			t.Errorf("resume from %d: %d messages, want %d", cursor.seq, len(missed), cursor.came)
		}
		if !cursor.reset {
			end.Is(t, `{"event":"resumed","id":"h1","room":"tea","seq":10,"more":false}`)
			continue
		}
		if end.Event != "reset" || end.Fields["firstSeq"] != 7.0 || end.Epoch != epoch {
			t.Errorf("resume from %d: got %s, want a reset to 7 under the same epoch", cursor.seq, end.Raw)
		}
	}
	c := e.Dial(t, "alice")
	c.Send(`{"action":"hello","id":"h1"}`)
	for _, room := range c.Event("welcome").Fields["rooms"].([]any) {
		room := room.(map[string]any)
		if first := room["firstSeq"]; room["room"] == "tea" && first != 7.0 ||
			room["room"] == "lobby" && first != nil {
			t.Errorf("welcome has %v", room)
		}
	}
	alice.Send(`{"action":"sendMessage","id":"m","room":"tea","message":"next"}`)
	if f := alice.Answer("m"); f.Seq != 11 {
		t.Errorf("the next message: got %s, want number 11", f.Raw)
	}
}

// messages gives the numbers of a history's messages.
func messages(f testenv.Frame) (numbers []uint64) {
	list, _ := f.Fields["messages"].([]any)
	for _, m := range list {
		seq, _ := m.(map[string]any)["seq"].(float64)
		numbers = append(numbers, uint64(seq))
	}
	return numbers
}
