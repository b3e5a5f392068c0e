package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/paper"
)

// ref is what a record says of its file, in as few words as the check needs.
type ref struct {
	ID      string     `json:"i"`
	Format  paper.Kind `json:"f,omitempty"`
	SHA256  string     `json:"s,omitempty"` // empty: that in the path
	Bytes   int64      `json:"b"`
	MD5     string     `json:"m,omitempty"` // as the source gave it
	Media   string     `json:"t,omitempty"`
	Verdict string     `json:"v,omitempty"`
	Kept    bool       `json:"k,omitempty"` // put aside for a human: not the work's file, and not judged
}

// maxPending bounds what is kept of the files of one hash: a hash has as many files
// as there are extensions, and more refs that miss theirs are told right away.
const maxPending = 1000

// join reads blobs and refs side by side, in the order of their paths.
type join struct {
	*verifier
	refs sorter[ref]

	sum    string       // that of the files and refs at hand
	strays []blob.Blob  // of this sum, without a ref
	gone   []entry[ref] // of this sum, without a blob
}

// files holds the stored files against the catalog.
func (v *verifier) files(ctx context.Context) (err error) {
	j := &join{verifier: v}
	defer func() { err = errors.Join(err, j.refs.close()) }()
	if err := v.eachRecord(ctx, j.add); err != nil {
		return err
	}
	if v.cfg.Files != nil {
		if err := v.cfg.Files.Walk(ctx, func(b blob.Blob) error { return j.blob(ctx, b) }); err != nil {
			return err
		}
	}
	if err := j.upTo(ctx, ""); err != nil {
		return err
	}
	return j.newSum(ctx, "")
}

// add takes in what a record says of its file, and of those that were kept although
// they are suspected to be another work's.
func (j *join) add(r paper.Record) error {
	for _, t := range r.Tried {
		if t.Kept != nil {
			if err := j.name(r.ArtifactID, t.Kept, ref{Kept: true}); err != nil {
				return err
			}
		}
	}
	if r.File == nil {
		return nil
	}
	to := ref{Format: formatOf(r.ArtifactID), Media: r.File.MediaType}
	for _, t := range r.Tried {
		if t.Gave() {
			to.MD5 = t.MD5
		}
	}
	return j.name(r.ArtifactID, r.File, to)
}

func (j *join) name(id string, f *paper.File, to ref) error {
	key, ours := j.key(f)
	if !ours {
		return j.found(Finding{Kind: Elsewhere, Path: f.Path, ArtifactID: id, Note: "is not in the store that is verified"})
	}
	to.ID, to.Bytes, to.Verdict = id, f.Bytes, f.Verdict
	if f.SHA256 != sumOf(key) {
		to.SHA256 = f.SHA256
	}
	return j.refs.add(key, to)
}

// sumOf is the name in a key without its extension.
func sumOf(key string) string {
	sum, _, _ := strings.Cut(path.Base(key), ".")
	return sum
}

// blob takes the next file of the walk.
func (j *join) blob(ctx context.Context, b blob.Blob) error {
	j.Files++
	j.Seen++
	j.cfg.Progress(j.Counts)
	if b.SHA256 == "" {
		return j.foreign(ctx, b)
	}
	if err := j.upTo(ctx, b.Path); err != nil {
		return err
	}
	if err := j.newSum(ctx, b.SHA256); err != nil {
		return err
	}
	next, err := j.refs.peek()
	if err != nil {
		return err
	}
	if next == nil || next.Key != b.Path {
		if len(j.strays) < maxPending {
			j.strays = append(j.strays, b)
		}
		return nil
	}
	f := &file{join: j, blob: b}
	for next != nil && next.Key == b.Path {
		if err := f.check(ctx, next.Value); err != nil {
			return err
		}
		if err := j.refs.next(); err != nil {
			return err
		}
		if next, err = j.refs.peek(); err != nil {
			return err
		}
	}
	return nil
}

// upTo notes the refs before a path, which have no file; all that are left if the
// path is empty.
func (j *join) upTo(ctx context.Context, key string) error {
	for {
		next, err := j.refs.peek()
		if err != nil || next == nil || key != "" && next.Key >= key {
			return err
		}
		if err := j.newSum(ctx, sumOf(next.Key)); err != nil {
			return err
		}
		if j.gone = append(j.gone, *next); len(j.gone) > maxPending {
			if err := j.settle(ctx); err != nil {
				return err
			}
		}
		if err := j.refs.next(); err != nil {
			return err
		}
	}
}

