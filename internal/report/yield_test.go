package report_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// hostile is what a source might say to get out of every format.
const hostile = "</td><script>alert('x')</script> |`[a](javascript:b)` \x1b[31m\u202e\"&{{.}}"

// records are the DOIs of works asked for by another identifier.
type records map[string]string

func (r records) Put(context.Context, paper.Record) error { return nil }

func (r records) Records(context.Context, paper.RecordFilter) ([]paper.Record, error) {
	return nil, nil
}

func (r records) Get(_ context.Context, id string) (paper.Record, error) {
	if doi, ok := r[id]; ok {
		return paper.Record{IDs: paper.IDs{DOI: doi}}, nil
	}
	return paper.Record{}, fmt.Errorf("%w: %s", paper.ErrNotFound, id)
}

// got is a job whose file is there.
func got(t *testing.T, id string, f paper.File) queue.Job {
	t.Helper()
	result, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return queue.Job{ArtifactID: id, State: queue.Done, Reason: "stored", Result: result}
}

// library is a collection with a bit of everything.
func library(t *testing.T) report.Yield {
	t.Helper()
	sum := report.NewYieldTally(records{"pmcid:PMC1": "10.1371/a", "arxiv:2101.00001": ""})
	add := func(n int, j queue.Job) {
		for range n {
			if err := sum.Add(t.Context(), j); err != nil {
				t.Fatal(err)
			}
		}
	}
	file := paper.File{Resolver: "unpaywall", URL: "https://Press.example:443/a.pdf", Bytes: 1_430_000, License: "cc-by-4.0", Version: paper.Published}
	add(40, got(t, "doi:10.5555/a", file))
	file.Resolver, file.URL, file.License = "pmc", "https://pmc.example/a.pdf", ""
	add(20, got(t, "pmcid:PMC1", file))
	file.Resolver, file.URL, file.Version = "arxiv", "https://arxiv.example/pdf/1", paper.Submitted
	add(7, got(t, "arxiv:2101.00001", file))
	for i := range 22 {
		add(1, got(t, fmt.Sprintf("doi:10.%d/x", 7000+i), paper.File{
			Resolver: "crossref", URL: fmt.Sprintf("https://h%02d.example/x", i), Bytes: 1000, License: hostile, Version: paper.Accepted,
		}))
	}
	add(1, queue.Job{ArtifactID: "doi:10.5555/other", State: queue.Done, Result: []byte(`"not a file"`)})
	add(12, queue.Job{ArtifactID: "doi:10.1016/c", State: queue.Skipped, Class: string(paper.NoOALocation), Reason: "no_oa_location", Result: []byte(`{"recheck_at":"2026-12-28T10:00:00Z"}`)})
	add(3, queue.Job{ArtifactID: "doi:10.1016/d", State: queue.Error, Class: string(paper.Forbidden), Reason: "forbidden"})
	add(1, queue.Job{ArtifactID: "doi:10.1016/e", State: queue.Skipped, Reason: queue.ReasonCancelled})
	add(1, queue.Job{ArtifactID: "pmcid:PMC2", State: queue.Error, Class: hostile})
	add(37, queue.Job{ArtifactID: "doi:10.1016/f", State: queue.Queued, Key: "host:x.example"})
	add(1, queue.Job{ArtifactID: "doi:10.1016/g", State: queue.InProgress, Key: "host:" + hostile})
	return sum.Yield("thesis's", noon(), "1.0")
}

// golden compares text with a file, or with QUIRE_TEST_UPDATE writes it.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("QUIRE_TEST_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestYield_formats(t *testing.T) {
	y := library(t)
	for name, write := range map[string]func(io.Writer) error{
		"yield.txt": y.WriteText, "yield.md": y.WriteMarkdown, "yield.golden.html": y.WriteHTML,
		"yield.json": func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetIndent("", " ")
			return enc.Encode(y)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			if err := write(&text); err != nil {
				t.Fatal(err)
			}
			golden(t, name, text.String())
		})
	}
}

