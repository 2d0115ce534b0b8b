package client

import (
	"strings"
	"time"

	"github.com/confab-chat/confab/wire"
)

// maxHeld is how many messages of a room may be held for earlier ones; more are fetched later.
const maxHeld = 256

// room is a room's messages on their way to the caller: each number once, in order, without a gap.
type room struct {
	name, epoch string
	next        uint64 // the number that the caller gets next; 0: not known yet
	head        uint64 // the highest number that is known to be given
	held        map[uint64]wire.Message
	verify      bool      // a page of history has to tell whether the log is still the same
	due         time.Time // when to fetch what is missing, zero: nothing is
	fetch       string    // id of the page of history that is under way, "": none is
	fetcher     *link     // the link that it comes on
	resuming    *link     // the link that is sending what was missed
	busy        time.Time // until when one of both may take
	missing     int       // lists of one's rooms, one after the other, that lack it
	since       time.Time // when it became known
}

func newRoom(name, epoch string, next uint64, now time.Time) *room {
	return &room{name: name, epoch: epoch, next: next, held: map[uint64]wire.Message{}, since: now}
}

// direct tells the room of two users, which begins with its first message: there is no joining.
func direct(room string) bool { return strings.HasPrefix(room, "@") }

// shown is the number up to which the caller has got everything.
func (r *room) shown() uint64 { return max(r.next, 1) - 1 }

// behind tells whether something is missing.
func (r *room) behind() bool { return r.next != 0 && (r.next <= r.head || r.verify) }

// hold takes a message, unless it came before. What is not kept, or over the bound, is forgotten: the
// head tells that it has to be fetched.
func (r *room) hold(m wire.Message, keep bool) {
	if m.Seq < r.next {
		return
	}
	r.head = max(r.head, m.Seq)
	if keep && (len(r.held) < maxHeld || m.Seq == r.next) {
		r.held[m.Seq] = m
	}
}

// ready tells whether the next message is there.
func (r *room) ready() bool {
	_, ok := r.held[r.next]
	return ok
}

// release gives the next message, if it is there.
func (r *room) release() (wire.Message, bool) {
	m, ok := r.held[r.next]
	if ok {
		delete(r.held, r.next)
		r.next++
	}
	return m, ok
}

// begin sets where a room begins that was not known to begin anywhere.
func (r *room) begin(epoch string, next uint64) {
	r.epoch, r.next = epoch, next
	for seq := range r.held {
		if seq < next {
			delete(r.held, seq)
		}
	}
}

// restart begins another log of the room.
func (r *room) restart(epoch string, first uint64) {
	clear(r.held)
	r.epoch, r.next, r.head, r.verify = epoch, max(first, 1), 0, false
}

// lowest gives the lowest number that is held, 0 without any.
func (r *room) lowest() uint64 {
	var low uint64
	for seq := range r.held {
		if low == 0 || seq < low {
			low = seq
		}
	}
	return low
}
