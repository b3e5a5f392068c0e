package export

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Bagged is what a bag has in it.
type Bagged struct {
	Files   int   // of artifacts
	Bytes   int64 // of these files
	LeftOut int   // artifacts whose file is missing, damaged or elsewhere
}

const (
	dirMode  = 0o750
	fileMode = 0o640
)

// Bag makes a bag (BagIt 1.0, RFC 8493) of the files of artifacts that are done
// in the directory target, which must not exist: it is made beside and renamed
// when it is whole. Files are hard links to those in data where the system can,
// else copies; each is read and must have its checksum. leftOut is told of those
// that can't be had, and why; the bag is without them.
//
// data/manifest.jsonl has a line per file, whose path is that in the bag:
// data/works/ and the artifact's [paper.Artifact.Path] with = for %, which BagIt
// would have to write otherwise in its manifest.
func Bag(ctx context.Context, target string, src report.Source, opt Options, data string, leftOut func(artifactID string, why error)) (done Bagged, err error) {
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return done, fmt.Errorf("make bag %s: %w", target, err)
	}
	parent, name := filepath.Split(filepath.Clean(target))
	aside := filepath.Join(parent, "."+name+".partial-"+rand.Text()[:8])
	if err := os.Mkdir(aside, dirMode); err != nil {
		return done, fmt.Errorf("make bag %s: %w", target, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("make bag %s: %w", target, err), os.RemoveAll(aside))
		}
	}()
	b := bag{dir: aside, data: data}
	opt.States = []queue.State{queue.Done}
	if err := b.fill(ctx, src, opt, leftOut); err != nil {
		return done, err
	}
	if err := b.tag(opt.Version); err != nil {
		return done, err
	}
	if err := os.Rename(aside, target); err != nil {
		return done, err
	}
	return b.done, syncDir(filepath.Join(parent, "."))
}

// bag is a bag in the making.
type bag struct {
	dir, data string
	done      Bagged
	manifest  *tagFile // manifest-sha256.txt
	payload   int64    // bytes of all files in data/
}

// fill writes data/ and its manifest.
func (b *bag) fill(ctx context.Context, src report.Source, opt Options, leftOut func(string, error)) (err error) {
	if err := os.Mkdir(filepath.Join(b.dir, "data"), dirMode); err != nil {
		return err
	}
	if b.manifest, err = b.create("manifest-sha256.txt"); err != nil {
		return err
	}
	lines, err := b.create("data/manifest.jsonl")
	if err != nil {
		return errors.Join(err, b.manifest.close())
	}
	_, err = each(ctx, src, opt, func(l report.Line) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := b.add(&l)
		if unfit, ok := errors.AsType[*unfitError](err); ok {
			b.done.LeftOut++
			leftOut(l.ArtifactID, unfit.err)
			return nil
		}
		if err != nil {
			return err
		}
		b.done.Files++
		b.done.Bytes += n
		return writeLine(lines, l)
	})
	if err = errors.Join(err, lines.close()); err != nil {
		return errors.Join(err, b.manifest.close())
	}
	b.payload = b.done.Bytes + lines.size
	return errors.Join(b.list(lines.sum(), lines.name), b.manifest.close())
}

// list adds a file to the manifest.
func (b *bag) list(sum, name string) error {
	_, err := fmt.Fprintf(b.manifest, "%s  %s\n", sum, encoded(name))
	return err
}

// encoded writes a path as manifests have it (RFC 8493 §2.1.3).
func encoded(name string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(name)
}

// unfitError says why an artifact's file can't be in the bag.
type unfitError struct{ err error }

func (e *unfitError) Error() string { return e.err.Error() }
func (e *unfitError) Unwrap() error { return e.err }

// add puts the file of a line into the bag and makes the line's path that in it.
func (b *bag) add(l *report.Line) (size int64, err error) {
	if l.Path == nil || l.SHA256 == nil {
		return 0, &unfitError{errors.New("it has no file")}
	}
	if strings.Contains(*l.Path, "://") {
		return 0, &unfitError{fmt.Errorf("%s is on another machine", *l.Path)}
	}
	from := filepath.FromSlash(*l.Path)
	switch {
	case filepath.IsLocal(from):
		from = filepath.Join(b.data, from)
	case !filepath.IsAbs(from):
		return 0, &unfitError{fmt.Errorf("%s is not in the data directory", *l.Path)}
	}
	name := "data/works/" + strings.ReplaceAll(paper.Artifact{ID: l.ArtifactID}.Path(), "%", "=") + filepath.Ext(from)
	to := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), dirMode); err != nil {
		return 0, err
	}
	if size, err = put(from, to, *l.SHA256); err != nil {
		return 0, err
	}
	l.Path = &name
	return size, b.list(*l.SHA256, name)
}

// tag writes the files about the bag.
func (b *bag) tag(version string) error {
	info := fmt.Sprintf("Bag-Software-Agent: quire %s\nBagging-Date: %s\nPayload-Oxum: %d.%d\n",
		version, time.Now().UTC().Format(time.DateOnly), b.payload, b.done.Files+1)
	var sums strings.Builder
	fmt.Fprintf(&sums, "%s  %s\n", b.manifest.sum(), b.manifest.name)
	for _, f := range []struct{ name, text string }{
		{"bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"},
		{"bag-info.txt", info},
	} {
		sum, err := b.write(f.name, f.text)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, f.name)
	}
	if _, err := b.write("tagmanifest-sha256.txt", sums.String()); err != nil {
		return err
	}
	return syncDir(b.dir)
}

func (b *bag) write(name, text string) (sum string, err error) {
	f, err := b.create(name)
	if err != nil {
		return "", err
	}
	_, err = io.WriteString(f, text)
	return f.sum(), errors.Join(err, f.close())
}
