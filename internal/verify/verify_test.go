package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/internal/verify"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// box is a store with files.
type box struct {
	t     testing.TB
	dir   string
	store *sqlite.Store
	blobs *blob.Local
	works *blob.Links
}

func newBox(t testing.TB) *box {
	t.Helper()
	b := &box{t: t, dir: t.TempDir()}
	var err error
	if b.store, err = sqlite.Open(t.Context(), filepath.Join(b.dir, "quire.db"), sqlite.Options{Create: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.store.Close() })
	if b.blobs, err = blob.OpenLocal(filepath.Join(b.dir, "artifacts"), filepath.Join(b.dir, "tmp")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.blobs.Close() })
	if b.works, err = blob.OpenLinks(filepath.Join(b.dir, "works"), filepath.Join(b.dir, "artifacts")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.works.Close() })
	return b
}

// keep stores bytes and returns a record that names them.
func (b *box) keep(id string, body []byte, ext string) paper.Record {
	b.t.Helper()
	w, err := b.blobs.Create(b.t.Context(), "1-1")
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := w.Write(body); err != nil {
		b.t.Fatal(err)
	}
	kept, err := w.Commit(b.t.Context(), ext)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.works.Link(paper.Artifact{ID: id}.Path(), kept.Path); err != nil {
		b.t.Fatal(err)
	}
	return b.record(id, paper.File{
		Path: path.Join("artifacts", kept.Path), SHA256: kept.SHA256, Bytes: kept.Bytes, MediaType: "application/pdf", Verdict: "ok",
	})
}

func (b *box) record(id string, f paper.File) paper.Record {
	b.t.Helper()
	r := paper.Record{ArtifactID: id, File: &f, At: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), Attempts: 1}
	if err := b.store.Put(b.t.Context(), r); err != nil {
		b.t.Fatal(err)
	}
	return r
}

// done makes a job that is done with the file of a record.
func (b *box) done(r paper.Record) {
	b.t.Helper()
	ctx := b.t.Context()
	if _, err := b.store.Enqueue(ctx, []queue.NewJob{{ArtifactID: r.ArtifactID, Key: "host:a"}}); err != nil {
		b.t.Fatal(err)
	}
	leases, err := b.store.Lease(ctx, "me", []queue.Want{{Key: "host:a", N: 1}}, time.Hour)
	if err != nil || len(leases) != 1 {
		b.t.Fatalf("%v, %v", leases, err)
	}
	file, err := json.Marshal(r.File)
	if err != nil {
		b.t.Fatal(err)
	}
	if errs, err := b.store.Settle(ctx, queue.Settlement{Lease: leases[0], Verb: queue.Finish, State: queue.Done, Result: file}); err != nil || errs[0] != nil {
		b.t.Fatal(errs, err)
	}
}

