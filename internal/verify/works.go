package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/sidecar"
	"github.com/quire-dev/quire/paper"
)

// due is what is to be in the tree under one name.
type due struct {
	ID      string `json:"i"`
	Name    string `json:"n"`           // with extension
	Work    string `json:"w"`           // the name without
	Blob    string `json:"b,omitempty"` // of a link: where it leads
	Sidecar string `json:"s,omitempty"` // of a sidecar: its SHA-256
}

// order is the key under which a name is met by a walk, which goes through the
// names of one directory before those of the next.
func order(name string) string { return strings.ReplaceAll(name, "/", "\x00") }

// linkName is the name of a work's link to a blob, whose extension it has.
func linkName(work, key string) string {
	return work + strings.TrimPrefix(path.Base(key), sumOf(key))
}

// tree reads the link tree and what is to be in it side by side.
type tree struct {
	*verifier
	dues sorter[due]
}

// works holds the tree of links and sidecars against the catalog. The catalog is read
// once more: it knows by now what repairs have changed.
func (v *verifier) works(ctx context.Context) (err error) {
	if !v.cfg.Named {
		return nil
	}
	t := &tree{verifier: v}
	defer func() { err = errors.Join(err, t.dues.close()) }()
	if err := v.eachRecord(ctx, t.add); err != nil {
		return err
	}
	if v.cfg.Works != nil {
		if err := v.cfg.Works.Walk(ctx, func(e blob.Entry) error { return t.entry(ctx, e) }); err != nil {
			return err
		}
	}
	return t.upTo(ctx, "")
}

// add takes in what a record wants to be there.
func (t *tree) add(r paper.Record) error {
	if r.File == nil {
		return nil
	}
	key, ours := t.key(r.File)
	if !ours {
		return nil // told by files
	}
	work := paper.Artifact{ID: r.ArtifactID}.Path()
	link := due{ID: r.ArtifactID, Work: work, Name: linkName(work, key), Blob: key}
	if err := t.dues.add(order(link.Name), link); err != nil {
		return err
	}
	sum := sha256.Sum256(sidecar.Encode(r))
	beside := due{ID: r.ArtifactID, Work: work, Name: work + sidecar.Ext, Sidecar: hex.EncodeToString(sum[:])}
	return t.dues.add(order(beside.Name), beside)
}

// entry takes the next entry of the walk.
func (t *tree) entry(ctx context.Context, e blob.Entry) error {
	t.Seen++
	t.cfg.Progress(t.Counts)
	if err := t.upTo(ctx, order(e.Name)); err != nil {
		return err
	}
	next, err := t.dues.peek()
	if err != nil {
		return err
	}
	if next == nil || next.Key != order(e.Name) {
		return t.stray(e)
	}
	if err := t.check(ctx, next.Value, e); err != nil {
		return err
	}
	return t.dues.next()
}

// upTo tells of what is not there before a key; of all that is left if it is empty.
func (t *tree) upTo(ctx context.Context, key string) error {
	for {
		next, err := t.dues.peek()
		if err != nil || next == nil || key != "" && next.Key >= key {
			return err
		}
		if d := next.Value; d.Blob != "" || t.cfg.Sidecars {
			if err := t.wrong(ctx, d, "is not there"); err != nil {
				return err
			}
		}
		if err := t.dues.next(); err != nil {
			return err
		}
	}
}

// check holds an entry against what is to be there.
func (t *tree) check(ctx context.Context, d due, e blob.Entry) error {
	switch {
	case d.Blob != "" && e.Blob == "":
		return t.wrong(ctx, d, "is no link into the store")
	case d.Blob != e.Blob:
		return t.wrong(ctx, d, "leads to "+e.Blob)
	case d.Blob != "":
		return nil
	}
	text, err := t.cfg.Works.Read(e.Name)
	if err != nil && !errors.Is(err, blob.ErrForeign) {
		return err
	}
	if sum := sha256.Sum256(text); err != nil || hex.EncodeToString(sum[:]) != d.Sidecar {
		return t.wrong(ctx, d, "is not what the catalog makes of the record")
	}
	return nil
}

// wrong tells of a link or sidecar that is missing or wrong, and makes it anew. What
// is neither link nor file, and so nothing of ours, is left in its place.
func (t *tree) wrong(ctx context.Context, d due, note string) error {
	found := Finding{Kind: Link, Path: "works/" + d.Name, ArtifactID: d.ID, Note: note}
	if d.Blob == "" {
		found.Kind = Sidecar
	}
	if t.cfg.Repair != nil {
		switch err := t.makeAnew(ctx, d); {
		case errors.Is(err, blob.ErrForeign):
			found.Note = note + "; something else has its place, and is left alone"
		case err != nil:
			return err
		default:
			found.Repair = "made anew"
		}
	}
	return t.found(found)
}

func (t *tree) makeAnew(ctx context.Context, d due) error {
	if d.Blob != "" {
		return t.cfg.Works.Link(d.Work, d.Blob)
	}
	r, err := t.cfg.Store.Get(ctx, d.ID)
	if err != nil {
		return err
	}
	if r.File == nil {
		return fmt.Errorf("record of %s: its file is gone", d.ID)
	}
	return t.cfg.Works.Write(d.Name, sidecar.Encode(r))
}

// stray tells of a link into the store that belongs to no work, and removes it: links
// can be made again. Other things are the user's.
func (t *tree) stray(e blob.Entry) (err error) {
	if e.Blob == "" || t.coming(e.Modified) {
		return nil
	}
	found := Finding{Kind: Link, Path: "works/" + e.Name, Note: "no work has this name"}
	if t.cfg.Repair != nil {
		if err := t.cfg.Works.Remove(e); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		found.Repair = "removed"
	}
	return t.found(found)
}
