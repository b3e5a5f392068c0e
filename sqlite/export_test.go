package sqlite

// Commits is how many transactions the writer has committed.
func (s *Store) Commits() int64 { return s.w.commits.Load() }

// Place is where an artifact stands in its index.
func Place(artifactID string) int64 { return place(artifactID) }
