package report_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/queue"
)

// endAt gives a job a final outcome with a number and a time of its own.
func (s source) endAt(id string, state queue.State, seq int64, minute int) {
	j := queuedJob()
	j.ArtifactID, j.State, j.Reason, j.FinishSeq = id, state, "stored", seq
	j.UpdatedAt = noon().Add(time.Duration(minute) * time.Minute)
	s[id] = j
}

// restored is a store that was put back as it was after its second outcome, beside a
// manifest of four.
func restored(t *testing.T) (path string, src source, before []byte) {
	t.Helper()
	path, src = filepath.Join(t.TempDir(), "manifest.jsonl"), source{}
	src.endAt("doi:a", queue.Done, 1, 1)
	src.endAt("doi:b", queue.Error, 2, 2)
	backup := maps.Clone(src)
	src.endAt("doi:c", queue.Done, 3, 3)
	src.endAt("doi:d", queue.Done, 4, 4)
	return path, backup, catchUp(t, path, src)
}

// A store was restored from a backup and the manifest was not. What finishes from then
// on has its line at once, though its number is below that of the last line.
func TestManifest_RestoredStore(t *testing.T) {
	path, src, before := restored(t)
	if again := catchUp(t, path, src); !bytes.Equal(again, before) {
		t.Fatalf("nothing has finished, and the manifest is now\n%s", again)
	}
	src.endAt("doi:d", queue.Done, 3, 13)
	src.endAt("doi:c", queue.Error, 4, 14)
	src.endAt("doi:e", queue.Done, 5, 15)
	if got := faults(t, path, src, src["doi:d"].UpdatedAt); got != nil {
		t.Errorf("what finished a moment ago may not have its line yet, but verify finds %q", got)
	}
	if got := faults(t, path, src, time.Time{}); len(got) != 3 {
		t.Errorf("before the manifest caught up verify finds %q, want 3 outcomes", got)
	}
	after := catchUp(t, path, src)
	if !bytes.HasPrefix(after, before) {
		t.Errorf("what was there has changed:\n%s", after)
	}
	want := []string{"doi:d done 3", "doi:c error 4", "doi:e done 5"}
	if diff := cmp.Diff(want, finished(t, after[len(before):])); diff != "" {
		t.Errorf("lines after the restore (-want +got):\n%s", diff)
	}
	if n := bytes.Count(after, []byte(`"seq":3,"resumed":true}`)); n != 1 || bytes.Count(after, []byte("resumed")) != 1 {
		t.Errorf("%d lines say that they go on after others, want 1:\n%s", n, after)
	}
	if again := catchUp(t, path, src); !bytes.Equal(again, after) {
		t.Errorf("catching up twice wrote something: %s", again[len(after):])
	}
	if got := faults(t, path, src, time.Time{}); got != nil {
		t.Errorf("verify finds %q", got)
	}
}

