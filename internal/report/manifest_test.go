package report_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// source is a store of jobs in memory, by artifact.
type source map[string]queue.Job

func (s source) Jobs(_ context.Context, f queue.Filter) ([]queue.Job, error) {
	var jobs []queue.Job
	for _, j := range s {
		if j.FinishSeq > 0 && j.FinishSeq > f.AfterSeq {
			jobs = append(jobs, j)
		}
	}
	slices.SortFunc(jobs, func(a, b queue.Job) int { return cmp.Compare(a.FinishSeq, b.FinishSeq) })
	return jobs[:min(len(jobs), f.Limit)], nil
}

func (s source) Get(_ context.Context, id string) (paper.Record, error) {
	if s[id].State != queue.Done {
		return paper.Record{}, fmt.Errorf("%w: %s", paper.ErrNotFound, id)
	}
	return paper.Record{
		ArtifactID: id, Title: "A \u202etitle\u202c of " + id, IDs: paper.IDs{DOI: strings.TrimPrefix(id, "doi:")},
		Tried: []paper.Tried{{Hops: []paper.Hop{{URL: "https://a.example/1", Status: 302}, {URL: "https://a.example/2", Status: 200}}}},
	}, nil
}

// finish gives a job its next final outcome.
func (s source) finish(id string, state queue.State) {
	var last int64
	for _, j := range s {
		last = max(last, j.FinishSeq)
	}
	j := queuedJob()
	j.ArtifactID, j.State, j.Reason, j.FinishSeq = id, state, "stored", last+1
	s[id] = j
}

// catchUp opens the manifest, catches up and returns the file.
func catchUp(t *testing.T, path string, src source) []byte {
	t.Helper()
	m, err := report.OpenManifest(path, "1.0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.CatchUp(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// finished lists the artifacts and numbers in a manifest.
func finished(t *testing.T, text []byte) []string {
	t.Helper()
	var list []string
	for line := range bytes.Lines(text) {
		var l struct {
			ID    string `json:"artifact_id"`
			State queue.State
			Seq   int64
		}
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		list = append(list, fmt.Sprintf("%s %s %d", l.ID, l.State, l.Seq))
	}
	return list
}

func TestManifest_Appends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.jsonl")
	src := source{}
	if text := catchUp(t, path, src); len(text) != 0 {
		t.Errorf("nothing finished, but the manifest has %q", text)
	}
	src.finish("doi:10.5555/a", queue.Done)
	src["doi:10.5555/never"] = queuedJob()
	first := catchUp(t, path, src)
	src.finish("doi:10.5555/b", queue.Error)
	src.finish("doi:10.5555/c", queue.Skipped)
	second := catchUp(t, path, src)
	if !bytes.HasPrefix(second, first) {
		t.Errorf("what was there has changed:\n%s\n%s", first, second)
	}
	want := []string{"doi:10.5555/a done 1", "doi:10.5555/b error 2", "doi:10.5555/c skipped 3"}
	if got := finished(t, second); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if again := catchUp(t, path, src); !bytes.Equal(again, second) {
		t.Errorf("catching up twice wrote something: %s", again[len(second):])
	}
	for _, word := range []string{
		`"title":"A \u202etitle\u202c of doi:10.5555/a"`, `"ids":{"doi":"10.5555/a"}`, `"attempt_count":0`, `"quire_version":"1.0"`,
		`"hops":[{"url":"https://a.example/1","status":302},{"url":"https://a.example/2","status":200}]`,
	} {
		if !bytes.Contains(first, []byte(word)) {
			t.Errorf("%s is not in the line: %s", word, first)
		}
	}
}

// Wherever a crash breaks off the writing, the manifest ends up the same.
func TestManifest_AfterCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.jsonl")
	src := source{}
	for _, id := range []string{"doi:10.5555/a", "doi:10.5555/b", "doi:10.5555/c"} {
		src.finish(id, queue.Done)
	}
	whole := catchUp(t, path, src)
	for size := range whole {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if got := catchUp(t, path, src); !bytes.Equal(got, whole) {
			t.Fatalf("cut to %d of %d bytes and caught up:\n%s\nwant\n%s", size, len(whole), got, whole)
		}
	}
}

