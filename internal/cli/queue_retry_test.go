package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// TestEachDue has jobs end without a file: every other one is due to be looked for
// again, one has been waiting for longer than a page of the queue.
func TestEachDue(t *testing.T) {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "quire.db"), sqlite.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const n = 2*queue.MaxFilterIDs + 10
	jobs := make([]queue.NewJob, n)
	for i := range jobs {
		jobs[i] = queue.NewJob{ArtifactID: fmt.Sprintf("doi:10.5555/%05d", i), Key: "k"}
	}
	if _, err := s.Enqueue(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	leases, err := s.Lease(t.Context(), "test", []queue.Want{{Key: "k", N: n}}, time.Hour)
	if err != nil || len(leases) != n {
		t.Fatalf("leased %d, %v", len(leases), err)
	}
	settlements := make([]queue.Settlement, n)
	for i, l := range leases {
		at := time.Now().Add(time.Hour)
		if i%2 == 0 {
			at = at.Add(-2 * time.Hour)
		}
		result, err := json.Marshal(paper.Missed{Recheck: &at})
		if err != nil {
			t.Fatal(err)
		}
		settlements[i] = queue.Settlement{Lease: l, Verb: queue.Finish, State: queue.Skipped, Class: "no_oa_location", Result: result}
	}
	if _, err := s.Settle(t.Context(), settlements...); err != nil {
		t.Fatal(err)
	}

	f := queue.Filter{States: []queue.State{queue.Skipped, queue.Error}}
	var due []string
	count := func(ids []string) (int, error) {
		due = append(due, ids...)
		return len(ids), nil
	}
	if sum, _, err := eachDue(t.Context(), s, f, count); err != nil || sum != n/2 || len(due) != n/2 || !slices.IsSorted(due) {
		t.Errorf("%d due (%d told), %v; want %d", sum, len(due), err, n/2)
	}
	f.Limit = 7
	if sum, _, err := eachDue(t.Context(), s, f, func(ids []string) (int, error) { return s.Requeue(t.Context(), queue.Filter{ArtifactIDs: ids}) }); err != nil || sum != 7 {
		t.Errorf("requeued %d, %v; want the limit of 7", sum, err)
	}
	f.Limit, due = 0, nil
	if sum, _, err := eachDue(t.Context(), s, f, count); err != nil || sum != n/2-7 {
		t.Errorf("then %d are due, %v; want %d", sum, err, n/2-7)
	}
}
