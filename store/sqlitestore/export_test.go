package sqlitestore

// Commits counts the transactions that were committed.
func (s *Store) Commits() uint64 {
	s.cache.mu.RLock()
	defer s.cache.mu.RUnlock()
	return s.cache.commits
}
