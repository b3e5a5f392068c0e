// Package intake turns a stream of identifiers, in any of the formats people
// have them in, into artifacts: row by row, whatever the size of the stream,
// in about 2 MiB of memory (OpenAlex: 20 MiB, its works are large). A bad row is reported with its line and costs no
// other row.
//
// A format is a function that reads from an [input] and yields rows; [Formats]
// and readerOf list them.
package intake

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/quire-dev/quire/paper"
)

const (
	// maxLine is how long a line of any format may be, and a CSV record of
	// several lines, in bytes.
	maxLine = 1 << 20
	// maxSkip is how much of a longer line is skipped before the stream is given
	// up: no file of rows has such a line, but /dev/zero and gzip bombs do.
	maxSkip = 4 << 30
	// maxBetween is how much that is no row may stand between two, in a format
	// where anything may. Nobody writes as long a comment.
	maxBetween = 256 << 20
	// defaultMaxBytes is a few times the largest dump of one row per work.
	defaultMaxBytes = 1 << 40
)

// Options say how to read a stream. The zero Options tell the format from its
// first bytes.
type Options struct {
	Name   string // of the file, whose extension may tell the format; may be empty
	Format Format // empty: Auto

	// IDColumn names the CSV column or JSON field that holds the identifier, or
	// gives the number of the CSV column, from 1. Empty: columns are found by
	// their names.
	IDColumn string

	// NeedsColumn makes it an error that IDColumn is set and the format has no columns.
	NeedsColumn bool

	// MaxBytes is how long the stream may be once decompressed; 0 means 1 TiB.
	MaxBytes int64
}

// Row is a good row.
type Row struct {
	Line     int // from 1; where the row begins
	Artifact paper.Artifact
	Title    string // empty if the row has none
}

// ErrNoColumn says that no column of a table is known by its name to hold
// identifiers, and none is named.
var ErrNoColumn = errors.New("no column is known to hold identifiers")

// Reject is a bad row. As an error of [Read] it concerns that row only.
type Reject struct { //nolint:errname // first a row of the rejects file, then an error
	Line   int    // from 1
	Text   string // the row's beginning, at most 200 bytes, unprintable characters escaped
	Reason string
}

func (r *Reject) Error() string { return fmt.Sprintf("line %d: %s", r.Line, r.Reason) }

// Read returns the rows of r in order, each once. An error that is a [*Reject]
// is about one row, and the rows after it follow. Any other error ends the
// stream: what came before it is good, what would come after it is unknown.
//
// Gzip, also of several members, is recognised by its first bytes, as is a byte
// order mark. The sequence can be run once.
func Read(r io.Reader, opt Options) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if err := read(r, opt, yield); err != nil {
			yield(Row{}, err)
		}
	}
}

// read returns nil once yield has returned false.
func read(r io.Reader, opt Options, yield func(Row, error) bool) error {
	in, err := open(r, opt)
	if errors.Is(err, io.EOF) {
		return nil // empty
	}
	if err != nil {
		return err
	}
	if opt.Format == "" || opt.Format == Auto {
		if opt.Format, err = in.detect(opt.Name); err != nil {
			return err
		}
	}
	if opt.NeedsColumn && opt.IDColumn != "" && opt.Format != CSV && opt.Format != JSONL {
		return fmt.Errorf("a column for the identifiers is named, and this is %s, which has none", opt.Format)
	}
	readFormat := readerOf(opt.Format)
	if readFormat == nil {
		return fmt.Errorf("no input format %q: the formats are %q", opt.Format, Formats())
	}
	if err := readFormat(in, opt, yield); err != nil {
		return fmt.Errorf("after line %d: %w", in.line, err)
	}
	return nil
}
