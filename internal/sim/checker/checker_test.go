package checker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/sim/checker"
)

func entry(seq uint64, from, id string) checker.Entry {
	return checker.Entry{Seq: seq, From: from, ID: id, Text: "text of " + id}
}

// story is a right history of two users in one room with a void and a tombstone, which a test
// spoils in one place.
type story struct {
	log, second     []checker.Entry // of two readers
	alice, bob      []checker.Entry // shown
	pushed          []checker.Entry // to bob
	ack1, ack2      uint64          // of alice's first message, its two attempts
	nacked, unknown string          // ids of bob's
	resume          uint64          // bob's, after two shown
	stranger        bool            // is pushed the last entry
	leftAt          uint64          // bob's last number; 0: he stays
	stopped         bool            // bob has died
	room            string          // that acks are of
}

func right() *story {
	log := []checker.Entry{
		entry(1, "alice", "a1"), entry(2, "bob", "b1"),
		{Seq: 3, Void: true},
		{Seq: 4, Deleted: true},
		entry(5, "alice", "a2"),
	}
	deleted := entry(4, "bob", "b2")
	shown := []checker.Entry{log[0], log[1], log[2], deleted, log[4]}
	clone := func(e []checker.Entry) []checker.Entry { return append([]checker.Entry(nil), e...) }
	return &story{
		log: log, second: clone(log), alice: clone(shown), bob: clone(shown),
		pushed: []checker.Entry{log[4], log[1], log[1]}, ack1: 1, ack2: 1, nacked: "b3", unknown: "b4",
		resume: 2, room: "tea",
	}
}

func (s *story) tell() *checker.History {
	h := checker.New()
	alice, bob, eve := h.Client("alice"), h.Client("bob"), h.Client("eve")
	alice.Follow("tea", 0)
	bob.Follow("tea", 0)
	send := func(c *checker.Client, id string) *checker.Send { return c.Send(s.room, id, "text of "+id) }
	send(alice, "a1").Ack(s.ack1)
	send(alice, "a1").Ack(s.ack2)
	lost := send(bob, "b1")
	send(bob, "b1").Ack(2)
	lost.Unknown()
	send(bob, "b2").Ack(4)
	send(alice, "a2").Nack()
	send(alice, "a2").Ack(5)
	send(bob, s.nacked).Nack()
	send(bob, s.unknown)
	for i, e := range s.bob {
		if i == 2 {
			bob.Resume("tea", s.resume)
		}
		bob.Show("tea", e)
	}
	for _, e := range s.alice {
		alice.Show("tea", e)
	}
	for _, e := range s.pushed {
		bob.Push("tea", e)
	}
	if s.stranger {
		eve.Push("tea", s.log[4])
	}
	if s.stopped {
		bob.Stop()
	}
	if s.leftAt != 0 {
		bob.Unfollow("tea", s.leftAt)
	}
	h.Log("tea", s.log)
	h.Log("tea", s.second)
	return h
}

func TestHistory_Check(t *testing.T) {
	r := right().tell().Check()
	if err := r.Err(); err != nil {
		t.Fatalf("a right history: %v", err)
	}
	if got, want := r.Line(7, 9), "faults=7 acked=4 lost=0 dup=0 reorder=0 seed=9"; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
	if r.Nacked != 1 || r.Unknown != 1 || r.Pushes != 3 || r.Resumes != 1 {
		t.Errorf("counts: %+v", r)
	}
}

// A client that has died misses nothing after its last, and must not have skipped anything before.
func TestClient_Stop(t *testing.T) {
	s := right()
	s.stopped, s.bob = true, s.bob[:3]
	if err := s.tell().Check().Err(); err != nil {
		t.Error(err)
	}
	s = right()
	s.stopped, s.bob = true, append(s.bob[:3:3], s.bob[4])
	if r := s.tell().Check(); r.Lost != 1 {
		t.Errorf("it skipped one: %+v", r)
	}
}

