package paper

import (
	"slices"
	"strings"
)

// Formats lists what an artifact may be of a work, the usual one first.
func Formats() []Kind { return []Kind{PDF, XML, Source, HTML, Supplement} }

// As returns the artifact that is the same work in another format. The id of a
// PDF is that of the work; others have the format before it, as in
// xml:doi:10.1371/journal.pone.0000001.
func (a Artifact) As(format Kind) Artifact {
	_, work := cutFormat(a.ID)
	a.ID, a.Format = work, ""
	if format != PDF && format != "" {
		a.ID, a.Format = string(format)+":"+work, format
	}
	return a
}

// Wants returns the kind of candidate that gives the artifact.
func (a Artifact) Wants() Kind {
	if a.Format == "" {
		return PDF
	}
	return a.Format
}

// cutFormat takes the format off the front of an artifact's id. There is one only
// before an id in its canonical form, which begins with its kind.
func cutFormat(id string) (format Kind, work string) {
	word, rest, found := strings.Cut(id, ":")
	kind, _, canonical := strings.Cut(rest, ":")
	if !found || !canonical || Kind(word) == PDF || !slices.Contains(Formats(), Kind(word)) {
		return "", id
	}
	switch kind {
	case "doi", "arxiv", "pmcid", "pmid", "openalex", "url":
		return Kind(word), rest
	}
	return "", id
}
