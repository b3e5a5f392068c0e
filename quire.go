// Package quire gathers the full text of scholarly works in bulk. A [System] is
// the whole: a durable queue of artifacts to get, the harvester that gets them,
// the files, their catalog and their manifest, in one data directory.
//
// The queue stands on its own: see the packages queue, sqlite and orchestrator.
package quire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/harvest"
	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Version is the program's version; releases set it when linking.
var Version = "0.1.0-dev" //nolint:gochecknoglobals // set by -ldflags -X

// System is an open data directory. Its methods are safe for concurrent use.
type System struct {
	cfg     Config
	store   store
	harvest *harvest.Harvest           // nil when read-only
	fetch   *fetch.Client              // nil without a contact: no way out
	blobs   artifacts                  // nil when read-only
	links   *blob.Links                // nil when read-only, and where files are not on this machine
	owners  *harvest.Owners            // nil when read-only
	dumps   dumps                      // empty when read-only
	allowed atomic.Pointer[Allowances] // in force
	running atomic.Pointer[orchestrator.Orchestrator]
}

// Open opens the data directory and the store of cfg, creating what is missing,
// though not a PostgreSQL database. With cfg.ReadOnly it creates and changes
// nothing, and only the methods that look may be called. Errors wrap [queue.ErrDamaged], [queue.ErrNewer], [ErrConfig]
// or those of the os package. The caller must Close it.
func Open(ctx context.Context, cfg Config) (*System, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &System{cfg: cfg}
	s.allowed.Store(cfg.Allowances())
	if cfg.ReadOnly {
		if s.store, err = openStore(ctx, cfg); err != nil {
			return nil, err
		}
		return s, nil
	}
	if err := s.openAll(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openAll opens what a run needs. The database comes first: it is the one that
// may be refused, and then nothing else has been created.
func (s *System) openAll(ctx context.Context) error {
	if err := os.MkdirAll(s.cfg.Data, 0o750); err != nil {
		return fmt.Errorf("create data directory: %w", err)
	}
	var err error
	if s.store, err = openStore(ctx, s.cfg); err != nil {
		return err
	}
	if s.blobs, s.links, err = s.cfg.openArtifacts(); err != nil {
		return err
	}
	if s.owners, err = harvest.OpenOwners(filepath.Join(s.cfg.Data, "shared.jsonl")); err != nil {
		return err
	}
	if s.cfg.Contact != "" {
		if s.fetch, err = fetch.New(s.cfg.fetch()); err != nil {
			return fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	if s.dumps, err = s.cfg.openDumps(ctx); err != nil {
		return err
	}
	s.harvest, err = s.cfg.harvest(s.fetch, s.blobs, s.links, s.owners, s.dumps)
	return err
}

// Close ends all use of the data directory.
func (s *System) Close() error {
	var err error
	if s.fetch != nil {
		s.fetch.Close()
	}
	err = s.dumps.close()
	if s.owners != nil {
		err = errors.Join(err, s.owners.Close())
	}
	if s.links != nil {
		err = errors.Join(err, s.links.Close())
	}
	if s.blobs != nil {
		err = errors.Join(err, s.blobs.Close())
	}
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
	}
	return err
}

// Request asks for an artifact.
type Request = harvest.Request

// AddOptions say how artifacts are added.
type AddOptions struct {
	Run      string // names the batch
	Priority int    // higher is sooner
}

// Add queues the artifacts that are not known yet and leaves the others alone,
// durably and in one transaction. A work is an artifact in each of the formats of
// [Accept], unless the request names one.
func (s *System) Add(ctx context.Context, requests []Request, opt AddOptions) (queue.Enqueued, error) {
	jobs := make([]queue.NewJob, 0, len(requests))
	for _, r := range requests {
		work := r.Artifact
		formats := s.cfg.Accept.Formats
		if work.Format != "" || len(formats) == 0 {
			formats = []paper.Kind{work.Wants()}
		}
		for _, format := range formats {
			r.Artifact = work.As(format)
			j, err := s.harvest.Job(r)
			if err != nil {
				return queue.Enqueued{}, err
			}
			j.Run, j.Priority = opt.Run, opt.Priority
			jobs = append(jobs, j)
		}
	}
	added, err := s.store.Enqueue(ctx, jobs)
	if err != nil {
		return queue.Enqueued{}, fmt.Errorf("queue artifacts: %w", err)
	}
	return added, nil
}

// Queue looks at the jobs and changes them from outside. To prune there is
// [System.Prune], which keeps the manifest whole.
func (s *System) Queue() interface {
	queue.Inspector
	queue.Controller
} {
	return s.store
}

// Catalog holds the records of finished artifacts.
func (s *System) Catalog() paper.Catalog { return s.store }

// Story returns what is known of a job's artifact: its record, or what an
// unfinished job has learnt so far.
func (s *System) Story(ctx context.Context, j queue.Job) (paper.Record, error) {
	if j.State.Terminal() {
		rec, err := s.store.Get(ctx, j.ArtifactID)
		if !errors.Is(err, paper.ErrNotFound) {
			return rec, err
		}
	}
	return harvest.Story(j)
}