// A job that is asked for again keeps its first line and gets another one when
// it finishes anew.
func TestManifest_Requeued(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.jsonl")
	src := source{}
	src.finish("doi:10.5555/a", queue.Error)
	src.finish("doi:10.5555/b", queue.Done)
	catchUp(t, path, src)

	again := src["doi:10.5555/a"]
	again.State = queue.Queued
	src["doi:10.5555/a"] = again
	src.finish("doi:10.5555/c", queue.Error)
	unseen := src["doi:10.5555/c"]
	unseen.State = queue.Queued // asked for again before the manifest caught up
	src["doi:10.5555/c"] = unseen
	src.finish("doi:10.5555/d", queue.Done)
	catchUp(t, path, src)

	src.finish("doi:10.5555/a", queue.Done)
	src.finish("doi:10.5555/c", queue.Done)
	want := []string{
		"doi:10.5555/a error 1", "doi:10.5555/b done 2", "doi:10.5555/d done 4", "doi:10.5555/a done 5", "doi:10.5555/c done 6",
	}
	if got := finished(t, catchUp(t, path, src)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestManifest_ManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.jsonl")
	src := source{}
	for n := int64(1); n <= 1200; n++ {
		j := queuedJob()
		j.ArtifactID, j.State, j.FinishSeq = fmt.Sprintf("doi:10.5555/%d", n), queue.Done, n
		src[j.ArtifactID] = j
	}
	if got := len(finished(t, catchUp(t, path, src))); got != len(src) {
		t.Errorf("%d lines, want %d", got, len(src))
	}
}

// What is no manifest is refused and left alone.
func TestOpenManifest_Refuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "manifest.jsonl")
	const text = "these are notes\nof two lines\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := report.OpenManifest(path, "1.0", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names the file", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("the file is now %q (%v)", got, err)
	}
	if _, err := report.OpenManifest(dir, "1.0", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a directory was opened as a manifest")
	}
}

// A run that was frozen and taken over finds the manifest longer than it left
// it. It goes on at its new end: what it would write at the old one may no
// longer be the same, for jobs have finished anew since.
func TestManifest_TwoWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.jsonl")
	src := source{}
	src.finish("doi:10.5555/a", queue.Done)
	frozen, err := report.OpenManifest(path, "1.0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer frozen.Close()
	if err := frozen.CatchUp(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	src.finish("doi:10.5555/b", queue.Error)
	src.finish("doi:10.5555/c", queue.Done)
	catchUp(t, path, src)
	src.finish("doi:10.5555/b", queue.Done)
	catchUp(t, path, src)
	src.finish("doi:10.5555/d", queue.Done)
	if err := frozen.CatchUp(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"doi:10.5555/a done 1", "doi:10.5555/b error 2", "doi:10.5555/c done 3",
		"doi:10.5555/b done 4", "doi:10.5555/d done 5",
	}
	if got := finished(t, catchUp(t, path, src)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// locked is a source for concurrent use.
type locked struct {
	mu   sync.Mutex
	jobs source
}

func (l *locked) Jobs(ctx context.Context, f queue.Filter) ([]queue.Job, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.jobs.Jobs(ctx, f)
}

func (l *locked) Get(ctx context.Context, id string) (paper.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.jobs.Get(ctx, id)
}

func (l *locked) finish(id string, state queue.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs.finish(id, state)
}

// A run and somebody who prunes write at once. Each final outcome that was the
// last one of its job when a writer came by has its line, and no line is torn.
func TestManifest_WritersTakeTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.jsonl")
	src := &locked{jobs: source{}}
	var writers sync.WaitGroup
	for w := range 3 {
		writers.Go(func() {
			m, err := report.OpenManifest(path, "1.0", slog.New(slog.DiscardHandler))
			if err != nil {
				t.Error(err)
				return
			}
			defer m.Close()
			for i := range 20 {
				src.finish(fmt.Sprintf("doi:10.5555/%d", i%7), queue.Done)
				src.finish(fmt.Sprintf("doi:10.5555/w%d-%d", w, i), queue.Error)
				if err := m.CatchUp(t.Context(), src); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := finished(t, text)
	if unique := slices.Compact(slices.Sorted(slices.Values(lines))); len(unique) != len(lines) {
		t.Errorf("%d of %d lines are there twice", len(lines)-len(unique), len(lines))
	}
	for id, j := range src.jobs {
		if line := fmt.Sprintf("%s %s %d", id, j.State, j.FinishSeq); !slices.Contains(lines, line) {
			t.Errorf("no line %q", line)
		}
	}
}
