package export

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
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

// put links or copies a file and checks its sum. What is wrong with the file is
// an unfitError.
func put(from, to, sum string) (size int64, err error) {
	info, err := os.Lstat(from)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", from)
	}
	if err != nil {
		return 0, &unfitError{err}
	}
	in, err := os.Open(from)
	if err != nil {
		return 0, &unfitError{err}
	}
	defer in.Close()
	if _, err := os.Lstat(to); err == nil {
		return 0, &unfitError{fmt.Errorf("%s: another file has its place", to)}
	}
	read := sha256.New()
	if os.Link(from, to) == nil {
		size, err = io.Copy(read, in)
		if err != nil {
			err = &unfitError{err}
		}
	} else {
		size, err = copyTo(to, in, read)
	}
	if err == nil && hex.EncodeToString(read.Sum(nil)) != sum {
		err = &unfitError{fmt.Errorf("%s: its SHA-256 is not that of the record", from)}
	}
	if err != nil {
		return 0, errors.Join(err, ignoreMissing(os.Remove(to)))
	}
	return size, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func copyTo(to string, in io.Reader, sum io.Writer) (int64, error) {
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return 0, err
	}
	size, err := io.Copy(io.MultiWriter(out, sum), in)
	return size, errors.Join(err, out.Sync(), out.Close())
}

// tag writes the files about the bag.
func (b *bag) tag(version string) error {
	info := fmt.Sprintf("Bag-Software-Agent: quire %s\nBagging-Date: %s\nPayload-Oxum: %d.%d\n",
		version, time.Now().UTC().Format(time.DateOnly), b.payload, b.done.Files+1)
	sums := fmt.Sprintf("%s  %s\n", b.manifest.sum(), b.manifest.name)
	for _, f := range []struct{ name, text string }{
		{"bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"},
		{"bag-info.txt", info},
	} {
		sum, err := b.write(f.name, f.text)
		if err != nil {
			return err
		}
		sums += fmt.Sprintf("%s  %s\n", sum, f.name)
	}
	if _, err := b.write("tagmanifest-sha256.txt", sums); err != nil {
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

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// tagFile is a file of the bag that we write ourselves, with its sum and size.
type tagFile struct {
	name string
	file *os.File
	hash hash.Hash
	size int64
	rest []byte // not written yet
}

func (b *bag) create(name string) (*tagFile, error) {
	f, err := os.OpenFile(filepath.Join(b.dir, filepath.FromSlash(name)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, err
	}
	return &tagFile{name: name, file: f, hash: sha256.New()}, nil
}

// Write implements [io.Writer].
func (f *tagFile) Write(p []byte) (int, error) {
	_, _ = f.hash.Write(p)
	f.size += int64(len(p))
	if f.rest = append(f.rest, p...); len(f.rest) < 64<<10 {
		return len(p), nil
	}
	return len(p), f.flush()
}

func (f *tagFile) flush() error {
	_, err := f.file.Write(f.rest)
	f.rest = f.rest[:0]
	return err
}

func (f *tagFile) sum() string { return hex.EncodeToString(f.hash.Sum(nil)) }

func (f *tagFile) close() error { return errors.Join(f.flush(), f.file.Sync(), f.file.Close()) }
