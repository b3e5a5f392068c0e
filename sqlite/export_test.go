package sqlite

// Commits is how many transactions the writer has committed.
func (s *Store) Commits() int64 { return s.w.commits.Load() }
