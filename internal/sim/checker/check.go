package checker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Report is what a check has found. Of a right history Lost, Dup, Reorder and Wrong are 0.
type Report struct {
	Acked, Nacked, Unknown int // messages, by their last word
	Pushes, Resumes        int

	Lost     int      // acked and not in the log, or in the log and not shown
	Dup      int      // stored or shown twice
	Reorder  int      // at another place than promised
	Wrong    int      // everything else: invented, changed, refused but stored, of another room
	Problems []string // the first of them in words
}

// maxProblems is how many problems a report has in words.
const maxProblems = 20

// Line gives the line that every fault test prints.
func (r *Report) Line(faults int, seed uint64) string {
	return fmt.Sprintf("faults=%d acked=%d lost=%d dup=%d reorder=%d seed=%d",
		faults, r.Acked, r.Lost, r.Dup, r.Reorder, seed)
}

// Err gives the problems as one error, nil without any.
func (r *Report) Err() error {
	errs := make([]error, len(r.Problems))
	for i, p := range r.Problems {
		errs[i] = errors.New(p)
	}
	if more := r.Lost + r.Dup + r.Reorder + r.Wrong - len(errs); more > 0 {
		errs = append(errs, fmt.Errorf("and %d more", more))
	}
	return errors.Join(errs...)
}

// problem counts a problem.
func (r *Report) problem(count *int, format string, args ...any) {
	*count++
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Check compares what the clients saw with the rooms' logs: every acked message is in its room's
// log once at its acked number; an unknown one at most once; a refused one never; numbers are
// dense; what a client shows is the log from where it follows; whoever reads, reads the same.
func (h *History) Check() *Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := &Report{}
	for _, room := range slices.Sorted(maps.Keys(h.logs)) {
		h.checkLogs(r, room)
	}
	messages := h.messages()
	h.checkMessages(r, messages)
	h.checkOrigin(r, messages)
	for _, c := range h.clients {
		for _, room := range slices.Sorted(maps.Keys(c.views)) {
			c.checkView(r, room)
		}
	}
	for _, read := range h.reads {
		h.checkRead(r, read)
	}
	return r
}

// log is the room's log as its first reader found it.
func (h *History) log(room string) []Entry {
	if logs := h.logs[room]; len(logs) > 0 {
		return logs[0]
	}
	return nil
}

// checkLogs checks that a room's numbers are dense and that its readers agree.
func (h *History) checkLogs(r *Report, room string) {
	for i, log := range h.logs[room] {
		for at, e := range log {
			if want := uint64(at + 1); e.Seq != want {
				r.problem(&r.Reorder, "%s: reader %d found number %d in place of %d",
					room, i+1, e.Seq, want)
				break
			}
		}
		first := h.log(room)
		if len(log) != len(first) {
			r.problem(&r.Lost, "%s: reader 1 found %d numbers, reader %d %d",
				room, len(first), i+1, len(log))
		}
		for at := range min(len(log), len(first)) {
			if !log[at].same(first[at]) {
				r.problem(&r.Wrong, "%s: reader 1 found %+v, reader %d %+v",
					room, first[at], i+1, log[at])
			}
		}
	}
}

// key is what tells a message from others.
type key struct{ room, from, id string }

// message is all attempts to send one message.
type message struct {
	Entry
	outcome     outcome
	call, ended int64 // from the first attempt that was not refused to the first ack; ended 0: none
	conflict    bool  // acked at two numbers
}

// messages joins the attempts. One ack makes a message acked, and only if all of its attempts were
// refused it is.
func (h *History) messages() map[key]*message {
	all := map[key]*message{}
	for _, s := range h.sends {
		k := key{s.room, s.entry.From, s.entry.ID}
		m := all[k]
		if m == nil {
			m = &message{Entry: s.entry, outcome: nacked}
			all[k] = m
		}
		if s.outcome != nacked && m.call == 0 {
			m.call = s.call
		}
		switch {
		case s.outcome == acked && m.outcome == acked:
			m.conflict = m.conflict || m.Seq != s.entry.Seq
			m.ended = min(m.ended, s.ended)
		case s.outcome == acked:
			m.outcome, m.Seq, m.ended = acked, s.entry.Seq, s.ended
		case s.outcome == open && m.outcome == nacked:
			m.outcome = open
		}
	}
	return all
}

