// Package blob keeps files under their SHA-256, so that the same bytes are kept
// once, a file cannot be overwritten by another, and damage shows.
//
// A file comes to its final path only whole and durable: on this machine ([Local]) it
// is written aside, synced, renamed, and the directories that changed are synced; to
// an S3 service ([S3]) it is sent when it is whole. Whoever has a [Blob] from Commit
// may record it and forget about crashes and power cuts.
package blob

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

var (
	// ErrBadKey says that a text is not the Path of a blob.
	ErrBadKey = errors.New("not the path of a blob")
	// ErrForeign says that something else is where a file, a directory or a link
	// of ours should be: a planted symlink, for example. It is left alone.
	ErrForeign = errors.New("something else is in its place")
)

// Store keeps blobs. Implementations are safe for concurrent use.
type Store interface {
	// Create begins a new blob. name appears in the name of the temporary file:
	// letters, digits, dots, dashes and underscores, at most 100 of them, such
	// as "42-7" for the job and its token. It need not be unique. The end of ctx does
	// not end the Writer.
	Create(ctx context.Context, name string) (Writer, error)
	// Open opens the blob at key, a Blob.Path, and says how many bytes it has.
	// Its error is ErrBadKey, ErrForeign, fs.ErrNotExist, or one of reading.
	Open(ctx context.Context, key string) (io.ReadSeekCloser, int64, error)
	// Walk calls fn for each file kept, in the order of the paths, until fn or
	// ctx returns an error. A file that is no blob comes with an empty SHA256.
	Walk(ctx context.Context, fn func(Blob) error) error
}

// Quarantine is a [Store] that can move files out of the way. Nothing is deleted.
type Quarantine interface {
	// SetAside moves the file at key, a Blob.Path that Open or Walk gave, to where no
	// blob is looked for, and returns that place: a path relative to the directory
	// above the store. What is no blob is moved too, and a symlink is moved itself.
	// Its error is fs.ErrNotExist if nothing is there, or fs.ErrInvalid for another key.
	SetAside(ctx context.Context, key string) (place string, err error)
}

// Writer takes the bytes of one blob. It is for one goroutine. Its errors wrap
// those of the disk or of the service; see [OutOfService].
type Writer interface {
	io.Writer
	// Sum returns the SHA-256 of the bytes written so far, in hex.
	Sum() string
	// Commit makes the blob durable under its hash and ext: ".pdf", ".tar.gz",
	// or "" for none. It ends the writer, with or without an error; after an error nothing
	// of it is left. A ctx that has ended makes it give up before the blob shows.
	Commit(ctx context.Context, ext string) (Blob, error)
	// Abort drops the blob. After Commit it does nothing, so it can be deferred.
	Abort() error
}

// Blob is a file kept under its hash.
type Blob struct {
	Path    string // sha256/ab/cd/<sha256>.pdf: with slashes, relative to the store
	SHA256  string // hex
	Bytes   int64
	Existed bool // it was there before: nothing was written

	// Modified is when the file was stored or was last found there by a Commit; of
	// Walk only.
	Modified time.Time
}

const top = "sha256"

// keyFor returns the path of a blob.
func keyFor(sum, ext string) string {
	return dirFor(sum) + "/" + sum + ext
}

func dirFor(sum string) string { return top + "/" + sum[:2] + "/" + sum[2:4] }

// parseKey returns the hash in the path of a blob. It takes no other way to
// write the path, so a key cannot lead out of the store.
func parseKey(key string) (sum string, err error) {
	ext := extOf(key)
	sum = strings.TrimSuffix(key[strings.LastIndexByte(key, '/')+1:], ext)
	if !isHash(sum) || checkExt(ext) != nil || key != keyFor(sum, ext) {
		return "", fmt.Errorf("%q: %w", key, ErrBadKey)
	}
	return sum, nil
}

// IsPath reports whether a text is the Path that a blob has.
func IsPath(text string) bool {
	_, err := parseKey(text)
	return err == nil
}

func isHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && s == strings.ToLower(s)
}

// checkExt accepts "", extensions such as .pdf and .xml, and those of compressed
// archives such as .tar.gz. What else has two parts, such as .pdf.gz, somebody made
// of a blob.
func checkExt(ext string) error {
	parts := strings.Split(ext, ".")
	bad := parts[0] != "" || len(parts) > 3 || len(parts) == 3 && parts[1] != "tar"
	for _, part := range parts[1:] {
		odd := strings.IndexFunc(part, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
		bad = bad || part == "" || len(part) > 8 || odd >= 0
	}
	if bad {
		return fmt.Errorf("extension %q: want a dot and 1 to 8 lower-case letters or digits, before it .tar or nothing", ext)
	}
	return nil
}

// extOf returns the extension in the path of a blob; its hash has no dot.
func extOf(key string) string {
	name := key[strings.LastIndexByte(key, '/')+1:]
	if dot := strings.IndexByte(name, '.'); dot >= 0 {
		return name[dot:]
	}
	return ""
}
