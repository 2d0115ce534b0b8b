package sqlitestore

import (
	"slices"

	"github.com/confab-chat/confab/chat"
)

// PagesWritten counts the pages that commits have put into the write-ahead log.
func (s *Store) PagesWritten() (pages int) {
	s.ask(func(w *writer) { pages = w.pages })
	return pages
}

// KeysKnown tells whether the writer knows which ids are in the table of sent.
func (s *Store) KeysKnown() (known bool) {
	s.ask(func(w *writer) { known = w.sent.recent.ready })
	return known
}

// ask has the writer do something between two commits.
func (s *Store) ask(what func(*writer)) {
	o := op{done: make(chan struct{}), between: what}
	if err := s.queue.put(&o); err == nil {
		<-o.done
	}
}

// Places gives a row of the table of places as it should be: its bytes, and its CRC.
func Places(room int64, first uint64, positions ...int64) (pos []byte, crc int64) {
	p := placesRow{room: room, first: first, pos: encodePlaces(positions)}
	return p.pos, p.crc()
}

// Commits counts the transactions that were committed.
func (s *Store) Commits() uint64 {
	s.cache.mu.RLock()
	defer s.cache.mu.RUnlock()
	return s.cache.commits
}

// KeepYoung bounds how many ids the store keeps in memory before they go to the table.
func (o Options) KeepYoung(n int) Options {
	o.young = n
	return o
}

// CheckAtOpen bounds how many rows of a table Open checks before it returns.
func (o Options) CheckAtOpen(rows int64) Options {
	o.small = rows
	return o
}

// Pause holds up the committer until resume, so that writes queue.
func (s *Store) Pause() (resume func()) {
	held, release := make(chan struct{}), make(chan struct{})
	o := op{done: make(chan struct{}), between: func(*writer) { close(held); <-release }}
	if err := s.queue.put(&o); err != nil {
		return func() {}
	}
	<-held
	return func() { close(release) }
}

// Queued is the number of writes that wait.
func (s *Store) Queued() int {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return len(s.queue.ops)
}

// Tickets is the number of tickets that are kept.
func (s *Store) Tickets() int {
	s.tickets.mu.Lock()
	defer s.tickets.mu.Unlock()
	return len(s.tickets.rows)
}

// Verified names the tables whose rows Open compares with their sums, and their indexes.
func Verified() (names []string) {
	for _, t := range verifiedTables {
		names = append(names, t.name)
		for _, i := range t.indexes {
			names = append(names, i.name)
		}
	}
	return names
}

// BreakMigration has upgrades fail before one of the steps, or after all, until restore.
func BreakMigration(step int) (restore func()) {
	before := migrations
	fail := func(*conn) error { return chat.E(chat.Unavailable, "broken by a test") }
	migrations = slices.Insert(slices.Clone(before), step, fail)
	return func() { migrations = before }
}