// checkMessages checks each message's place in its room's log.
func (h *History) checkMessages(r *Report, messages map[key]*message) {
	places := map[key][]Entry{}
	for room := range h.logs {
		for _, e := range h.log(room) {
			if !e.Void && e.ID != "" {
				k := key{room, e.From, e.ID}
				places[k] = append(places[k], e)
			}
		}
	}
	for k, m := range messages {
		stored := places[k]
		if len(stored) > 1 {
			r.problem(&r.Dup, "%v is stored %d times", k, len(stored))
		}
		switch m.outcome {
		case acked:
			r.Acked++
			h.checkAcked(r, k, m, stored)
		case nacked:
			r.Nacked++
			if len(stored) > 0 {
				r.problem(&r.Wrong, "%v was refused and is stored at %d", k, stored[0].Seq)
			}
		default:
			r.Unknown++
		}
	}
}

func (h *History) checkAcked(r *Report, k key, m *message, stored []Entry) {
	if m.conflict {
		r.problem(&r.Dup, "%v was acked with two numbers", k)
	}
	if len(stored) == 0 {
		log := h.log(k.room)
		there := m.Seq > 0 && m.Seq <= uint64(len(log))
		if !there || !log[m.Seq-1].Deleted || log[m.Seq-1].ID != "" {
			r.problem(&r.Lost, "%v was acked at %d and is not stored", k, m.Seq)
		}
		return
	}
	if stored[0].Seq != m.Seq {
		r.problem(&r.Reorder, "%v was acked at %d and is stored at %d", k, m.Seq, stored[0].Seq)
	}
}

// checkOrigin checks that nothing is stored that nobody sent.
func (h *History) checkOrigin(r *Report, messages map[key]*message) {
	for _, room := range slices.Sorted(maps.Keys(h.logs)) {
		for _, e := range h.log(room) {
			if e.Void || e.Deleted && e.ID == "" {
				continue
			}
			m := messages[key{room, e.From, e.ID}]
			switch {
			case m == nil:
				r.problem(&r.Wrong, "%s: nobody sent %+v", room, e)
			case !e.Deleted && e.Text != m.Text:
				r.problem(&r.Wrong, "%s: %+v was sent as %q", room, e, m.Text)
			}
		}
	}
}

// checkView checks what a client was pushed and has shown of a room.
func (c *Client) checkView(r *Report, room string) {
	v, log := c.views[room], c.h.log(room)
	who := fmt.Sprintf("client %d (%s) in %s", c.number, c.user, room)
	last := uint64(len(log))
	if v.ended {
		last = min(last, v.until)
	}
	r.Pushes += len(v.pushed)
	r.Resumes += v.resumes
	v.checkPushed(r, who, log[:last])
	shown := make([]bool, last+1)
	next := v.after + 1
	for _, e := range v.shown {
		switch {
		case e.ID == resumeMark:
			if e.Seq+1 != next {
				r.problem(&r.Wrong, "%s resumed after %d when %d was due", who, e.Seq, next)
			}
			continue
		case e.Seq <= v.after || e.Seq > last || !e.same(log[e.Seq-1]):
			r.problem(&r.Wrong, "%s showed %+v, which is not its room's", who, e)
			continue
		case shown[e.Seq]:
			r.problem(&r.Dup, "%s showed number %d again", who, e.Seq)
		case e.Seq < next:
			r.problem(&r.Reorder, "%s showed number %d after %d", who, e.Seq, next-1)
		}
		shown[e.Seq] = true
		next = max(next, e.Seq+1)
	}
	for seq := v.after + 1; seq <= last; seq++ {
		if !shown[seq] && (!c.stopped || seq < next) {
			r.problem(&r.Lost, "%s never showed number %d", who, seq)
		}
	}
}

// checkPushed checks that nothing was pushed but what the client may see of the log.
func (v *view) checkPushed(r *Report, who string, log []Entry) {
	for _, e := range v.pushed {
		if e.Seq == 0 || e.Seq > uint64(len(log)) || !e.same(log[e.Seq-1]) {
			r.problem(&r.Wrong, "%s was pushed %+v, which is not its room's", who, e)
		}
	}
}

// checkRead checks that a reading is a part of the log.
func (h *History) checkRead(r *Report, read *Read) {
	log := h.log(read.room)
	for i, e := range read.entries {
		want := read.after + uint64(i) + 1
		switch {
		case e.Seq != want:
			r.problem(&r.Reorder, "%s: a reading after %d has %d in place of %d",
				read.room, read.after, e.Seq, want)
			return
		case want > uint64(len(log)):
			r.problem(&r.Lost, "%s: a reading found %+v, which is not in the log", read.room, e)
		case !e.same(log[want-1]):
			r.problem(&r.Wrong, "%s: a reading found %+v, the log has %+v",
				read.room, e, log[want-1])
		}
	}
}
