package intake

import (
	"errors"
	"fmt"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// column is what a CSV column or a JSON field holds. Those with identifiers come
// in the order in which the first of two that disagree is believed.
type column int

const (
	none     column = iota
	chosenID        // named by Options.IDColumn, of no known name
	artifactID
	doi
	arxiv
	pmcid
	pmid
	openAlex
	webURL
	id // may be a local label
	title
	columns
)

func (c column) String() string {
	return [columns]string{
		"", "chosen column", "artifact_id", "doi", "arxiv", "pmcid", "pmid", "openalex", "url", "id", "title",
	}[c]
}

// isKind reports whether the column holds identifiers of one kind.
func (c column) isKind() bool { return doi <= c && c <= webURL }

// label makes an identifier of the column's kind out of what may be bare.
func (c column) label() string {
	if c.isKind() {
		return c.String() + ":"
	}
	return ""
}

// fieldColumn returns the column of a JSON field.
func fieldColumn(name []byte) column {
	switch string(name) {
	case "artifact_id":
		return artifactID
	case "doi":
		return doi
	case "arxiv":
		return arxiv
	case "pmcid":
		return pmcid
	case "pmid":
		return pmid
	case "openalex":
		return openAlex
	case "url":
		return webURL
	case "id":
		return id
	case "title":
		return title
	}
	return none
}

// looseColumn returns the column of a CSV header, in the spellings of common
// exports: "PubMed ID", "arXiv_id".
func looseColumn(name string) column {
	name = strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	switch name {
	case "artifactid":
		return artifactID
	case "arxivid", "eprint":
		return arxiv
	case "pmc":
		return pmcid
	case "pubmedid", "pubmed":
		return pmid
	case "openalexid":
		return openAlex
	case "link":
		return webURL
	case "identifier":
		return id
	}
	return fieldColumn([]byte(name))
}

// fields is what one row says of one work.
type fields struct {
	text      [columns]string
	idIsOther bool // id is there but no string
	hasKind   bool // there is a field for one kind of identifier, though maybe empty
}

var errNoID = errors.New("no identifier in the row")

// artifact returns the row's artifact: that of the must column, or if that is
// none, of the best kind of identifier, in the order DOI, arXiv, PMCID, PMID,
// OpenAlex, URL. It has the identifiers of all columns. Columns that hold none
// are an error only if no other does.
func (f *fields) artifact(must column) (paper.Artifact, error) {
	var known finding
	for c := chosenID; c <= id; c++ {
		text := f.text[c]
		if isBlank(text) {
			continue
		}
		if c == id && c != must && f.hasKind && strings.Trim(text, "0123456789") == "" {
			continue // the number of the row, no PMID
		}
		if c == pmid || c == pmcid {
			text = strings.TrimSuffix(text, ".0") // spreadsheets make numbers of them
		}
		a, err := paper.ParseID(c.label() + text)
		if err != nil {
			if c == must {
				return paper.Artifact{}, err
			}
			known.spoilt(c.String(), err)
			continue
		}
		known.add(a, c == must)
	}
	switch {
	case must != none && isBlank(f.text[must]):
		return paper.Artifact{}, errNoID
	case known.best.ID == "" && known.fault == nil && f.idIsOther:
		return paper.Artifact{}, errors.New("id is not a string")
	}
	return known.artifact()
}

// finding collects the identifiers of one work.
type finding struct {
	best   paper.Artifact // of the kind about which most can be asked, unless another was chosen
	chosen bool
	all    paper.IDs // the first of each kind
	fault  error     // the first
}

func (f *finding) add(a paper.Artifact, chosen bool) {
	f.all.Merge(a.IDs)
	if f.best.ID == "" || chosen || !f.chosen && rank(a) < rank(f.best) {
		f.best, f.chosen = a, chosen
	}
}

// spoilt notes that what should be an identifier is none.
func (f *finding) spoilt(name string, err error) {
	if f.fault == nil {
		f.fault = fmt.Errorf("%s: %w", name, err)
	}
}

// artifact returns the best artifact with the identifiers of all. What is no
// identifier is an error only if nothing else is one.
func (f *finding) artifact() (paper.Artifact, error) {
	switch {
	case f.best.ID != "":
		a := f.best
		a.IDs.Merge(f.all)
		return a, nil
	case f.fault != nil:
		return paper.Artifact{}, f.fault
	}
	return paper.Artifact{}, errNoID
}

// rank orders artifacts by how much can be asked about their kind.
func rank(a paper.Artifact) int {
	for i, known := range []string{a.IDs.DOI, a.IDs.ArXiv, a.IDs.PMCID, a.IDs.PMID, a.IDs.OpenAlex} {
		if known != "" {
			return i
		}
	}
	return 5
}

// isBlank reports whether a cell is empty, in one of the ways programs write
// that.
func isBlank(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "", "-", "n/a", "#n/a", "na", "nan", "none", "null":
		return true
	}
	return false
}