// verify returns what is found, as "kind artifact".
func (b *box) verify(repair bool) (found []string, counts verify.Counts) {
	b.t.Helper()
	cfg := verify.Config{
		Store: b.store, Files: b.blobs, BlobDir: "artifacts", Works: b.works, Named: true, Grace: time.Hour,
		Found: func(f verify.Finding) error {
			found = append(found, strings.TrimSpace(string(f.Kind)+" "+f.ArtifactID))
			return nil
		},
	}
	if repair {
		cfg.Repair = &verify.Repair{Blobs: b.blobs, Requeue: func(ctx context.Context, records []paper.Record) error {
			var ids []string
			for _, r := range records {
				ids = append(ids, r.ArtifactID)
			}
			_, err := b.store.Requeue(ctx, queue.Filter{ArtifactIDs: ids})
			return err
		}}
	}
	counts, err := verify.Run(b.t.Context(), cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	return found, counts
}

func (b *box) want(repair bool, want ...string) verify.Counts {
	b.t.Helper()
	found, counts := b.verify(repair)
	if diff := cmp.Diff(want, found); diff != "" {
		b.t.Errorf("findings (-want +got):\n%s", diff)
	}
	return counts
}

// All that the corpus calls a clear PDF is verified without a finding, and all that it
// calls clear and no PDF is found.
func TestRun_corpus(t *testing.T) {
	b := newBox(t)
	var want []string
	works := 0
	for n, row := range corpus.JSONL[struct {
		File, Verdict string
		Valid         bool
	}](t, "pdf", "index.jsonl") {
		if row.Verdict != "clear" {
			continue
		}
		id := fmt.Sprintf("doi:10.5555/%d", n)
		b.done(b.keep(id, corpus.Read(t, row.File), ".pdf"))
		works++
		if !row.Valid {
			want = append(want, "rejected "+id)
		}
	}
	found, counts := b.verify(false)
	slices.Sort(found)
	slices.Sort(want)
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if counts.Works != works || works < 20 || len(want) == 0 {
		t.Errorf("%+v of %d works, %d of them no PDF", counts, works, len(want))
	}
}

// Two works share a file: it is read once, damaged it is lost to both, and while one
// of them is left it is nobody's orphan.
func TestRun_shared(t *testing.T) {
	b := newBox(t)
	body := testweb.PDF("shared", 5000)
	first, second := b.keep("doi:10.5555/a", body, ".pdf"), b.keep("doi:10.5555/b", body, ".pdf")
	b.done(first)
	b.done(second)
	if counts := b.want(false); counts.Files != 1 || counts.Bytes != int64(len(body)) {
		t.Errorf("%+v, want one file read once", counts)
	}
	second.File = nil
	if err := b.store.Put(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	b.want(true, "record doi:10.5555/b")
	b.want(false)
	b.keep("doi:10.5555/b", body, ".pdf")
	b.damage(first)
	b.want(true, "damaged doi:10.5555/a", "damaged doi:10.5555/b")
	b.want(false)
	if job, err := b.store.Job(t.Context(), "doi:10.5555/a"); err != nil || job.State != queue.Queued || job.Attempts != 0 {
		t.Errorf("%+v, %v; want it queued with no attempts", job, err)
	}
	if left, err := os.ReadDir(filepath.Join(b.dir, "quarantine")); len(left) != 1 {
		t.Errorf("quarantine: %v, %v", left, err)
	}
}

func (b *box) damage(r paper.Record) {
	b.t.Helper()
	name := filepath.Join(b.dir, filepath.FromSlash(r.File.Path))
	body, err := os.ReadFile(name)
	if err != nil {
		b.t.Fatal(err)
	}
	body[len(body)/2] ^= 1
	if err := os.WriteFile(name, body, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// What records say against the files.
func TestRun_records(t *testing.T) {
	good := testweb.PDF("good", 5000)
	tests := map[string]struct {
		change  func(b *box, r paper.Record)
		want    string
		requeue bool
	}{
		"another size": {func(b *box, r paper.Record) {
			r.File.Bytes++
			b.record(r.ArtifactID, *r.File)
		}, "size doi:10.5555/x", true},
		"another hash": {func(b *box, r paper.Record) {
			r.File.SHA256 = strings.Repeat("0", 64)
			b.record(r.ArtifactID, *r.File)
		}, "size doi:10.5555/x", true},
		"another store": {func(b *box, r paper.Record) {
			r.File.Path = "s3://bucket/" + r.File.Path
			b.record(r.ArtifactID, *r.File)
		}, "elsewhere doi:10.5555/x", false},
		"out of the store": {func(b *box, r paper.Record) {
			r.File.Path = "artifacts/../../../etc/passwd"
			b.record(r.ArtifactID, *r.File)
		}, "elsewhere doi:10.5555/x", false},
		"a page": {func(b *box, r paper.Record) {
			page := b.keep("doi:10.5555/x", []byte("<html><body>Please log in</body></html>"), ".pdf")
			b.record(page.ArtifactID, *page.File)
		}, "rejected doi:10.5555/x", true},
		"another MD5 than its source says": {func(b *box, r paper.Record) {
			r.Tried = []paper.Tried{{Candidate: paper.Candidate{MD5: strings.Repeat("0", 32)}, Hops: []paper.Hop{{Status: 200}}}}
			if err := b.store.Put(b.t.Context(), r); err != nil {
				b.t.Fatal(err)
			}
		}, "rejected doi:10.5555/x", true},
		"kept to be looked at, and damaged": {func(b *box, r paper.Record) {
			kept := b.keep("doi:10.5555/kept", testweb.PDF("another work", 5000), ".pdf")
			b.damage(kept)
			r.Tried = []paper.Tried{{Class: paper.WrongWork, Kept: kept.File}}
			kept.File = nil
			if err := errors.Join(b.store.Put(b.t.Context(), r), b.store.Put(b.t.Context(), kept)); err != nil {
				b.t.Fatal(err)
			}
		}, "damaged doi:10.5555/x", false},
		"kept although suspect": {func(b *box, r paper.Record) {
			suspect := b.keep("doi:10.5555/x", []byte("%PDF-1.4\nno more than that\n"), ".pdf")
			suspect.File.Verdict = "bad"
			b.record(suspect.ArtifactID, *suspect.File)
		}, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			tt.change(b, b.keep("doi:10.5555/x", good, ".pdf"))
			found, counts := b.verify(true)
			found = slices.DeleteFunc(found, func(f string) bool { return f == "orphan" || strings.HasPrefix(f, "link") })
			if got := strings.Join(found, ", "); got != tt.want || (counts.Requeued == 1) != tt.requeue {
				t.Errorf("found %q, %d queued again; want %q", got, counts.Requeued, tt.want)
			}
		})
	}
}

// A file that is kept for a human to look at is no orphan.
func TestRun_kept(t *testing.T) {
	b := newBox(t)
	r := b.keep("doi:10.5555/x", testweb.PDF("another work", 5000), ".pdf")
	r.Tried = []paper.Tried{{Class: paper.WrongWork, Kept: r.File}}
	r.File = nil
	if err := errors.Join(b.store.Put(t.Context(), r), os.RemoveAll(filepath.Join(b.dir, "works", "10.5555"))); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(b.files()[0], old, old); err != nil {
		t.Fatal(err)
	}
	b.want(true)
}

// A job is done, and the catalog knows of no file: a repair was broken off there.
func TestRun_repairBrokenOff(t *testing.T) {
	b := newBox(t)
	r := b.keep("doi:10.5555/x", testweb.PDF("x", 5000), ".pdf")
	b.done(r)
	r.File = nil
	if err := b.store.Put(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(b.files()[0], old, old); err != nil {
		t.Fatal(err)
	}
	b.want(true, "record doi:10.5555/x", "orphan")
	b.want(false)
	if job, err := b.store.Job(t.Context(), "doi:10.5555/x"); err != nil || job.State != queue.Queued {
		t.Errorf("%+v, %v; want it queued", job, err)
	}
}

// What a run has just stored is not nobody's, as long as a job is leased; what is old
// is. A repair moves only what is old.
func TestRun_neverRacesARun(t *testing.T) {
	b := newBox(t)
	b.keep("doi:10.5555/a", testweb.PDF("a", 5000), ".pdf")
	coming := b.keep("doi:10.5555/b", testweb.PDF("b", 5000), ".pdf")
	coming.File = nil
	if err := b.store.Put(t.Context(), coming); err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.Enqueue(t.Context(), []queue.NewJob{{ArtifactID: "doi:10.5555/b", Key: "host:a"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.Lease(t.Context(), "me", []queue.Want{{Key: "host:a", N: 1}}, time.Hour); err != nil {
		t.Fatal(err)
	}
	b.want(false)
	b.want(true)
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range b.files() {
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
	}
	b.want(false, "orphan")
	// Stored once more, it is as new.
	again := b.keep("doi:10.5555/c", testweb.PDF("b", 5000), ".pdf")
	again.File = nil
	if err := b.store.Put(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	b.want(true)
}

// files lists the stored files.
func (b *box) files() (names []string) {
	b.t.Helper()
	if err := b.blobs.Walk(b.t.Context(), func(f blob.Blob) error {
		names = append(names, filepath.Join(b.dir, "artifacts", filepath.FromSlash(f.Path)))
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
	return names
}

// Memory does not grow with the works. 100,000 records of files that are not there
// take four chunks, and their links seven.
func TestRun_memory(t *testing.T) {
	src := manyRecords(100_000)
	missing, peak := 0, uint64(0)
	_, err := verify.Run(t.Context(), verify.Config{
		Store: src, BlobDir: "artifacts", Named: true,
		Found: func(verify.Finding) error {
			if missing++; missing%10_000 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
			return nil
		},
	})
	if err != nil || missing != 2*int(src) {
		t.Errorf("%d findings, %v; want a file and a link for each of %d", missing, err, src)
	}
	if t.Logf("heap at most %d MB", peak>>20); peak > 100<<20 {
		t.Error("that is more than 100 MB")
	}
}

// manyRecords is a catalog of so many records that takes no room.
type manyRecords int

func (manyRecords) Job(context.Context, string) (queue.Job, error) {
	return queue.Job{}, queue.ErrNotFound
}
func (manyRecords) Jobs(context.Context, queue.Filter) ([]queue.Job, error) { return nil, nil }
func (manyRecords) Stats(context.Context) (queue.Stats, error)              { return queue.Stats{}, nil }
func (manyRecords) Put(context.Context, paper.Record) error                 { return nil }
func (manyRecords) Get(context.Context, string) (paper.Record, error) {
	return paper.Record{}, paper.ErrNotFound
}

func (n manyRecords) Records(_ context.Context, f paper.RecordFilter) (page []paper.Record, err error) {
	at := 0
	if f.After != "" {
		if _, err := fmt.Sscanf(f.After, "doi:10.5555/%d", &at); err != nil {
			return nil, err
		}
		at++
	}
	for ; at < int(n) && len(page) < f.Limit; at++ {
		sum := fmt.Sprintf("%064x", uint32(at)*2654435761) // in another order than the ids
		page = append(page, paper.Record{ArtifactID: fmt.Sprintf("doi:10.5555/%08d", at), File: &paper.File{
			Path: "artifacts/sha256/" + sum[:2] + "/" + sum[2:4] + "/" + sum + ".pdf", SHA256: sum, Bytes: 1,
		}})
	}
	return page, nil
}