// newSum goes on to another hash: what is pending of the one before can be told.
func (j *join) newSum(ctx context.Context, sum string) error {
	if sum == j.sum {
		return nil
	}
	err := j.settle(ctx)
	j.sum, j.strays = sum, j.strays[:0]
	return err
}

// settle tells of refs without a file and files without a ref, of one hash.
func (j *join) settle(ctx context.Context) error {
	misnamed := ""
	for _, b := range j.strays {
		whole := misnamed == "" && len(j.gone) > 0 && j.whole(ctx, b)
		if whole {
			misnamed = b.Path
		}
	}
	for _, to := range j.gone {
		if err := j.missing(ctx, to, misnamed); err != nil {
			return err
		}
	}
	for _, b := range j.strays {
		if err := j.orphan(ctx, b, b.Path == misnamed); err != nil {
			return err
		}
	}
	j.gone, j.strays = j.gone[:0], j.strays[:0]
	return nil
}

// missing tells of a ref without a file. misnamed is a whole file with its bytes and
// another extension, or empty.
func (j *join) missing(ctx context.Context, to entry[ref], misnamed string) (err error) {
	found := Finding{Kind: Missing, Path: j.shown(to.Key), ArtifactID: to.Value.ID, Note: "is not there"}
	if misnamed != "" {
		found.Kind, found.Note = Extension, "is there as "+j.shown(misnamed)
	}
	switch {
	case j.cfg.Repair == nil:
	case misnamed != "":
		found.Repair, err = j.rename(ctx, misnamed, to.Key)
	default:
		// A directory or a symlink may have its place; Walk tells only of files.
		place, moved := j.cfg.Repair.Blobs.SetAside(ctx, to.Key)
		if moved != nil && !errors.Is(moved, fs.ErrNotExist) && !errors.Is(moved, fs.ErrInvalid) && !errors.Is(moved, blob.ErrForeign) {
			return moved
		}
		found.Repair, err = j.forget(ctx, to.Value, to.Key)
		if place != "" && found.Repair != "" {
			found.Repair = "what had its place moved to " + place + ", " + found.Repair
		}
	}
	return errors.Join(err, j.found(found))
}

// forget has the file at key of an artifact got again. One that was only kept for a
// human is just forgotten.
func (j *join) forget(ctx context.Context, to ref, key string) (did string, err error) {
	r, err := j.cfg.Store.Get(ctx, to.ID)
	if err != nil {
		return "", err
	}
	if to.Kept {
		for i := range r.Tried {
			if kept := r.Tried[i].Kept; kept != nil && kept.Path == j.shown(key) {
				r.Tried[i].Kept = nil
			}
		}
		return "forgotten; it was kept to be looked at", j.cfg.Store.Put(ctx, r)
	}
	if r.File == nil || r.File.Path != j.shown(key) {
		return "", nil
	}
	return j.lose(ctx, r)
}

// orphan tells of a file without a ref, unless its record may be on its way.
// misnamed is one whose bytes were wanted under another extension.
func (j *join) orphan(ctx context.Context, b blob.Blob, misnamed bool) (err error) {
	found := Finding{Kind: Orphan, Path: j.shown(b.Path), Note: fmt.Sprintf("no record names these %d bytes", b.Bytes)}
	switch {
	case misnamed && j.cfg.Repair == nil:
		return nil // told as Extension
	case !misnamed && j.coming(b.Modified):
		return nil
	}
	switch {
	case j.cfg.Repair == nil:
	case !misnamed && j.young(b.Modified):
		found.Note += "; it is too young to be moved"
	default:
		if found.Repair, err = j.setAside(ctx, b.Path); err != nil {
			return err
		}
	}
	if misnamed {
		return nil
	}
	return j.found(found)
}

// foreign tells of something that is no blob. A store makes no such thing.
func (j *join) foreign(ctx context.Context, b blob.Blob) (err error) {
	found := Finding{Kind: Foreign, Path: j.shown(b.Path), Note: "is not a file of this store"}
	if j.cfg.Repair != nil {
		if found.Repair, err = j.setAside(ctx, b.Path); err != nil {
			return err
		}
	}
	return j.found(found)
}

func (j *join) setAside(ctx context.Context, key string) (did string, err error) {
	place, err := j.cfg.Repair.Blobs.SetAside(ctx, key)
	if err != nil {
		return "", err
	}
	return "moved to " + place, nil
}