// One warning tells of it, when it is done and not before, and none tells of a store
// that is what it was.
func TestManifest_RestoredStore_warns(t *testing.T) {
	path, src, _ := restored(t)
	var told bytes.Buffer
	m, err := report.OpenManifest(path, "1.0", slog.New(slog.NewTextHandler(&told, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for minute, id := range []string{"", "doi:d", "doi:c", "doi:e"} {
		if id != "" {
			src.endAt(id, queue.Done, int64(minute)+2, minute+20)
		}
		if err := m.CatchUp(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(told.String(), "\n"); n != min(minute, 1) {
			t.Errorf("%d warnings after %d outcomes, want %d:\n%s", n, minute, min(minute, 1), &told)
		}
	}
	for _, word := range []string{"level=WARN", path, "last_seq=4", "agreed_seq=2", "resumed_seq=3"} {
		if !strings.Contains(told.String(), word) {
			t.Errorf("%s is not in %s", word, &told)
		}
	}
}

// Wherever a crash breaks off what is written after a restore, the next run heals it.
func TestManifest_RestoredStore_crash(t *testing.T) {
	path, src, before := restored(t)
	src.endAt("doi:d", queue.Done, 3, 13)
	src.endAt("doi:c", queue.Error, 4, 14)
	whole := catchUp(t, path, src)
	for size := len(before); size < len(whole); size++ {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if got := catchUp(t, path, src); !bytes.Equal(got, whole) {
			t.Fatalf("cut to %d of %d bytes and caught up:\n%s\nwant\n%s", size, len(whole), got, whole)
		}
	}
}

func TestManifest_OtherStore(t *testing.T) {
	tests := map[string]struct {
		change func(src source) // of a store with a, b, c as 1, 2, 3
		want   []string         // lines that are added
		mark   bool             // on the first of them
	}{
		"a new one": {func(src source) {
			clear(src)
			src.endAt("doi:b", queue.Done, 1, 11)
		}, []string{"doi:b done 1"}, true},
		"the same artifacts in the same order": {func(src source) {
			for n, id := range []string{"doi:a", "doi:b", "doi:c"} {
				src.endAt(id, queue.Done, int64(n)+1, n+11)
			}
		}, []string{"doi:a done 1", "doi:b done 2", "doi:c done 3"}, true},
		"an older one that has come further than the manifest": {func(src source) {
			for n, id := range []string{"doi:c", "doi:d", "doi:e"} {
				src.endAt(id, queue.Done, int64(n)+2, n+12)
			}
			delete(src, "doi:b")
		}, []string{"doi:c done 2", "doi:d done 3", "doi:e done 4"}, true},
		"the last one is asked for again": {func(src source) { src.again("doi:c") }, nil, false},
		"all are asked for again": {func(src source) {
			for id := range src {
				src.again(id)
			}
			src.endAt("doi:b", queue.Done, 4, 14)
		}, []string{"doi:b done 4"}, false},
		"all are pruned": {func(src source) { clear(src) }, nil, false},
		"all are pruned, and it goes on": {func(src source) {
			clear(src)
			src.endAt("doi:a", queue.Done, 4, 14)
		}, []string{"doi:a done 4"}, false},
		"an older one whose next outcome is asked for again": {func(src source) {
			src.endAt("doi:c", queue.Error, 2, 12)
			src.again("doi:c")
			src.endAt("doi:b", queue.Done, 3, 13)
		}, []string{"doi:b done 3"}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path, src := filepath.Join(t.TempDir(), "manifest.jsonl"), source{}
			for n, id := range []string{"doi:a", "doi:b", "doi:c"} {
				src.endAt(id, queue.Done, int64(n)+1, n+1)
			}
			before := catchUp(t, path, src)
			tt.change(src)
			text, grown := bytes.CutPrefix(catchUp(t, path, src), before)
			if diff := cmp.Diff(tt.want, finished(t, text)); diff != "" || !grown {
				t.Errorf("added lines (-want +got):\n%s", diff)
			}
			first, _, _ := bytes.Cut(text, []byte("\n"))
			if got := bytes.HasSuffix(first, []byte(`,"resumed":true}`)); got != tt.mark || bytes.Count(text, []byte("resumed")) > 1 {
				t.Errorf("want the mark %t in\n%s", tt.mark, text)
			}
			if got := faults(t, path, src, time.Time{}); got != nil {
				t.Errorf("verify finds %q", got)
			}
		})
	}
}

// again queues a finished job again.
func (s source) again(id string) {
	j := s[id]
	j.State, j.UpdatedAt = queue.Queued, j.UpdatedAt.Add(time.Hour)
	s[id] = j
}

// lineage is a store with its manifest in a random history of both.
type lineage struct {
	t       *rapid.T
	path    string
	src     source
	last    int64 // number that the store gave out last
	minute  int
	backups []lineage
}

func (l *lineage) finish() {
	id := fmt.Sprintf("doi:%d", rapid.IntRange(1, 120).Draw(l.t, "artifact"))
	if l.src[id].State.Terminal() {
		return
	}
	l.last++
	l.minute++
	state := rapid.SampledFrom([]queue.State{queue.Done, queue.Error}).Draw(l.t, "state")
	l.src.endAt(id, state, l.last, l.minute)
}

// some draws a job.
func (l *lineage) some() string {
	if len(l.src) == 0 {
		return "doi:none"
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(l.src))).Draw(l.t, "job")
}

func (l *lineage) read() []byte {
	text, err := os.ReadFile(l.path)
	if err != nil && !os.IsNotExist(err) {
		l.t.Fatal(err)
	}
	return text
}

// catchUp catches up and holds the manifest to its promises.
func (l *lineage) catchUp() (before, after []byte) {
	before = l.read()
	m, err := report.OpenManifest(l.path, "1.0", slog.New(slog.DiscardHandler))
	if err != nil {
		l.t.Fatal(err)
	}
	defer m.Close()
	if err := m.CatchUp(l.t.Context(), l.src); err != nil {
		l.t.Fatal(err)
	}
	after = l.read()
	whole := before[:bytes.LastIndexByte(before, '\n')+1]
	if !bytes.HasPrefix(after, whole) {
		l.t.Fatalf("what was there has changed from\n%s\nto\n%s", before, after)
	}
	err = report.CheckManifest(l.t.Context(), l.path, l.src, time.Time{}, func(f report.ManifestFault) error {
		l.t.Errorf("%s %s", f.ArtifactID, f.Note)
		return nil
	})
	if err != nil || l.t.Failed() {
		l.t.Fatalf("%v in\n%s", err, after)
	}
	return before, after
}

// Whatever is finished, asked for again, pruned, backed up, restored and broken off, and
// in whichever order: the manifest has a line for each outcome that is still its job's,
// only grows, has no line twice unless a newer store came back after an older one, and
// is the same when it is written anew.
func TestManifest_Histories(t *testing.T) {
	dir, run := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		l := &lineage{t: t, path: filepath.Join(dir, fmt.Sprint(run)), src: source{}}
		// Not these together, where verify finds what has no line, or none that stands: an
		// outcome that is in a backup and was asked for again before it had its line; one
		// that was asked for again or pruned in a store which came back after another, and
		// was not in one that came after that.
		forth := rapid.Bool().Draw(t, "newer stores come back")
		behind := rapid.SampledFrom([]string{"ask", "back up"}).Draw(t, "what happens while the manifest is behind")
		even := func(what string) {
			if what != behind {
				l.catchUp()
			}
		}
		for n := range rapid.SampledFrom([]int{0, 3, 3, 3, 3, 150}).Draw(t, "at first") { // 150 lines are more than is read at once
			l.last, l.minute = l.last+1, l.minute+1
			l.src.endAt(fmt.Sprintf("doi:%d", n%90), queue.Done, l.last, l.minute)
		}
		t.Repeat(map[string]func(*rapid.T){
			"finish": func(*rapid.T) { l.finish() },
			"ask": func(*rapid.T) {
				even("ask")
				if id := l.some(); l.src[id].State.Terminal() && !forth {
					l.minute++
					l.src.again(id)
				}
			},
			"catch up": func(*rapid.T) { l.catchUp() },
			"prune": func(*rapid.T) {
				l.catchUp()
				if id := l.some(); l.src[id].State.Terminal() && !forth {
					delete(l.src, id)
				}
			},
			"break off": func(t *rapid.T) {
				before, after := l.catchUp()
				size := rapid.IntRange(bytes.LastIndexByte(before, '\n')+1, len(after)).Draw(t, "size")
				if err := os.Truncate(l.path, int64(size)); err != nil {
					t.Fatal(err)
				}
			},
			"back up": func(*rapid.T) {
				even("back up")
				l.backups = append(l.backups, lineage{src: maps.Clone(l.src), last: l.last})
			},
			"restore": func(t *rapid.T) {
				old, n := lineage{src: source{}}, rapid.IntRange(0, len(l.backups)).Draw(t, "backup")
				if n > 0 {
					old = l.backups[n-1]
				}
				l.src, l.last = maps.Clone(old.src), old.last
				if !forth {
					l.backups = l.backups[:n]
				}
			},
		})
		_, text := l.catchUp()
		lines := strings.Split(string(text), "\n")
		if unique := slices.Compact(slices.Sorted(slices.Values(lines))); len(unique) != len(lines) && !forth {
			t.Errorf("%d lines are there twice:\n%s", len(lines)-len(unique), text)
		}
		if err := report.RebuildManifest(t.Context(), l.path, "1.0", l.src, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		if anew := l.read(); !bytes.Equal(anew, text) {
			t.Errorf("written anew it is\n%s\nand was\n%s", anew, text)
		}
	})
}
