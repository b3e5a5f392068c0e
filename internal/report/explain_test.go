package report_test

import (
	"encoding/json"
	"slices"
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
     pdf from unpaywall: not tried: a file was found before

File  artifacts/sha256/ab/cd/abcd.pdf
      44586 bytes, application/pdf, verdict ok, licence unknown, version published
      pages 12, identity confirmed
      from https://press.example/a.pdf, through unpaywall
`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			if err := report.NewStory(tt.job, tt.rec, nil, nil).Write(&text); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, text.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// storySources are a few resolvers in force.
func storySources() []paper.Resolver {
	return append(planSources(), planSource{name: "landing", accepts: hasDOI, url: "https://doi.example/"})
}

// tried is a candidate with an end.
func tried(url string, kind paper.Kind, class paper.Class, note string, hops ...int) paper.Tried {
	t := paper.Tried{Candidate: paper.Candidate{URL: url, Kind: kind, Source: "unpaywall"}, Class: class, Note: note}
	for _, status := range hops {
		t.Hops = append(t.Hops, paper.Hop{URL: url, Status: status, Class: class})
	}
	return t
}

// unlucky is a work that nobody gave, after everything that can happen.
func unlucky() (queue.Job, paper.Record) {
	j := queuedJob()
	j.State, j.Reason, j.Class, j.Attempts, j.LastError = queue.Error, "forbidden", "forbidden", 1, "https://a.example/1.pdf: status 403"
	j.Payload = []byte(`{"artifact":{"id":"doi:10.5555/a","ids":{"doi":"10.5555/a"}}}`)
	rec := paper.Record{
		Title: "A Work", IDs: paper.IDs{DOI: "10.5555/a", PMCID: "PMC1", PMID: "2", ArXiv: "2101.00001"},
		Asked: []paper.Asked{
			{Resolver: "idconv", Note: "only identifiers: PMC1", IDs: paper.IDs{PMCID: "PMC1", PMID: "2"}},
			{Resolver: "pmc", Class: paper.Transient, Note: "status 500"},
			{Resolver: "unpaywall", Candidates: 9, Note: "oa_status gold"},
		},
		Tried: []paper.Tried{
			tried("https://a.example/1.pdf", paper.PDF, paper.Forbidden, "status 403", 403),
			tried("https://a.example/2.pdf", paper.PDF, paper.WrongType, "a page where a file was expected", 200),
			tried("https://a.example/3.pdf", paper.PDF, paper.Transient, "connection reset", 0),
			tried("https://a.example/4.pdf", paper.PDF, paper.Gone, "status 404", 404),
			tried("https://a.example/5.pdf", paper.PDF, paper.Gone, "status 410", 410),
			tried("https://a.example/6", paper.Landing, "", "a page; files it names: 1, new among them: 0", 200),
			tried("https://a.example/7.pdf", paper.PDF, paper.PolicySkipped, "licence unknown is not among accept.licenses"),
			tried("https://a.example/8.pdf", paper.PDF, paper.Gone, "met before, on the way from https://a.example/4.pdf"),
			tried("https://a.example/9.xml", paper.XML, "", ""),
			tried("https://a.example/10.pdf", paper.PDF, "", ""),
		},
	}
	return j, rec
}

func TestStory_golden(t *testing.T) {
	j, rec := unlucky()
	story := report.NewStory(j, rec, nil, storySources())
	var text strings.Builder
	if err := story.Write(&text); err != nil {
		t.Fatal(err)
	}
	golden(t, "story.txt", text.String())
	doc, err := json.MarshalIndent(story, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "story.json", string(doc)+"\n")
}

// Why a candidate or source was passed over depends on how the job stands.
func TestStory_passedOver(t *testing.T) {
	tests := map[string]struct {
		state             queue.State
		reason            string
		tried             paper.Tried
		outcome           report.Outcome
		candidate, source string
	}{
		"not yet": {
			queue.Queued, "", tried("https://a.example/", paper.PDF, "", ""), report.NotTried,
			"its turn has not come", "its turn has not come",
		},
		"redirected, and going on": {
			queue.Queued, "", tried("https://a.example/", paper.PDF, "", "", 302), report.UnderWay,
			"files are tried in the order of their sources, and unpaywall is number 4", "its turn has not come",
		},
		"cancelled": {
			queue.Skipped, "cancelled", tried("https://a.example/", paper.PDF, "", ""), report.NotTried,
			"the job was cancelled before", "the job was cancelled before",
		},
		"ended": {
			queue.Error, "crashed", tried("https://a.example/", paper.Landing, "", ""), report.NotTried,
			"the job ended before", "the job ended before",
		},
		"found": {
			queue.Done, "stored", tried("https://a.example/", paper.PDF, "", "", 200), report.GaveFile,
			"files are tried in the order of their sources, and unpaywall is number 4", "a file was found before",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			j := queuedJob()
			j.State, j.Reason = tt.state, tt.reason
			s := report.NewStory(j, paper.Record{Tried: []paper.Tried{tt.tried}}, nil, storySources())
			if c := s.Tried[0]; c.Outcome != tt.outcome || c.Why != tt.candidate {
				t.Errorf("candidate: %s, %q; want %s, %q", c.Outcome, c.Why, tt.outcome, tt.candidate)
			}
			got := map[string]string{}
			for _, n := range s.NotAsked {
				got[n.Resolver] = n.Why
			}
			if got["unpaywall"] != tt.source || got["arxiv"] != "needs an identifier that is not known" {
				t.Errorf("sources: %q, want %q", got, tt.source)
			}
		})
	}
}

// Asking again is dated by the harvest, or else from the end of the job by its class.
func TestStory_recheck(t *testing.T) {
	at := noon().AddDate(0, 0, 14)
	for class, days := range map[paper.Class][]int{
		paper.NoOALocation: {14}, paper.Transient: {1}, paper.Gone: {90},
		paper.NotFoundID: nil, paper.TooLarge: nil, paper.WrongWork: nil, paper.Paywall: nil,
	} {
		j := queuedJob()
		j.State, j.Class, j.UpdatedAt = queue.Skipped, string(class), noon()
		if class == paper.NoOALocation {
			j.Result = []byte(`{"recheck_at":"` + at.Format(time.RFC3339Nano) + `"}`)
		}
		var got []int
		if r := report.NewStory(j, paper.Record{}, nil, nil).Recheck; r != nil {
			for _, at := range r.At {
				got = append(got, int(time.Time(at).Sub(noon()).Hours())/24)
			}
		}
		if !slices.Equal(got, days) {
			t.Errorf("%s: after %v days, want %v", class, got, days)
		}
	}
}
