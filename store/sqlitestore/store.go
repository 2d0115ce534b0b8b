package sqlitestore

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// Options are what a store takes from its surroundings. The zero value is the system's.
type Options struct {
	Now      func() time.Time // nil: time.Now
	NewEpoch func() string    // random id of a room's log; nil: rand.Text
	// OnFatal is called once, on a goroutine of its own, when the disk has failed and the store
	// accepts no write any more. The process should end: what the disk holds is only known
	// after it is opened again. Nil: nothing is called.
	OnFatal func(error)
	Logger  *slog.Logger // nil: nothing is logged
	// OnCommit is told after each commit how many operations it had and how long it took, from the
	// first of them until it was durable. It must not block. Nil: nobody is.
	OnCommit func(operations int, took time.Duration)

	young int   // messages that are kept in memory; 0: maxYoung
	small int64 // rows of a table that Open checks; 0: smallTable
}

// Store is a chat.Log and an auth.Sessions in one SQLite file.
type Store struct {
	dir, file string
	now       func() time.Time
	newEpoch  func() string
	onFatal   func(error)
	onCommit  func(operations int, took time.Duration)
	log       *slog.Logger
	young     int   // as in Options
	small     int64 // as in Options

	lock        *os.File
	db          *conn // the writer's
	queue       *queue
	cache       *cache
	places      *young
	people      *people
	tickets     *tickets
	readers     readers
	checkpoints *checkpointer
	failure     atomic.Pointer[chat.Error] // why nothing is written any more
	diskFailed  atomic.Bool
	end         chan struct{}  // closed by Close
	ending      sync.WaitGroup // the store's goroutines
	closing     sync.Once
	closed      error
}

var (
	_ chat.Log      = (*Store)(nil)
	_ auth.Sessions = (*Store)(nil)
)

// Open opens the chat data in a folder, and makes both if they are absent: the folder for its owner
// alone (0700), the files too (0600). It refuses with Taken while another process has the data,
// with Corrupt if it is damaged, and with Unavailable if a newer program wrote it.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{
		dir: dir, file: filepath.Join(dir, databaseFile),
		now: o.Now, newEpoch: o.NewEpoch, onFatal: o.OnFatal, log: o.Logger,
		onCommit: o.OnCommit,
		young:    cmp.Or(o.young, maxYoung), small: cmp.Or(o.small, smallTable),
		queue: newQueue(), cache: newCache(), places: &young{rooms: map[string]*youngRoom{}},
		people: newPeople(), tickets: newTickets(), end: make(chan struct{}),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.newEpoch == nil {
		s.newEpoch = rand.Text
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	var err error
	if s.lock, err = lock(dir); err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(openError(s.file, err), s.lock.Close())
	}
	return s, nil
}

// openError says what is wrong with a database that does not open.
func openError(file string, err error) error {
	var e *chat.Error
	if errors.As(err, &e) {
		return err
	}
	switch classify(err) {
	case damaged:
		return corrupt("open", file, err)
	case full:
		return &chat.Error{Kind: chat.Unavailable, Op: "open", Message: "the disk is full", Err: err}
	}
	return err
}

// writerPragmas make each commit durable and each deletion thorough. Checkpoints are the store's
// own, see checkpointer. cache_size is in KiB.
var writerPragmas = []string{
	"synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON", "secure_delete=ON",
	"wal_autocheckpoint=0", "cache_size=-16384", "temp_store=MEMORY", "cell_size_check=ON",
	"trusted_schema=OFF", busyTimeout,
}

// busyTimeout is how long a connection waits for another program, as `sqlite3`, in milliseconds.
const busyTimeout = "busy_timeout=5000"

// start opens the database and starts the store's goroutines.
func (s *Store) start() error {
	if err := s.ensure(); err != nil {
		return err
	}
	s.sayCopies()
	db, err := connect(uri(s.file, "mode=rw"), writerPragmas...)
	if err != nil {
		return err
	}
	w := &writer{
		s: s, conn: db, tally: tally{}, sent: newSentIDs(s.now().UnixMilli()),
		scratch: make(content, 0, chat.MaxText+1024),
	}
	if err := w.prepare(); err != nil {
		return errors.Join(err, db.close())
	}
	if s.checkpoints, err = newCheckpointer(s); err != nil {
		return errors.Join(err, db.close())
	}
	s.db, s.readers = db, newReaders(s.file)
	keys, names := !w.sent.recent.ready, !s.people.ready
	s.ending.Go(w.loop)
	s.ending.Go(s.checkpoints.loop)
	s.ending.Go(func() { s.verifyLarge(keys, names) })
	return nil
}

