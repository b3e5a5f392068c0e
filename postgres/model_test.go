package postgres_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/quire-dev/quire/internal/storetest"
)

// histories is how many TestModel tries unless -rapid.checks says: each makes a
// database, which is slow.
const histories = "15"

func TestModel(t *testing.T) {
	t.Parallel()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set(histories); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Model(t, func(t *testing.T, check storetest.Check) {
		t.Run("history", func(t *testing.T) { check(t, database(t)) }) // for its cleaning up
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	for _, stores := range []int{1, 3} {
		t.Run(fmt.Sprint("stores=", stores), func(t *testing.T) { storetest.History(t, database(t), stores) })
	}
}
