package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/testweb"
)

// The services' own paces would make 100,000 works take half an hour.
const batchConfig = `limits:
  resolver:idconv: {in_flight: 1, per_second: 1000}
  resolver:openalex: {in_flight: 4, per_second: 1000}
  resolver:crossref: {in_flight: 2, per_second: 1000}
  resolver:semanticscholar: {in_flight: 1, per_second: 1000}
orchestrator: {max_per_resolver: {crossref: 2}}
resolvers: {order: [idconv, openalex, crossref, semanticscholar]}
`

// TestBatches resolves works of which no source knows an open copy, so that each
// source is asked for all of them, and counts the calls. QUIRE_TEST_WORKS is how
// many works; few make fuller batches rarer.
func TestBatches(t *testing.T) {
	works := 3000
	if text := os.Getenv("QUIRE_TEST_WORKS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("QUIRE_TEST_WORKS: %v", err)
		}
		works = n
	}
	world := testweb.World{Placeholders: true}
	var ids strings.Builder
	for n := range works {
		doi := fmt.Sprintf("10.5555/batch.%d", n)
		world.Works = append(world.Works, testweb.Work{DOI: doi, Title: "T"})
		fmt.Fprintln(&ids, doi)
	}
	web := startWeb(t)
	web.Serve(world)
	p := newPlace(t, web, batchConfig)
	file := filepath.Join(t.TempDir(), "ids.txt")
	if err := os.WriteFile(file, []byte(ids.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(t, []int{0}, "queue", "import", file)
	start := time.Now()
	p.run(t, []int{0}, "queue", "run", "--drain")
	took := time.Since(start)

	total := 0
	for host, account := range web.Accounts() {
		t.Logf("%-28s %5d calls, one for %.0f works", host, account.Requests, float64(works)/float64(account.Requests))
		total += account.Requests
		if 40*account.Requests > works {
			t.Errorf("%s: %d calls for %d works, want one for 40 works or more", host, account.Requests, works)
		}
	}
	t.Logf("%d works at 4 sources in %v: %d calls", works, took.Round(time.Second/10), total)
	for _, j := range lines[job](t, p.run(t, []int{0}, "queue", "list", "--json", "--limit", "1000000")) {
		if j.State != "skipped" || j.Reason == nil || *j.Reason != "no_oa_location" {
			t.Fatalf("%s ended as %s, want skipped: no_oa_location", j.ArtifactID, j.State)
		}
	}
}
