package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/export"
	"github.com/quire-dev/quire/internal/intake"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// source is a store that makes its jobs up as they are asked for: n of them.
type source struct {
	n      int
	job    func(id int64) queue.Job
	record func(artifactID string) (paper.Record, error)
}

func (s source) Jobs(_ context.Context, f queue.Filter) ([]queue.Job, error) {
	var jobs []queue.Job
	for id := f.After + 1; id <= int64(s.n) && len(jobs) < f.Limit; id++ {
		if j := s.job(id); slices.Contains(f.States, j.State) && (f.Run == "" || f.Run == j.Run) {
			j.ID = id
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}

func (s source) Get(_ context.Context, id string) (paper.Record, error) { return s.record(id) }

// stored is a job that is done, whose file is at a path.
func stored(artifactID string, f paper.File) queue.Job {
	result, _ := json.Marshal(f)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return queue.Job{ArtifactID: artifactID, State: queue.Done, Reason: "stored", Result: result, CreatedAt: at, UpdatedAt: at, FinishSeq: 1}
}

// works is a source of artifacts that are done, with titles.
func works(ids, titles []string) source {
	byID := map[string]paper.Record{}
	for i, id := range ids {
		a, err := paper.ParseID(id)
		if err != nil {
			panic(err)
		}
		byID[a.ID] = paper.Record{ArtifactID: a.ID, IDs: a.IDs, Title: titles[i]}
		ids[i] = a.ID
	}
	return source{
		n: len(ids),
		job: func(n int64) queue.Job {
			return stored(ids[n-1], paper.File{Path: "artifacts/sha256/ab/cd/abcd.pdf", Bytes: 5, MediaType: "application/pdf"})
		},
		record: func(id string) (paper.Record, error) { return byID[id], nil },
	}
}

func TestManifest(t *testing.T) {
	states := []queue.State{queue.Queued, queue.Done, queue.Skipped, queue.Error}
	src := source{
		n: 1200,
		job: func(id int64) queue.Job {
			return queue.Job{ArtifactID: fmt.Sprintf("pmid:%d", id), State: states[id%4], Run: fmt.Sprintf("run%d", id%3), Attempts: 2}
		},
		record: func(id string) (paper.Record, error) {
			if id == "pmid:2" {
				return paper.Record{}, fmt.Errorf("%w: %s", paper.ErrNotFound, id)
			}
			return paper.Record{Title: "Of " + id}, nil
		},
	}
	tests := map[string]struct {
		opt  export.Options
		want int
	}{
		"all that finished": {export.Options{}, 900},
		"by state":          {export.Options{States: []queue.State{queue.Skipped}}, 300},
		"by run":            {export.Options{Run: "run1"}, 300},
		"by both":           {export.Options{Run: "run1", States: []queue.State{queue.Error}}, 100},
		"none":              {export.Options{Run: "run9"}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.opt.Version = "1.0"
			var out bytes.Buffer
			n, err := export.Manifest(t.Context(), &out, src, tt.opt)
			if err != nil || n != tt.want || bytes.Count(out.Bytes(), []byte("\n")) != n {
				t.Fatalf("%d lines, %v, want %d:\n%.300s", n, err, tt.want, out.Bytes())
			}
			last := ""
			for text := range bytes.Lines(out.Bytes()) {
				var l struct {
					ID      string `json:"artifact_id"`
					Title   *string
					Version string `json:"quire_version"`
				}
				if err := json.Unmarshal(text, &l); err != nil || l.Version != "1.0" || (l.Title == nil) != (l.ID == "pmid:2") || l.ID == last {
					t.Fatalf("%s: %v", text, err)
				}
				last = l.ID
			}
		})
	}
}

// How far it is comes often, and in the end it is all of it.
func TestManifest_told(t *testing.T) {
	var told []int
	src := source{
		n:      1200,
		job:    func(id int64) queue.Job { return stored(fmt.Sprint("doi:10.5555/", id), paper.File{}) },
		record: func(string) (paper.Record, error) { return paper.Record{}, nil },
	}
	n, err := export.Manifest(t.Context(), io.Discard, src, export.Options{Told: func(n int) { told = append(told, n) }})
	if err != nil || n != src.n || len(told) < 3 || told[len(told)-1] != n || !slices.IsSorted(told) {
		t.Errorf("%d, %v, told %v", n, err, told)
	}
}

func TestManifest_fails(t *testing.T) {
	broken := errors.New("broken")
	src := works([]string{"pmid:1", "pmid:2"}, []string{"a", "b"})
	if n, err := export.Manifest(t.Context(), failing{broken}, src, export.Options{}); !errors.Is(err, broken) || n != 0 {
		t.Errorf("%d lines, %v, want %v", n, err, broken)
	}
	src.record = func(string) (paper.Record, error) { return paper.Record{}, broken }
	if n, err := export.CSV(t.Context(), io.Discard, src, export.Options{}); !errors.Is(err, broken) || n != 0 {
		t.Errorf("%d rows, %v, want %v", n, err, broken)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// However many artifacts there are, none is kept.
func TestManifest_memoryIsFlat(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const n = 100_000
	src := source{
		n:      n,
		job:    func(id int64) queue.Job { return stored(fmt.Sprintf("pmid:%d", id), paper.File{Path: "x"}) },
		record: func(string) (paper.Record, error) { return paper.Record{}, nil },
	}
	lines := 0
	_, err := export.Manifest(t.Context(), counting(func() {
		if lines++; lines == n-1 {
			runtime.GC()
			runtime.ReadMemStats(&after)
		}
	}), src, export.Options{})
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); err != nil || lines != n || grown > 8<<20 {
		t.Errorf("%d lines hold %d bytes, %v", lines, grown, err)
	}
}

type counting func()

func (c counting) Write(p []byte) (int, error) { c(); return len(p), nil }

func TestCSV(t *testing.T) {
	titles := []string{
		"plain", "=cmd()", "+1", "-1", "@x", "\tx", "\rx", "\x00x", `a "quoted", title`, "two\nlines", "bell \a and \x1b[31m", " =x", "",
	}
	want := []string{
		"plain", "'=cmd()", "'+1", "'-1", "'@x", `'\tx`, `'\rx`, `'\x00x`, `a "quoted", title`, `two\nlines`, `bell \a and \x1b[31m`, " =x", "",
	}
	ids := make([]string, len(titles))
	for i := range ids {
		ids[i] = fmt.Sprintf("10.1000/%d", i)
	}
	var out bytes.Buffer
	n, err := export.CSV(t.Context(), &out, works(ids, titles), export.Options{})
	if err != nil || n != len(titles) {
		t.Fatalf("%d rows, %v", n, err)
	}
	if lines := strings.Count(out.String(), "\r\n"); lines != n+1 || strings.Count(out.String(), "\n") != lines {
		t.Errorf("%d lines that end in CR LF, want %d", lines, n+1)
	}
	table, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head, rows := table[0], table[1:]
	for i, row := range rows {
		if title := row[slices.Index(head, "title")]; title != want[i] {
			t.Errorf("title %q is %q, want %q", titles[i], title, want[i])
		}
	}
	for column, want := range map[string]string{
		"artifact_id": "doi:10.1000/0", "state": "done", "doi": "10.1000/0", "bytes": "5", "class": "", "attempts": "0",
		"path": "artifacts/sha256/ab/cd/abcd.pdf", "created_at": "2026-01-02T03:04:05.000Z", "last_error": "",
	} {
		if got := rows[0][slices.Index(head, column)]; got != want {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
}

// What is exported as BibTeX can be imported again: the same works and titles.
func TestBibTeX(t *testing.T) {
	ids := []string{
		"10.1000/a_b", "10.1002/(SICI)1521-3951(199911)216:1<135::AID-X>3.0.CO;2-#", "10.1000/a%28b", "10.1000/a{b", "10.1000/A+b",
		"arXiv:hep-th/9901001", "arXiv:2101.00001", "PMC12", "123", "W9", "https://example.org/a?b={c}&d=%20", "https://example.org/A?b",
		"10.1000/" + strings.Repeat("x", 300), "10.1000/" + strings.Repeat("x", 301),
	}
	titles := []string{
		"Plain", "A {brace", `Back\slash & 100 % of $5 #1 a_b ~x^2`, "Ünïcode “quoted” – dash", "  two\n lines ", "}", "@misc{x,\n", "", "1", "2", "3", "4", "5", "6",
	}
	src := works(ids, titles)
	skipped := src
	skipped.n++
	skipped.job = func(id int64) queue.Job {
		if int(id) > len(ids) {
			return queue.Job{ArtifactID: "pmid:999", State: queue.Skipped}
		}
		return src.job(id)
	}
	var out bytes.Buffer
	n, err := export.BibTeX(t.Context(), &out, skipped, export.Options{}, "data", "lib")
	if err != nil || n != len(ids) {
		t.Fatalf("%d entries, %v, want %d", n, err, len(ids))
	}
	keys := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		if kind, key, ok := strings.Cut(line, "{"); ok && strings.HasPrefix(kind, "@") {
			key = strings.ToLower(strings.TrimSuffix(key, ",\n"))
			if keys[key] || len(key) > 120 || strings.ContainsAny(key, " ,{}()\"#%~\\'=") {
				t.Errorf("key %q is there twice or none", key)
			}
			keys[key] = true
		}
	}
	var got, gotTitles []string
	for row, err := range intake.Read(&out, intake.Options{Format: intake.BibTeX}) {
		if err != nil {
			t.Errorf("%v", err)
		}
		got, gotTitles = append(got, row.Artifact.ID), append(gotTitles, row.Title)
	}
	braces := slices.Index(ids, "url:https://example.org/a?b={c}&d=%20")
	ids[braces] = "url:https://example.org/a?b=%7Bc%7D&d=%20"
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("works (-exported +imported):\n%s", diff)
	}
	for i, title := range titles {
		titles[i] = strings.Join(strings.Fields(title), " ")
	}
	if diff := cmp.Diff(titles, gotTitles); diff != "" {
		t.Errorf("titles (-exported +imported):\n%s", diff)
	}
}

func TestBibTeX_entry(t *testing.T) {
	src := works([]string{"10.1000/a;b"}, []string{"On {X}"})
	tests := map[string]struct{ path, data, dir, file string }{
		"beside":           {"artifacts/ab.pdf", "data", ".", ":data/artifacts/ab.pdf:PDF"},
		"above":            {"artifacts/ab.xml", "data", "lib/sub", ":../../data/artifacts/ab.xml:XML"},
		"special":          {"artifacts/ab.pdf", "a:b;c", ".", `:a\:b\;c/artifacts/ab.pdf:PDF`},
		"absolute":         {"/store/ab.pdf", "data", "/lib", ":../store/ab.pdf:PDF"},
		"object":           {"s3://bucket/ab.pdf", "data", ".", `:s3\://bucket/ab.pdf:PDF`},
		"braces, left out": {"artifacts/ab.pdf", "a{b", ".", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			src.job = func(int64) queue.Job {
				return stored("doi:10.1000/a;b", paper.File{Path: tt.path, URL: "https://example.org/f.pdf"})
			}
			want := "@article{doi:10.1000/a+3bb,\n  title         = {{On \\textbraceleft{}X\\textbraceright{}}},\n" +
				"  doi           = {10.1000/a;b},\n  url           = {https://example.org/f.pdf},\n  file          = {" + tt.file + "}\n}\n\n"
			if tt.file == "" {
				want = strings.Replace(want, ",\n  file          = {}", "", 1)
			}
			var out bytes.Buffer
			if _, err := export.BibTeX(t.Context(), &out, src, export.Options{}, tt.data, tt.dir); err != nil || out.String() != want {
				t.Errorf("%v, entry (-want +got):\n%s", err, cmp.Diff(want, out.String()))
			}
		})
	}
}
