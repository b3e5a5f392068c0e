// Package verify holds what is stored against what the catalog says, and puts
// right what differs. It reads each stored file once, from the first to the last
// byte, and hashes and judges it anew.
//
// Memory does not grow with the number of works. Store and link tree are walked in
// the order of their paths; the catalog, which has an order of its own, is sorted
// by path in a temporary file, and the two are read side by side. Keeping the paths
// in memory instead would take 1 GB for 5 million works, and a look-up in the
// catalog for each file an index that only this needs.
package verify

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/verdict"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Kind says what a finding is about.
type Kind string

// The kinds of finding.
const (
	Missing    Kind = "missing"    // the catalog names a file that is not there
	Damaged    Kind = "damaged"    // a file has other bytes than its name says
	Unreadable Kind = "unreadable" // a file can't be read to its end
	Rejected   Kind = "rejected"   // a whole file that is not what it is to be, as it is judged now
	Size       Kind = "size"       // the catalog says another size, or hash, than the whole file has
	Extension  Kind = "extension"  // the file is there under another extension
	Elsewhere  Kind = "elsewhere"  // the catalog names a file that is not of this store
	Record     Kind = "record"     // a job is done with a file, and the catalog says otherwise
	Orphan     Kind = "orphan"     // no record names a file
	Foreign    Kind = "foreign"    // something that is no blob is where blobs are
	Link       Kind = "link"       // a link of the tree is missing, leads elsewhere or belongs to no work
	Sidecar    Kind = "sidecar"    // the file beside a link is missing or says something else
	Manifest   Kind = "manifest"   // a line of the manifest is missing, wrong or not to be read
)

// Kinds lists the kinds of finding.
func Kinds() []Kind {
	return []Kind{Missing, Damaged, Unreadable, Rejected, Size, Extension, Elsewhere, Record, Orphan, Foreign, Link, Sidecar, Manifest}
}

// Finding is something that is not as it should be.
type Finding struct {
	Kind       Kind
	Path       string // of the file, as records have it, or of the link; empty if it is about none
	ArtifactID string // whose it is; empty if it is nobody's
	Note       string // one line in words
	Repair     string // what was done about it, in words; empty: nothing
}

// Store is what verify reads and, to repair, writes of the queue and the catalog.
type Store interface {
	Job(ctx context.Context, artifactID string) (queue.Job, error)
	Jobs(ctx context.Context, f queue.Filter) ([]queue.Job, error)
	Stats(ctx context.Context) (queue.Stats, error)
	paper.Catalog
}

// Files are the blobs.
type Files interface {
	Open(ctx context.Context, key string) (io.ReadSeekCloser, int64, error)
	Walk(ctx context.Context, fn func(blob.Blob) error) error
}

// Config says what is verified. Store, BlobDir and Found are required.
type Config struct {
	Store    Store
	Files    Files         // nil: there are none
	BlobDir  string        // what stands before a blob's path in a record: a directory or a URL
	Named    bool          // works are to have their links
	Works    *blob.Links   // nil: there are none
	Sidecars bool          // each link is to have its sidecar
	Grace    time.Duration // what no record names and is younger stays where it is; while jobs run it is not told of either

	Found    func(Finding) error
	Progress func(Counts) // told often; may be nil
	Repair   *Repair      // nil: nothing is changed
}

// Repair is how things are put right. While it is used nobody else may run the
// queue or repair; Works must not be nil.
type Repair struct {
	Blobs interface {
		blob.Store
		blob.Quarantine
	}
	// Requeue has the artifacts of these records got again: their jobs that are done
	// are queued again, and those that were pruned are made anew.
	Requeue func(ctx context.Context, records []paper.Record) error
}

// Counts says how much has been verified.
type Counts struct {
	Works, Files int
	Bytes        int64
	Findings     map[Kind]int
	Repaired     int // of the findings
	Requeued     int // artifacts whose file is got again

	Now  string // what is looked at now: jobs, files, links or manifest
	Seen int    // how many of them have been
}

// Sum is the number of findings.
func (c Counts) Sum() (n int) {
	for _, k := range c.Findings {
		n += k
	}
	return n
}

// pageRows is how many records or jobs are read from the store at a time.
const pageRows = 500

// Run verifies jobs, files, links and sidecars, in that order. It tells of each
// finding and returns an error only if it can't go on; the counts are then of what
// was done before.
func Run(ctx context.Context, cfg Config) (Counts, error) {
	v := &verifier{cfg: cfg, began: time.Now(), judges: make(map[paper.Kind]*verdict.Judge)}
	v.Findings = make(map[Kind]int)
	stats, err := cfg.Store.Stats(ctx)
	if err != nil {
		return v.Counts, fmt.Errorf("verify: %w", err)
	}
	v.idle = stats.InProgress == 0
	if v.cfg.Progress == nil {
		v.cfg.Progress = func(Counts) {}
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{{"jobs", v.jobs}, {"files", v.files}, {"links", v.works}} {
		v.Now, v.Seen = step.name, 0
		if err := step.do(ctx); err != nil {
			return v.Counts, fmt.Errorf("verify %s: %w", step.name, err)
		}
		if err := v.flush(ctx); err != nil {
			return v.Counts, err
		}
	}
	return v.Counts, nil
}

// verifier is the state of one Run.
type verifier struct {
	Counts
	cfg    Config
	began  time.Time
	idle   bool // no job was leased when this began
	judges map[paper.Kind]*verdict.Judge
	lost   []paper.Record // to be queued again
}

func (v *verifier) found(f Finding) error {
	v.Findings[f.Kind]++
	if f.Repair != "" {
		v.Repaired++
	}
	return v.cfg.Found(f)
}

// mtimeLag is by how much a file can look older than it is: file systems stamp with
// the time of the last tick, of which there are at least 100 a second.
const mtimeLag = 50 * time.Millisecond

// young reports whether something was made within the grace: it is not to be moved.
func (v *verifier) young(modified time.Time) bool { return modified.After(v.began.Add(-v.cfg.Grace)) }

// coming reports whether the record of something may be on its way. If no job was
// leased when this began, the record of what was there then had been written.
func (v *verifier) coming(modified time.Time) bool {
	if v.idle {
		return modified.After(v.began.Add(-mtimeLag))
	}
	return v.young(modified)
}

// key returns the path in the store of a record's file. ok is false if it is not of
// this store.
func (v *verifier) key(f *paper.File) (key string, ok bool) {
	key, ok = strings.CutPrefix(f.Path, strings.TrimSuffix(v.cfg.BlobDir, "/")+"/")
	return key, ok && blob.IsPath(key)
}

// shown is the path of a blob as records have it.
func (v *verifier) shown(key string) string {
	return strings.TrimSuffix(v.cfg.BlobDir, "/") + "/" + key
}

// eachRecord calls do for each record.
func (v *verifier) eachRecord(ctx context.Context, do func(paper.Record) error) error {
	f := paper.RecordFilter{Limit: pageRows}
	for {
		page, err := v.cfg.Store.Records(ctx, f)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := do(r); err != nil {
				return err
			}
		}
		v.cfg.Progress(v.Counts)
		if len(page) < f.Limit {
			return ctx.Err()
		}
		f.After = page[len(page)-1].ArtifactID
	}
}
