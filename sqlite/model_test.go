package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/storetest"
)

func TestModel(t *testing.T) {
	t.Parallel()
	storetest.Model(t, inBubble)
}

func TestHistory(t *testing.T) {
	storetest.History(t, storetest.Database{Open: opener(filepath.Join(t.TempDir(), "quire.db")), Advance: time.Sleep})
}