// ensure makes the database if there is none. It is made under another name, so that a file of the
// right name was always complete: an empty one is damage.
func (s *Store) ensure() error {
	if !missing(s.file) {
		info, err := os.Stat(s.file)
		if err == nil && info.Size() == 0 {
			err = damagef("the file is empty")
		}
		return err
	}
	if !missing(s.file + "-wal") {
		return damagef("the file is missing, and its write-ahead log is there")
	}
	fresh := filepath.Join(s.dir, newFile)
	removeAll(fresh)
	if err := touch(fresh); err != nil {
		return err
	}
	c, err := connect(uri(fresh, "mode=rw"), "synchronous=FULL", "secure_delete=ON")
	if err != nil {
		return err
	}
	if err := errors.Join(create(c, s.newEpoch), c.close(), syncFile(fresh)); err != nil {
		return err
	}
	if err := os.Rename(fresh, s.file); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// prepare checks the database, and brings it to this version, before anything else is written to it.
func (w *writer) prepare() error {
	if err := w.s.upgrade(w.conn); err != nil {
		return err
	}
	if err := verifyTables(w.conn, never, func(rows int64) bool { return rows <= w.s.small }); err != nil {
		return err
	}
	last, err := w.conn.one("SELECT max(n) FROM heads")
	if err != nil {
		return err
	}
	w.lastN = last.int(0)
	if err := w.recall(); err != nil {
		return err
	}
	if err := errors.Join(w.loadSmall(), w.loadPeople()); err != nil {
		return err
	}
	mode, err := w.conn.one("PRAGMA journal_mode=WAL")
	if err != nil {
		return err
	}
	if mode.text(0) != "wal" {
		return chat.E(chat.Unavailable, "SQLite cannot keep a write-ahead log here (%s)", mode.text(0))
	}
	_, err = checkpoint(w.conn, "TRUNCATE") // what was deleted before a crash goes now
	if err != nil && classify(err) == full {
		w.s.log.Warn("the write-ahead log could not be emptied", "error", err)
		return nil
	}
	return err
}

// Close ends the store: writes that have queued are carried out, later ones are refused. Another
// call waits for the first and gives the same.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.queue.close()
		close(s.end)
		s.ending.Wait()
		errs := []error{s.readers.close(), s.checkpoints.conn.close()}
		if !s.diskFailed.Load() {
			errs = append(errs, s.db.close()) // as the last one: it carries the log over and removes it
		}
		s.closed = errors.Join(append(errs, s.lock.Close())...)
	})
	return s.closed
}

// write hands an operation to the writer and waits for its outcome.
func (s *Store) write(ctx context.Context, name string, o *op) error {
	err := s.failed()
	if err == nil {
		err = s.queue.do(ctx, o)
	}
	if err == nil {
		return nil
	}
	return named(name, err)
}

// named says which operation an error belongs to.
func named(op string, err error) error {
	var e *chat.Error
	if !errors.As(err, &e) {
		return err
	}
	of := *e // the operations of a batch share it
	of.Op = op
	return &of
}

// read runs f on a connection of the readers.
func (s *Store) read(ctx context.Context, op string, f func(*conn) error) error {
	err := s.readers.with(ctx, f)
	if err == nil {
		return nil
	}
	err = named(op, domainError(op, s.file, err))
	if chat.Is(err, chat.Corrupt) {
		_ = s.fail(err) // the caller gets the error of its own read
	}
	return err
}

// failed gives the reason why nothing is written any more, nil if there is none.
func (s *Store) failed() error {
	if e := s.failure.Load(); e != nil {
		return e
	}
	return nil
}

// fail ends writing because the file is damaged. It gives the reason.
func (s *Store) fail(err error) error {
	var e *chat.Error
	if errors.As(err, &e) && s.failure.CompareAndSwap(nil, e) {
		s.log.Error("the chat data is damaged; nothing is written any more", "error", err)
	}
	return err
}

// stop ends writing because the disk failed.
func (s *Store) stop(err error) {
	s.diskFailed.Store(true)
	e := &chat.Error{
		Kind: chat.Unavailable, Message: "the disk failed: nothing is stored until the server is started again",
		Err: err,
	}
	if !s.failure.CompareAndSwap(nil, e) {
		return
	}
	s.log.Error("the disk failed; nothing is written any more", "error", err)
	if s.onFatal != nil {
		go s.onFatal(err)
	}
}