func TestYield_empty(t *testing.T) {
	y := report.NewYieldTally(nil).Yield("", noon(), "1.0")
	var text strings.Builder
	for _, write := range []func(io.Writer) error{y.WriteText, y.WriteMarkdown, y.WriteHTML} {
		if err := write(&text); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(text.String(), "There are no works yet."); got != 4 { // twice in HTML
		t.Errorf("%d formats say that there are no works:\n%s", got, text.String())
	}
	if y.YieldPercent != nil || y.Next == nil || y.Tables.Host.Rows == nil {
		t.Errorf("got %+v, want no yield and empty lists", y)
	}
}

// tables lists all tables of a yield by name.
func tables(y report.Yield) map[string]report.Table {
	t := y.Tables
	return map[string]report.Table{
		"state": t.State, "source": t.Source, "host": t.Host, "registrant": t.Registrant,
		"license": t.License, "version": t.Version, "missing": t.Missing, "waiting": t.Waiting,
	}
}

// Works add up over the tables, and percentages to exactly 100, over what people
// see as over all there is.
func TestYield_addsUp(t *testing.T) {
	y := library(t)
	for name, table := range tables(y) {
		sum, count := 0.0, 0
		for _, r := range table.Rows {
			sum += r.Percent * 10
			count += r.Count
			if exact := float64(r.Count) / float64(table.Count) * 100; r.Percent < exact-0.2 || r.Percent > exact+0.2 {
				t.Errorf("%s: %d of %d is %.1f %%", name, r.Count, table.Count, r.Percent)
			}
		}
		if int(sum+0.5) != 1000 || count != table.Count {
			t.Errorf("%s: the rows have %.1f %% and %d of %d works", name, sum/10, count, table.Count)
		}
	}
	if parts := y.Tables.Source.Count + y.Tables.Missing.Count + y.Tables.Waiting.Count; parts != y.Total || y.Tables.Registrant.Count != y.Total {
		t.Errorf("got, not got and waiting are %d of %d works; registrants have %d", parts, y.Total, y.Tables.Registrant.Count)
	}
	if want := int64(67*1_430_000 + 22*1000); y.Bytes != want {
		t.Errorf("%d bytes, want %d", y.Bytes, want)
	}
}

// However many names there are, so many are kept; the rest are counted together.
func TestYield_overflow(t *testing.T) {
	const names, over = 100_000, 250
	sum := report.NewYieldTally(nil)
	for i := range names + over {
		j := queue.Job{ArtifactID: "doi:10.5555/a", State: queue.Queued, Key: fmt.Sprintf("host:%d.%s", i, strings.Repeat("x", 300))}
		if err := sum.Add(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
	y := sum.Yield("", noon(), "1.0")
	table := y.Tables.Waiting
	if len(table.Rows) != names || table.Overflow == nil || table.Overflow.Count != over || table.Count != names+over {
		t.Fatalf("%d rows, overflow %+v, %d in all", len(table.Rows), table.Overflow, table.Count)
	}
	tenths := int(table.Overflow.Percent*10 + 0.5)
	for _, r := range table.Rows {
		tenths += int(r.Percent*10 + 0.5)
		if len(*r.Name) > 253 {
			t.Fatalf("a name has %d bytes", len(*r.Name))
		}
	}
	if tenths != 1000 {
		t.Errorf("percentages add up to %d tenths", tenths)
	}
	var text strings.Builder
	if err := y.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "\n  other ") || !strings.Contains(text.String(), "100245 wait for other keys") {
		t.Errorf("what is beyond the limit is not told:\n%.3000s", text.String())
	}
}

// The page runs nothing, loads nothing, and its policy forbids both; what came from
// outside makes no element and no attribute.
func TestYield_WriteHTML_selfContained(t *testing.T) {
	var text strings.Builder
	if err := library(t).WriteHTML(&text); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	var policy, style string
	for n := range doc.Descendants() {
		switch {
		case n.Type == html.ElementNode && n.Data == "style":
			style = n.FirstChild.Data
		case n.Type == html.ElementNode && strings.Contains(" script link img iframe object embed base form a image use ", " "+n.Data+" "):
			t.Errorf("has an element %s", n.Data)
		}
		for _, a := range n.Attr {
			if a.Key == "content" && strings.HasPrefix(a.Val, "default-src") {
				policy = a.Val
			}
			if strings.HasPrefix(a.Key, "on") || strings.Contains(" href src style srcset action ", " "+a.Key+" ") {
				t.Errorf("%s has an attribute %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
	sum := sha256.Sum256([]byte(style))
	if want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.HasPrefix(policy, want) {
		t.Errorf("policy %q, want it to begin with %q", policy, want)
	}
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
		t.Errorf("the style loads something")
	}
	for _, raw := range []string{"\x1b", "\u202e", "<script"} {
		if strings.Contains(text.String(), raw) {
			t.Errorf("has a raw %q", raw)
		}
	}
}

// Whatever the counts, percentages add up, and none is off by a tenth or more from
// what division gives, where people look.
func TestYield_percentages(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		sum := report.NewYieldTally(nil)
		for i := range 1 + random.IntN(60) {
			for range 1 + random.IntN(1+random.IntN(50)) {
				if err := sum.Add(t.Context(), queue.Job{ArtifactID: "doi:10.5555/a", State: queue.Queued, Key: fmt.Sprint(i)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		tenths, table := 0, sum.Yield("", noon(), "1.0").Tables.Waiting
		for i, r := range table.Rows {
			tenths += int(r.Percent*10 + 0.5)
			if off := r.Percent - 100*float64(r.Count)/float64(table.Count); i < 20 && (off >= 0.1 || off <= -0.1) {
				t.Fatalf("%d of %d is %v %%", r.Count, table.Count, r.Percent)
			}
		}
		if tenths != 1000 {
			t.Fatalf("%d rows add up to %d tenths", len(table.Rows), tenths)
		}
	}
}
