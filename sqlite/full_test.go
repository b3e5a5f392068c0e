package sqlite

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quire-dev/quire/queue"
)

// A full disk must give an error, lose nothing and not outlast itself. SQLite
// reports a file that may not grow as it does a full disk.
func TestStore_diskFull(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "quire.db"), Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	maxPages := func(n int) {
		t.Helper()
		_, err := s.w.conn.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", n))
		if err != nil {
			t.Fatal(err)
		}
	}
	enqueue := func(id string, payload int) error {
		doc := json.RawMessage(`"` + strings.Repeat("x", payload) + `"`)
		_, err := s.Enqueue(t.Context(), []queue.NewJob{{ArtifactID: id, Key: "k", Payload: doc}})
		return err
	}
	if err := enqueue("first", 0); err != nil {
		t.Fatal(err)
	}
	maxPages(1) // SQLite raises it to what there is
	if err := enqueue("large", 100_000); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("Enqueue on a full disk: got %v", err)
	}
	if err := enqueue("small", 0); err != nil {
		t.Errorf("Enqueue of what still fits: %v", err)
	}
	maxPages(1 << 30)
	if err := enqueue("large", 100_000); err != nil {
		t.Errorf("Enqueue after the disk had room again: %v", err)
	}
	if st, err := s.Stats(t.Context()); err != nil || st.Total() != 3 {
		t.Errorf("rows: got %d, %v; want 3", st.Total(), err)
	}
}
