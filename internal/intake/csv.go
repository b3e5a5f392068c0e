package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/quire-dev/quire/paper"
)

func readCSV(in *input, opt Options, yield func(Row, error) bool) error {
	records := csvReader{in: in, comma: delimiter(opt.Name, in.peek())}
	var head *header
	for {
		cells, line, err := records.next()
		var bad *Reject
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			if !yield(Row{}, bad) {
				return nil
			}
			continue
		case err != nil:
			return err
		case isEmpty(cells):
			continue
		}
		if head == nil {
			var named bool
			if head, named, err = newHeader(cells, opt.IDColumn); err != nil {
				return err
			}
			if named {
				continue
			}
		}
		row, err := head.row(cells)
		row.Line = line
		if err != nil {
			row, err = Row{}, newReject(line, records.text(cells), err)
		}
		if !yield(row, err) {
			return nil
		}
	}
}

// delimiter returns the one that the first line has most of.
func delimiter(name string, head []byte) byte {
	switch path.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz")) {
	case ".tsv", ".tab":
		return '\t'
	}
	first, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n"), []byte("\n"))
	best, most := byte(','), 0
	for _, c := range []byte(",;\t") {
		if n := bytes.Count(first, []byte{c}); n > most {
			best, most = c, n
		}
	}
	return best
}

func isEmpty(cells [][]byte) bool {
	for _, cell := range cells {
		if len(bytes.TrimSpace(cell)) > 0 {
			return false
		}
	}
	return true
}

// header says what the columns hold.
type header struct {
	columns []column
	must    column // the user's choice
	hasKind bool   // a column holds identifiers of one kind
}

// newHeader makes the header of a table out of its first record, which may be
// data already: then named is false.
func newHeader(first [][]byte, idColumn string) (h *header, named bool, err error) {
	h = &header{columns: make([]column, len(first))}
	names := make([]string, len(first))
	for i, cell := range first {
		names[i] = strings.TrimSpace(string(cell))
		h.columns[i] = looseColumn(names[i])
		named = named || h.columns[i] != none && h.columns[i] != title
	}
	if idColumn != "" {
		return h.choose(names, idColumn, named)
	}
	if named {
		h.hasKind = slices.ContainsFunc(h.columns, column.isKind)
		return h, true, nil
	}
	for i, name := range names {
		if _, err := paper.ParseID(name); err == nil && (len(names) == 1 || strings.Trim(name, "0123456789") != "") {
			h.columns[i] = id
			return h, false, nil
		}
	}
	return nil, false, fmt.Errorf("%w: name one of %.20q", ErrNoColumn, few(names))
}

// few returns as many names as an error can show.
func few(names []string) []string { return names[:min(len(names), 20)] }

func (h *header) choose(names []string, idColumn string, named bool) (*header, bool, error) {
	for i, name := range names {
		if strings.EqualFold(name, idColumn) {
			h.mustHave(i)
			return h, true, nil
		}
	}
	n, err := strconv.Atoi(idColumn)
	if err != nil || n < 1 || n > len(names) {
		return nil, false, fmt.Errorf("no column %.60q: the columns are %.20q", idColumn, few(names))
	}
	if !named {
		_, err := paper.ParseID(names[n-1])
		named = err != nil
	}
	h.mustHave(n - 1)
	return h, named, nil
}

// mustHave makes column i the one that holds the identifier. Its name still
// tells the kind.
func (h *header) mustHave(i int) {
	h.must = h.columns[i]
	if h.must == none || h.must == title {
		h.must = chosenID
	}
	for j, c := range h.columns {
		if c == h.must {
			h.columns[j] = none // another of the same name
		}
	}
	h.columns[i] = h.must
}

func (h *header) row(cells [][]byte) (Row, error) {
	if len(cells) > len(h.columns) && !isEmpty(cells[len(h.columns):]) {
		return Row{}, fmt.Errorf("%d cells where the header has %d", len(cells), len(h.columns))
	}
	f := fields{hasKind: h.hasKind}
	for i, c := range h.columns {
		if c != none && i < len(cells) && f.text[c] == "" {
			f.text[c] = string(cells[i])
		}
	}
	a, err := f.artifact(h.must)
	return Row{Artifact: a, Title: strings.ToValidUTF8(f.text[title], "")}, err
}
