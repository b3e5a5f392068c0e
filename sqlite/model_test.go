package sqlite_test

import (
	"fmt"
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
	for _, stores := range []int{1, 2} {
		t.Run(fmt.Sprint("stores ", stores), func(t *testing.T) {
			db := storetest.Database{Open: opener(filepath.Join(t.TempDir(), "quire.db")), Advance: time.Sleep}
			storetest.History(t, db, stores)
		})
	}
}
