package quire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/verify"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// ErrBusy says that another process runs the queue.
var ErrBusy = errors.New("another process runs this queue")

// Finding is something that is not as it should be, and what was done about it.
type Finding = verify.Finding

// Verified counts what Verify has looked at and found.
type Verified = verify.Counts

// VerifyOptions say how Verify goes about.
type VerifyOptions struct {
	// Repair puts right what can be. Nothing is deleted but links, which are made
	// again: files that are damaged or nobody's go to the directory "quarantine".
	Repair bool
	// Grace is how old a file without a record must be to be found: the record of a
	// younger one may be on its way. Negative: none.
	Grace    time.Duration
	Found    func(Finding) error // told of each finding; its error ends Verify
	Progress func(Verified)      // told often how far it is; may be nil
}

const (
	// repairPatience is how long a repair waits for another process to end its run.
	repairPatience = 5 * time.Second
	// manifestLag is for how long an outcome may be missing in the manifest: ten
	// times as long as who writes it waits for the other writers.
	manifestLag = 100 * time.Second
)

// Verify reads every stored file, and holds files, links and manifest against the
// catalog. Without Repair it changes nothing, and may be used while the queue runs,
// also read-only. With Repair it holds the right to run the queue meanwhile, and its
// error is ErrBusy if another process has it.
func (s *System) Verify(ctx context.Context, opt VerifyOptions) (Verified, error) {
	var done Verified
	cfg := verify.Config{
		Store: s.store, BlobDir: s.cfg.blobDir(), Named: strings.HasPrefix(s.cfg.Artifacts, fileScheme), Sidecars: !s.cfg.NoSidecars,
		Grace: max(0, opt.Grace), Found: opt.Found, Progress: opt.Progress,
	}
	if !opt.Repair {
		closeAll, err := s.lookAtFiles(&cfg)
		if err != nil {
			return done, err
		}
		done, err = s.verify(ctx, cfg)
		return done, errors.Join(err, closeAll())
	}
	held, release, err := s.lockForRepair(ctx)
	if err != nil {
		return done, err
	}
	defer release()
	if _, err := s.blobs.Clean(held); err != nil {
		return done, fmt.Errorf("clean temporary files: %w", err)
	}
	if err := s.cleanLinks(held); err != nil {
		return done, err
	}
	blobs, ok := s.blobs.(interface {
		artifacts
		blob.Quarantine
	})
	if !ok {
		return done, fmt.Errorf("%w: files in %s can't be moved aside", ErrConfig, s.cfg.ArtifactsName())
	}
	cfg.Files, cfg.Works = blobs, s.links
	cfg.Repair = &verify.Repair{Blobs: blobs, Requeue: s.getAgain}
	done, err = s.verify(held, cfg)
	return done, errors.Join(lost(ctx, held), err)
}

// verify does it, the manifest last: it is made of what the rest has put right.
func (s *System) verify(ctx context.Context, cfg verify.Config) (Verified, error) {
	began := time.Now()
	done, err := verify.Run(ctx, cfg)
	if err != nil {
		return done, err
	}
	if done.Now, done.Seen = "manifest", 0; cfg.Progress != nil {
		cfg.Progress(done)
	}
	err = s.verifyManifest(ctx, cfg.Repair != nil, began.Add(-manifestLag), func(f Finding) error {
		done.Findings[f.Kind]++
		if f.Repair != "" {
			done.Repaired++
		}
		return cfg.Found(f)
	})
	return done, err
}

// lookAtFiles opens files and links for looking only.
func (s *System) lookAtFiles(cfg *verify.Config) (closeAll func() error, err error) {
	if !cfg.Named {
		s3, err := s.cfg.openS3(filepath.Join(s.cfg.Data, "tmp"))
		if err != nil {
			return nil, err
		}
		cfg.Files = s3
		return s3.Close, nil
	}
	root, _, err := s.cfg.artifactDirs()
	if err != nil {
		return nil, err
	}
	files, err := blob.LookLocal(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	works, err := blob.LookLinks(s.cfg.worksDir(), root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if files != nil { // a nil *Local is not nil files
		cfg.Files = files
	}
	cfg.Works = works
	return func() (err error) {
		if files != nil {
			err = files.Close()
		}
		if works != nil {
			err = errors.Join(err, works.Close())
		}
		return err
	}, nil
}

// cleanLinks removes what a crash has left in the link tree, if there is one.
func (s *System) cleanLinks(ctx context.Context) error {
	if s.links == nil {
		return nil
	}
	return s.links.Clean(ctx)
}

// worksDir is the directory of the link tree.
func (c Config) worksDir() string { return filepath.Join(c.Data, "works") }

// lockForRepair takes the right to run the queue, so that no run stores a file, or
// records one, while files are moved about.
func (s *System) lockForRepair(ctx context.Context) (held context.Context, release func(), err error) {
	waiting, cancel := context.WithCancel(ctx)
	patience := time.AfterFunc(repairPatience, cancel)
	held, unlock, err := s.store.LockRunner(waiting) // held may end with waiting: it has no deadline
	if !patience.Stop() && ctx.Err() == nil {
		if err == nil {
			unlock()
		}
		cancel()
		return nil, nil, fmt.Errorf("%w: end that run first; without repair both can go on", ErrBusy)
	}
	if err != nil {
		cancel()
		return nil, nil, fmt.Errorf("take over the queue: %w", err)
	}
	return held, func() { unlock(); cancel() }, nil
}

// getAgain queues artifacts again whose files are lost.
func (s *System) getAgain(ctx context.Context, records []paper.Record) error {
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.ArtifactID
	}
	n, err := s.store.Requeue(ctx, queue.Filter{ArtifactIDs: ids, States: []queue.State{queue.Done}})
	if err != nil || n == len(records) {
		return err
	}
	var pruned []queue.NewJob
	for _, r := range records {
		_, err := s.store.Job(ctx, r.ArtifactID)
		if err == nil {
			continue // on its way already
		}
		if !errors.Is(err, queue.ErrNotFound) {
			return err
		}
		j, err := s.jobAgain(r) //nolint:contextcheck // planning asks only what answers without a request
		if err != nil {
			return fmt.Errorf("record of %q: %w", r.ArtifactID, err)
		}
		pruned = append(pruned, j)
	}
	if len(pruned) == 0 {
		return nil
	}
	_, err = s.store.Enqueue(ctx, pruned)
	return err
}

// jobAgain makes a job for an artifact whose job was pruned, of what its record knows.
func (s *System) jobAgain(r paper.Record) (queue.NewJob, error) {
	artifact, err := paper.ParseID(r.ArtifactID)
	if err != nil {
		return queue.NewJob{}, err
	}
	artifact.IDs.Merge(r.IDs)
	return s.harvest.Job(Request{Artifact: artifact, Title: r.Title})
}