// Each wrong history differs from the right one in one place; want is the count that must rise.
func TestHistory_Check_planted(t *testing.T) {
	const lost, dup, reorder, wrong = "lost", "dup", "reorder", "wrong"
	for _, c := range []struct {
		name, want string
		spoil      func(*story)
	}{
		{"acked and not stored", lost, func(s *story) {
			s.log, s.second, s.alice, s.bob = s.log[:4], s.second[:4], s.alice[:4], s.bob[:4]
		}},
		{"acked in a room without log", lost, func(s *story) { s.room = "elsewhere" }},
		{"acked at another number", reorder, func(s *story) { s.ack1, s.ack2 = 2, 2 }},
		{"acked at two numbers", dup, func(s *story) { s.ack2 = 2 }},
		{"stored twice", dup, func(s *story) { s.add(entry(6, "alice", "a1")) }},
		{"unknown stored twice", dup, func(s *story) {
			s.unknown = "b9"
			s.add(entry(6, "bob", "b9"))
			s.add(entry(7, "bob", "b9"))
		}},
		{"refused and stored", wrong, func(s *story) { s.nacked = "b9"; s.add(entry(6, "bob", "b9")) }},
		{"stored and never sent", wrong, func(s *story) { s.add(entry(6, "eve", "e1")) }},
		{"stored with another sender", wrong, func(s *story) { s.log[0].From, s.second[0].From = "eve", "eve" }},
		{"stored with another text", wrong, func(s *story) { s.log[0].Text, s.second[0].Text = "x", "x" }},
		{"a number is missing", reorder, func(s *story) {
			s.log = append(s.log[:2:2], s.log[3:]...)
			s.second = s.log
		}},
		{"readers find other texts", wrong, func(s *story) { s.second[0].Text = "x" }},
		{"a reader misses the last", lost, func(s *story) { s.second = s.second[:4] }},
		{"void at one reader only", wrong, func(s *story) { s.second[1] = checker.Entry{Seq: 2, Void: true} }},
		{"one is not shown", lost, func(s *story) { s.bob = append(s.bob[:2:2], s.bob[3:]...) }},
		{"the last is not shown", lost, func(s *story) { s.bob = s.bob[:4] }},
		{"the void is not shown", lost, func(s *story) { s.alice = append(s.alice[:2:2], s.alice[3:]...) }},
		{"shown twice", dup, func(s *story) { s.bob = append(s.bob, s.bob[4]) }},
		{"shown in another order", reorder, func(s *story) { s.bob[3], s.bob[4] = s.bob[4], s.bob[3] }},
		{"shown with another text", wrong, func(s *story) { s.bob[0].Text = "x" }},
		{"shown beyond the log", wrong, func(s *story) { s.bob = append(s.bob, entry(6, "alice", "a3")) }},
		{"shown after leaving", wrong, func(s *story) { s.leftAt = 4 }},
		{"pushed with another text", wrong, func(s *story) { s.pushed[0].Text = "x" }},
		{"pushed with number 0", wrong, func(s *story) { s.pushed[0].Seq = 0 }},
		{"pushed to a stranger", wrong, func(s *story) { s.stranger = true }},
		{"resumed after one that was not shown", wrong, func(s *story) { s.resume = 3 }},
		{"resumed after one less", wrong, func(s *story) { s.resume = 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := right()
			c.spoil(s)
			r := s.tell().Check()
			counts := map[string]int{lost: r.Lost, dup: r.Dup, reorder: r.Reorder, wrong: r.Wrong}
			if counts[c.want] == 0 || r.Err() == nil {
				t.Errorf("not caught as %s: %+v", c.want, r)
			}
		})
	}
}

// add puts an entry at the end for everyone.
func (s *story) add(e checker.Entry) {
	s.log, s.second = append(s.log, e), append(s.second, e)
	s.alice, s.bob = append(s.alice, e), append(s.bob, e)
}

func TestReport_Err(t *testing.T) {
	h := checker.New()
	c := h.Client("alice")
	for i := range 100 {
		c.Send("tea", fmt.Sprint(i), "x").Ack(uint64(i + 1))
	}
	err := h.Check().Err()
	if err == nil || !strings.HasSuffix(err.Error(), "and 80 more") {
		t.Errorf("100 problems: %v", err)
	}
}

// linear is what a test of Linear works with: one room, and a log that is made by hand.
type linear struct {
	*checker.History
	a, b, r *checker.Client
}

