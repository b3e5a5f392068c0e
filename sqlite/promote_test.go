package sqlite_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// When more delayed jobs become ready at once than one look promotes, Backlog
// says that it must be asked again, and Stats counts them right all the same.
func TestBacklog_manyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quire.db")
	synctest.Test(t, func(t *testing.T) {
		const n = 12_000
		s := open(t, path)
		jobs := newJobs(0, n)
		for i := range jobs {
			jobs[i].Delay = time.Minute
		}
		if _, err := s.Enqueue(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if st, err := s.Stats(t.Context()); err != nil || st.Ready != n || st.Delayed != 0 {
			t.Errorf("Stats: %d ready, %d delayed, %v", st.Ready, st.Delayed, err)
		}
		keys, until, err := s.Backlog(t.Context())
		if err != nil || until != 0 || keys[0].Ready+keys[0].Delayed != n || keys[0].Ready == 0 {
			t.Errorf("Backlog: %+v, %v, %v", keys, until, err)
		}
		keys, until, err = s.Backlog(t.Context())
		if err != nil || until >= 0 || keys[0].Ready != n {
			t.Errorf("second Backlog: %+v, %v, %v", keys, until, err)
		}
	})
}
