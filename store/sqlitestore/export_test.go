package sqlitestore

// PagesWritten counts the pages that commits have put into the write-ahead log.
func (s *Store) PagesWritten() (pages int) {
	o := op{done: make(chan struct{}), between: func(w *writer) { pages = w.pages }}
	if err := s.queue.put(&o); err != nil {
		return 0
	}
	<-o.done
	return pages
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