func (l *linear) read(after uint64, more bool, entries ...checker.Entry) {
	l.r.Read("tea", after).Done(entries, more)
}

func (l *linear) send(c *checker.Client, id string) *checker.Send {
	return c.Send("tea", id, "text of "+id)
}

var (
	a1, b1, a2 = entry(1, "alice", "a1"), entry(2, "bob", "b1"), entry(3, "alice", "a2")
	void2      = checker.Entry{Seq: 2, Void: true}
)

func TestHistory_Linear(t *testing.T) {
	for _, c := range []struct {
		name string
		log  []checker.Entry
		tell func(*linear)
		ok   bool
	}{
		{"one after the other", []checker.Entry{a1, b1, a2}, func(l *linear) {
			l.read(0, false)
			l.send(l.a, "a1").Ack(1)
			l.read(0, false, a1)
			l.send(l.b, "b1").Ack(2)
			l.read(1, false, b1)
			l.send(l.a, "a2").Ack(3)
			l.read(0, true, a1, b1)
			l.read(0, false, a1, b1, a2)
		}, true},
		{"at once, answered in the other order", []checker.Entry{a1, b1}, func(l *linear) {
			first, second := l.send(l.a, "a1"), l.send(l.b, "b1")
			second.Ack(2)
			first.Ack(1)
		}, true},
		{"at once, one is read before its answer", []checker.Entry{a1}, func(l *linear) {
			s := l.send(l.a, "a1")
			l.read(0, false, a1)
			s.Ack(1)
		}, true},
		{"unknown takes effect late", []checker.Entry{a1, b1}, func(l *linear) {
			l.send(l.b, "b1").Unknown()
			l.read(0, false)
			l.send(l.a, "a1").Ack(1)
			l.read(0, false, a1)
			l.read(0, false, a1, b1)
		}, true},
		{"unknown never takes effect", []checker.Entry{a1}, func(l *linear) {
			l.send(l.b, "b1").Unknown()
			l.send(l.a, "a1").Ack(1)
			l.read(0, false, a1)
		}, true},
		{"a void between", []checker.Entry{a1, void2, a2}, func(l *linear) {
			l.send(l.a, "a1").Ack(1)
			l.read(0, true, a1)
			l.send(l.a, "a2").Ack(3)
			l.read(0, false, a1, void2, a2)
		}, true},
		{"a reading without answer", []checker.Entry{a1}, func(l *linear) {
			l.r.Read("tea", 0)
			l.send(l.a, "a1").Ack(1)
		}, true},
		{"acked and then not read", []checker.Entry{a1}, func(l *linear) {
			l.send(l.a, "a1").Ack(1)
			l.read(0, false)
		}, false},
		{"numbers against the order of time", []checker.Entry{a1, b1}, func(l *linear) {
			l.send(l.b, "b1").Ack(2)
			l.send(l.a, "a1").Ack(1)
		}, false},
		{"read, then read without", []checker.Entry{a1}, func(l *linear) {
			s := l.send(l.a, "a1")
			l.read(0, false, a1)
			l.read(0, false)
			s.Ack(1)
		}, false},
		{"read before it was sent", []checker.Entry{a1}, func(l *linear) {
			l.read(0, false, a1)
			l.send(l.a, "a1").Ack(1)
		}, false},
		{"a reading skips a hole", []checker.Entry{a1, b1, a2}, func(l *linear) {
			s := l.send(l.b, "b1")
			l.send(l.a, "a1").Ack(1)
			l.send(l.a, "a2").Ack(3)
			l.read(0, false, a1, a2)
			s.Ack(2)
		}, false},
		{"two acked at one number", []checker.Entry{a1}, func(l *linear) {
			l.send(l.a, "a1").Ack(1)
			l.send(l.b, "b1").Ack(1)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := checker.New()
			l := &linear{h, h.Client("alice"), h.Client("bob"), h.Client("reader")}
			c.tell(l)
			h.Log("tea", c.log)
			if err := h.Linear(time.Minute); (err == nil) != c.ok {
				t.Errorf("got %v, want ok %v", err, c.ok)
			}
		})
	}
}
