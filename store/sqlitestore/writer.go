package sqlitestore

import (
	"errors"
	"runtime"
	"time"

	"github.com/confab-chat/confab/chat"
)

// writer is the one goroutine that writes: it commits what has queued as one transaction.
type writer struct {
	s         *Store
	conn      *conn
	tally     tally
	sent      *sentIDs
	carrier   carrier
	last      int64    // the position of the youngest message, also of the present batch
	committed int64    // the same as of the last commit
	staged    []place  // messages of the present batch
	touched   []*room  // by the present batch
	users     []string // whose members or read markers the present batch has written
	cached    int      // members in the rooms of the cache, about
	lastN     int64    // the highest number of a room
	pages     int      // that commits have written
	logged    int      // the same when the write-ahead log was last to begin anew
	scratch   content
}

// loop carries out operations until the queue is closed and empty.
func (w *writer) loop() {
	var batch []*op
	for range w.s.queue.wake {
		runtime.Gosched() // let those who are about to queue do so: one commit for all of them
		var finished bool
		if batch, finished = w.s.queue.take(batch[:0]); finished {
			return
		}
		writes, between := claim(batch)
		if len(writes) > 0 {
			w.commit(writes)
		}
		for _, o := range between {
			if o.err = w.s.failed(); o.err == nil {
				o.between(w)
			}
			close(o.done)
		}
		clear(batch)
	}
}

// claim leaves out what its caller has given up, and parts the writes from what is done between
// transactions. The writes are in the batch's own memory.
func claim(batch []*op) (writes, between []*op) {
	writes = batch[:0]
	for _, o := range batch {
		switch {
		case !o.took.CompareAndSwap(false, true):
		case o.between != nil:
			between = append(between, o)
		default:
			writes = append(writes, o)
		}
	}
	return writes, between
}

// commit carries out a batch and answers it.
func (w *writer) commit(batch []*op) {
	err := w.s.failed()
	if err == nil {
		w.forget()
		began := time.Now()
		err = w.conn.within("BEGIN IMMEDIATE", func() error { return w.apply(batch) })
		if err != nil {
			err = w.abort(err)
		} else {
			w.publish()
			w.written()
			if w.s.onCommit != nil {
				w.s.onCommit(len(batch), time.Since(began))
			}
		}
		w.untouch()
	}
	for _, o := range batch {
		if err != nil {
			o.err = err
		} else if o.err == nil && o.append != nil {
			o.append.committed()
		}
		close(o.done)
	}
}

// publish keeps what was committed and shows it to readers: where messages are before the heads that
// tell of them.
func (w *writer) publish() {
	w.committed = w.last
	w.s.places.add(w.staged)
	w.sent.commit()
	w.carried()
	w.s.people.forget(w.users)
	w.s.cache.publish(w.touched)
}

// apply runs the operations and then writes what they changed together.
func (w *writer) apply(batch []*op) error {
	if err := w.beginSent(batch); err != nil {
		return err
	}
	appends := 0
	for _, o := range batch {
		if o.err = o.execute(w); o.err != nil && ends(o.err) {
			return o.err
		}
		if o.append != nil {
			appends++
		}
	}
	if err := w.carry(appends); err != nil {
		return err
	}
	return w.tally.flush(w.conn)
}

// ends tells that an error is not the answer of one operation alone.
func ends(err error) bool {
	var e *chat.Error
	return !errors.As(err, &e) || e.Kind == chat.Corrupt
}

// abort gives the answer of all operations of a batch that was rolled back. What is known of the
// rooms may be ahead of the database now, so it is forgotten.
func (w *writer) abort(err error) error {
	clear(w.tally)
	clear(w.sent.staged)
	w.carrier.notCarried()
	w.last = w.committed
	w.s.cache.drop()
	w.cached = 0
	switch classify(err) {
	case damaged:
		return w.s.fail(corrupt("", w.s.file, err))
	case full:
		return &chat.Error{Kind: chat.Unavailable, Message: "the disk is full", RetryAfter: retryAfter, Err: err}
	case busy:
		return &chat.Error{
			Kind: chat.Unavailable, Message: "another program is writing to the chat data",
			RetryAfter: retryAfter, Err: err,
		}
	}
	w.s.stop(err)
	return &chat.Error{Kind: chat.Unknown, Message: "the disk failed", Err: err}
}

// forget empties the cache when it is too large; it happens between batches only.
func (w *writer) forget() {
	if w.cached >= maxCachedMembers || w.s.cache.full() {
		w.s.cache.drop()
		w.cached = 0
	}
}

// touch remembers that a room was changed.
func (w *writer) touch(r *room) {
	if !r.touched {
		r.touched = true
		w.touched = append(w.touched, r)
	}
}

// changed remembers that a row of a user in members or reads is about to be written.
func (w *writer) changed(user string) {
	w.users = append(w.users, user)
	w.s.people.add(keyRooms, user)
}

func (w *writer) untouch() {
	for _, r := range w.touched {
		r.touched = false
	}
	clear(w.touched)
	w.touched = w.touched[:0]
	clear(w.users)
	w.users = w.users[:0]
	w.staged = w.staged[:0]
}

// room gives a room to change, NotFound if there is none.
func (w *writer) room(name string) (*room, error) {
	r, _ := w.s.cache.get(name)
	if r != nil {
		return r, nil
	}
	r, err := w.s.readRoom(w.conn, name)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, chat.E(chat.NotFound, "no such room")
	}
	w.s.cache.put(r)
	return r, nil
}

// member gives a user's row in a room; its state is 0 if there is none.
func (w *writer) member(r *room, user string) (memberRow, error) {
	if m, ok := r.members[user]; ok {
		return m, nil
	}
	m := memberRow{room: r.head.Room, user: user}
	if !w.s.people.absent(keyRooms, user) {
		var err error
		if m, err = readMember(w.conn, r.head.Room, user); err != nil {
			return m, err
		}
	}
	r.members[user] = m
	w.cached++
	return m, nil
}

// now is the time in milliseconds since 1970.
func (w *writer) now() int64 { return w.s.now().UnixMilli() }

// since is the time a duration ago.
func (w *writer) since(d time.Duration) int64 { return w.s.now().Add(-d).UnixMilli() }
