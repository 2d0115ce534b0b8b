package sqlitestore

import (
	"errors"
	"sync"
	"time"
)

// logPages is how many pages of 4 KiB are written to the write-ahead log until it is carried over into
// the database and begins anew. A file that is written over costs about half as much to sync as one
// that grows, so that a short log pays.
const logPages = 2_000

// A log that others are reading cannot be emptied: Delete waits for eraseTries times erasePause,
// and then it is tried again in the background.
const (
	eraseTries  = 50
	erasePause  = 100 * time.Millisecond
	eraseBusy   = "busy_timeout=20" // of the writer, which holds up the others meanwhile
	eraseLater  = time.Second
	eraseAdvice = "deleted text stays in the write-ahead log until its other reader, as a backup, has ended"
)

// checkpointer carries the write-ahead log over into the database without holding up the writer,
// and empties it after a delete.
type checkpointer struct {
	s    *Store
	conn *conn
	wake chan struct{} // holds one token while there is something to do

	mu     sync.Mutex
	begun  uint64        // rounds that have begun
	ended  uint64        // and ended
	next   chan struct{} // closed when the round under way ends
	erases bool          // the next round empties the log
}

func newCheckpointer(s *Store) (*checkpointer, error) {
	c, err := connect(uri(s.file, "mode=rw"), "wal_autocheckpoint=0", "synchronous=FULL", "fullfsync=ON",
		"checkpoint_fullfsync=ON", "secure_delete=ON", "busy_timeout=0")
	if err != nil {
		return nil, err
	}
	return &checkpointer{s: s, conn: c, wake: make(chan struct{}, 1), next: make(chan struct{})}, nil
}

// checkpoint runs one. Busy: it could not be finished.
func checkpoint(c *conn, mode string) (busy bool, err error) {
	r, err := c.one("PRAGMA wal_checkpoint(" + mode + ")")
	if err != nil || r == nil {
		return false, err
	}
	return r.int(0) != 0, nil
}

// request asks for a checkpoint in the background.
func (k *checkpointer) request() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// erase returns when the log has been emptied after the call, or cannot be for now. Those who call
// meanwhile share one round.
func (k *checkpointer) erase() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.erases = true
	round := k.begun + 1 // the one under way may have begun before our delete
	for k.ended < round {
		next := k.next
		k.mu.Unlock()
		k.request()
		select {
		case <-next:
			k.mu.Lock()
		case <-k.s.end:
			k.mu.Lock()
			return
		}
	}
}

// loop carries out what is asked for until the store is closed.
func (k *checkpointer) loop() {
	for {
		select {
		case <-k.s.end:
			return
		case <-k.wake:
		}
		erases := k.begin()
		if k.s.failed() == nil {
			if err := k.round(erases); err != nil {
				k.failed(err, erases)
			}
		}
		k.finish()
	}
}

func (k *checkpointer) begin() (erases bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.begun++
	erases, k.erases = k.erases, false
	return erases
}

func (k *checkpointer) finish() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended++
	close(k.next)
	k.next = make(chan struct{})
}

// round copies the log's pages while writing goes on; then the writer has to copy the few that were
// added meanwhile, so that the log begins anew, or is emptied.
func (k *checkpointer) round(erases bool) error {
	if _, err := checkpoint(k.conn, "PASSIVE"); err != nil {
		return err
	}
	if !erases {
		_, err := k.byWriter("PASSIVE")
		return err
	}
	for range eraseTries {
		busy, err := k.byWriter("TRUNCATE")
		if err != nil || !busy {
			return err
		}
		select {
		case <-time.After(erasePause):
		case <-k.s.end:
			return nil
		}
	}
	k.s.log.Warn(eraseAdvice)
	k.eraseLater()
	return nil
}

// eraseLater has the log emptied by a round that nobody waits for.
func (k *checkpointer) eraseLater() {
	k.mu.Lock()
	k.erases = true
	k.mu.Unlock()
	time.AfterFunc(eraseLater, k.request)
}

// byWriter has the writer run a checkpoint between two commits.
func (k *checkpointer) byWriter(mode string) (busy bool, err error) {
	o := op{done: make(chan struct{}), between: func(w *writer) {
		if err = w.conn.script("PRAGMA " + eraseBusy); err != nil {
			return
		}
		busy, err = checkpoint(w.conn, mode)
		err = errors.Join(err, w.conn.script("PRAGMA "+busyTimeout))
	}}
	if e := k.s.queue.put(&o); e != nil {
		return true, nil // closed, or too much is waiting
	}
	<-o.done
	return busy, err
}

// failed reports a checkpoint that failed. A full disk heals; other errors end writing.
func (k *checkpointer) failed(err error, erases bool) {
	switch classify(err) {
	case full, busy:
		k.s.log.Warn("the write-ahead log could not be carried over", "error", err)
		if erases {
			k.eraseLater()
		}
	case damaged:
		_ = k.s.fail(corrupt("checkpoint", k.s.file, err)) // it is logged there
	default:
		k.s.stop(err)
	}
}

// written counts the pages that a batch has added to the log, and has it carried over in time.
func (w *writer) written() {
	w.pages += w.conn.written()
	if w.pages-w.logged >= logPages {
		w.logged = w.pages
		w.s.checkpoints.request()
	}
}
