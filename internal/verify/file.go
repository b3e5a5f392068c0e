package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/verdict"
	"github.com/quire-dev/quire/paper"
)

// file is a stored file that records name, being checked. Most are named by one.
type file struct {
	*join
	blob  blob.Blob
	place string // it was set aside there

	read  bool // what follows is known
	as    verdict.Expect
	sum   string
	bytes int64
	judge verdict.Verdict
	err   error
}

// check tells what is wrong with the file for one of the records that name it.
func (f *file) check(ctx context.Context, to ref) (err error) {
	found := Finding{Path: f.shown(f.blob.Path), ArtifactID: to.ID}
	if err := f.look(ctx, verdict.Expect{Format: to.Format, MD5: to.MD5, ContentType: to.Media}); err != nil {
		return err
	}
	found.Kind, found.Note = f.wrong(to)
	if found.Kind == "" {
		return nil
	}
	// A file that can't be read now may be well: who can't read it can't say.
	if f.cfg.Repair != nil && found.Kind != Unreadable {
		if found.Repair, err = f.repair(ctx, to, found.Kind); err != nil {
			return err
		}
	}
	return f.found(found)
}

// wrong says what contradicts a record.
func (f *file) wrong(to ref) (Kind, string) {
	switch {
	case f.err != nil:
		return Unreadable, f.err.Error()
	case f.sum != f.blob.SHA256:
		return Damaged, fmt.Sprintf("its %d bytes have the SHA-256 %s; the record says %d bytes", f.bytes, f.sum, to.Bytes)
	case to.SHA256 != "":
		return Size, "the record says SHA-256 " + to.SHA256
	case f.bytes != to.Bytes:
		return Size, fmt.Sprintf("it is whole and has %d bytes; the record says %d", f.bytes, to.Bytes)
	case !to.Kept && !f.judge.Level.Usable() && string(f.judge.Level) != to.Verdict:
		return Rejected, f.judge.Reason
	}
	return "", ""
}

// repair moves a file that is no good aside, once, and has the artifact got again.
func (f *file) repair(ctx context.Context, to ref, kind Kind) (did string, err error) {
	if f.place == "" && (kind == Damaged || kind == Rejected) {
		if f.place, err = f.cfg.Repair.Blobs.SetAside(ctx, f.blob.Path); err != nil {
			return "", err
		}
	}
	if did, err = f.forget(ctx, to, f.blob.Path); err != nil {
		return "", err
	}
	if f.place != "" {
		did = strings.TrimSuffix("moved to "+f.place+", "+did, ", ")
	}
	return did, nil
}

// look reads the file, unless it was read with the same expectation. Its error is
// that of ctx; one of reading is f.err.
func (f *file) look(ctx context.Context, as verdict.Expect) error {
	known := f.read && (f.as == as || f.place != "" || f.err != nil)
	if known {
		return nil
	}
	judge := f.judges[as.Format]
	if judge == nil {
		judge = new(verdict.Judge)
		f.judges[as.Format] = judge
	}
	judge.Reset(as)
	sum := sha256.New()
	f.bytes, f.err = f.copy(ctx, f.blob.Path, io.MultiWriter(sum, judge))
	f.read, f.as, f.sum, f.judge = true, as, hex.EncodeToString(sum.Sum(nil)), judge.Verdict()
	f.Bytes += f.bytes
	return ctx.Err()
}

// copy reads a file of the store until ctx ends.
func (j *join) copy(ctx context.Context, key string, to io.Writer) (n int64, err error) {
	in, _, err := j.cfg.Files.Open(ctx, key)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	return io.Copy(to, untilDone{ctx, in})
}

// untilDone is a reader that gives up when ctx ends.
type untilDone struct {
	ctx context.Context //nolint:containedctx // of the one call that reads
	in  io.Reader
}

func (r untilDone) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

// whole reports whether a file has the bytes that its name says.
func (j *join) whole(ctx context.Context, b blob.Blob) bool {
	sum := sha256.New()
	_, err := j.copy(ctx, b.Path, sum)
	return err == nil && hex.EncodeToString(sum.Sum(nil)) == b.SHA256
}

// rename stores a whole file under the extension that a record names, as if it had
// just been got.
func (j *join) rename(ctx context.Context, from, to string) (did string, err error) {
	w, err := j.cfg.Repair.Blobs.Create(ctx, "verify")
	if err != nil {
		return "", err
	}
	defer w.Abort()
	if _, err := j.copy(ctx, from, w); err != nil {
		return "", err
	}
	if _, err := w.Commit(ctx, strings.TrimPrefix(path.Base(to), sumOf(to))); err != nil {
		return "", err
	}
	return "stored under its extension", nil
}

// formatOf is the format of an artifact's id.
func formatOf(id string) paper.Kind {
	a, err := paper.ParseID(id)
	if err != nil {
		return ""
	}
	return a.Format
}
