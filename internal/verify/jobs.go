package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/sidecar"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// jobs holds the jobs that are done against the catalog. Both were written in one
// transaction; what differs has been tampered with, or a repair was broken off
// between the two. Records without a job are those of pruned jobs.
func (v *verifier) jobs(ctx context.Context) error {
	f := queue.Filter{States: []queue.State{queue.Done}, Limit: pageRows}
	for {
		page, err := v.cfg.Store.Jobs(ctx, f)
		if err != nil {
			return err
		}
		for _, j := range page {
			if err := v.job(ctx, j); err != nil {
				return err
			}
		}
		v.Seen += len(page)
		v.cfg.Progress(v.Counts)
		if len(page) < f.Limit {
			return ctx.Err()
		}
		f.After = page[len(page)-1].ID
	}
}

func (v *verifier) job(ctx context.Context, j queue.Job) error {
	v.Works++
	if note, _, err := v.disagreement(ctx, j); err != nil || note == "" {
		return err
	}
	// A run may have got the file anew between the two looks.
	j, err := v.cfg.Store.Job(ctx, j.ArtifactID)
	if errors.Is(err, queue.ErrNotFound) || err == nil && j.State != queue.Done {
		return nil
	}
	if err != nil {
		return err
	}
	note, rec, err := v.disagreement(ctx, j)
	if err != nil || note == "" {
		return err
	}
	found := Finding{Kind: Record, ArtifactID: j.ArtifactID, Note: note}
	if v.cfg.Repair != nil {
		rec.ArtifactID = j.ArtifactID
		if found.Repair, err = v.lose(ctx, rec); err != nil {
			return err
		}
	}
	return v.found(found)
}

// disagreement says in words how the catalog contradicts a job that is done, or
// nothing. The record is that of the catalog, with the job's file if it has none.
func (v *verifier) disagreement(ctx context.Context, j queue.Job) (note string, rec paper.Record, err error) {
	var f paper.File
	if bad := json.Unmarshal(j.Result, &f) != nil || f.Path == ""; bad {
		return "the job is done, but names no file", rec, nil
	}
	rec, err = v.cfg.Store.Get(ctx, j.ArtifactID)
	switch {
	case errors.Is(err, paper.ErrNotFound):
		rec.File = &f
		return "the catalog has no record of it", rec, nil
	case err != nil:
		return "", rec, err
	case rec.File == nil:
		rec.File = &f
		return fmt.Sprintf("the job has the file %s, the catalog none", f.Path), rec, nil
	case f.Path != rec.File.Path || f.SHA256 != rec.File.SHA256 || f.Bytes != rec.File.Bytes:
		return fmt.Sprintf("the job has %s of %d bytes, the catalog %s of %d", f.Path, f.Bytes, rec.File.Path, rec.File.Bytes), rec, nil
	}
	return "", rec, nil
}

// requeueRows is how many artifacts are queued again at a time.
const requeueRows = 200

// lose has the catalog forget the file of a record, and queues its artifact again.
// The catalog comes first: should the process die between the two, the job
// contradicts it and is found.
func (v *verifier) lose(ctx context.Context, r paper.Record) (did string, err error) {
	lost := r.File
	r.File = nil
	if err := v.cfg.Store.Put(ctx, r); err != nil {
		return "", err
	}
	if err := v.unname(r.ArtifactID, lost); err != nil {
		return "", err
	}
	v.Requeued++
	if v.lost = append(v.lost, r); len(v.lost) >= requeueRows {
		err = v.flush(ctx)
	}
	return "queued again", err
}

// unname removes the link and the sidecar of a file that is lost.
func (v *verifier) unname(artifactID string, f *paper.File) error {
	if !v.cfg.Named || f == nil {
		return nil
	}
	key, ours := v.key(f)
	if !ours {
		return nil
	}
	work := paper.Artifact{ID: artifactID}.Path()
	for _, e := range []blob.Entry{{Name: linkName(work, key), Blob: key}, {Name: work + sidecar.Ext, Regular: true}} {
		err := v.cfg.Works.Remove(e)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, blob.ErrForeign) {
			return err
		}
	}
	return nil
}

// flush queues again what was lost.
func (v *verifier) flush(ctx context.Context) error {
	if len(v.lost) == 0 {
		return nil
	}
	if err := v.cfg.Repair.Requeue(ctx, v.lost); err != nil {
		return fmt.Errorf("queue lost files again: %w", err)
	}
	v.lost = v.lost[:0]
	return nil
}
