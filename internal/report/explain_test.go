package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

func TestStory_Write(t *testing.T) {
	waiting, running := queuedJob(), queuedJob()
	waiting.AvailableAt = time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)
	waiting.Reason, waiting.LastError, waiting.Attempts = "throttled", "status 429", 1
	running.State, running.Key = queue.InProgress, "host:press.example"

	tests := map[string]struct {
		job  queue.Job
		rec  paper.Record
		want string
	}{
		"not begun": {queuedJob(), paper.Record{}, `doi:10.5555/a
  queued, attempts 0

Next  a step at resolver:pmc, when a run has room
`},
		"waits": {waiting, paper.Record{}, `doi:10.5555/a
  queued: throttled (status 429), attempts 1

Next  a step at resolver:pmc, not before 2999-01-01T00:00:00.000Z
`},
		"runs": {running, paper.Record{Title: "Red \x1b[31m\nherring"}, `doi:10.5555/a
  Red \x1b[31m\nherring
  in_progress, attempts 0

Next  a step is running at host:press.example
`},
		"done": {doneJob(t), paper.Record{
			Title: "A Work",
			Asked: []paper.Asked{
				{Resolver: "pmc"},
				{Resolver: "crossref", Class: paper.Throttled, Note: "status 429"},
				{Resolver: "unpaywall", Candidates: 3, Note: "oa_status gold"},
			},
			Tried: []paper.Tried{
				{
					Candidate: paper.Candidate{URL: "https://gone.example/a.pdf", Kind: paper.PDF, Source: "unpaywall"},
					Class:     paper.Gone, Note: "status 404",
					Hops: []paper.Hop{{URL: "https://gone.example/a.pdf", Status: 404}},
				},
				{
					Candidate: paper.Candidate{URL: "https://doi.org/a", Kind: paper.Landing, Source: "unpaywall"},
					Note:      "names a file",
					Hops:      []paper.Hop{{URL: "https://doi.org/a", Status: 302}, {URL: "https://press.example/a", Status: 200}},
				},
				{
					Candidate: paper.Candidate{
						URL: "https://press.example/a.pdf", Kind: paper.PDF, Source: "unpaywall",
						License: "cc-by-4.0", Version: paper.Published,
					},
					Hops: []paper.Hop{{URL: "https://press.example/a.pdf", Status: 200}},
				},
				{Candidate: paper.Candidate{URL: "https://repo.example/a.pdf", Kind: paper.PDF, Source: "unpaywall"}},
			},
		}, `doi:10.5555/a
  A Work
  done: stored, attempts 1

Sources asked
  pmc             nothing
  crossref        throttled: status 429
  unpaywall       3 candidates: oa_status gold

Candidates
  1. https://gone.example/a.pdf
     pdf from unpaywall: gone
     → 404
  2. https://doi.org/a
     landing from unpaywall: searched
     names a file
     → 302 https://doi.org/a
     → 200 https://press.example/a
  3. https://press.example/a.pdf
     pdf from unpaywall, licence cc-by-4.0, version published: gave the file
     → 200
  4. https://repo.example/a.pdf
     pdf from unpaywall: not tried

File  artifacts/sha256/ab/cd/abcd.pdf
      44586 bytes, application/pdf, verdict ok, licence unknown, version published
`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			if err := report.NewStory(tt.job, tt.rec, nil).Write(&text); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, text.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
