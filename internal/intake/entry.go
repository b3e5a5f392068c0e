package intake

import (
	"bytes"
	"errors"
	"regexp"
	"strings"

	"github.com/quire-dev/quire/paper"
)

const (
	// maxValue is how much of a field of an entry is looked at, in bytes. No
	// identifier is as long; notes may be.
	maxValue = 16 << 10
	// maxValues is how many values of one kind an entry may have. Web of Science
	// lists a few URLs; nobody lists a hundred.
	maxValues = 20
)

// slot is what a field of a bibliography's entry holds: a column, or text that
// may have an identifier in it.
type slot int

const (
	ignored   = slot(none)
	remark    = slot(columns) + iota // text in which a DOI or an arXiv id may be mentioned
	maybeID                          // an identifier, or anything else
	arxivNote                        // text in which an arXiv id may be mentioned
	note                             // lines such as "PMID: 123", as Zotero keeps what has no field; else a remark
)

// entry is what one entry of a bibliography says of one work. Unlike a table's
// row it often names a work several times, and not always well.
type entry struct {
	values  [columns][]string
	loose   []string // see maybeID
	remarks []string
	arxivs  []string // see arxivNote
	title   string
	fault   error
}

func (e *entry) reset() {
	for c := range e.values {
		e.values[c] = e.values[c][:0]
	}
	e.loose, e.remarks, e.arxivs = e.loose[:0], e.remarks[:0], e.arxivs[:0]
	e.title, e.fault = "", nil
}

// add notes the text of a field.
func (e *entry) add(s slot, text string) {
	if len(text) > maxValue {
		text = text[:maxValue]
	}
	if s == slot(title) {
		if e.title == "" {
			e.title = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "")
		}
		return
	}
	if isBlank(text) {
		return
	}
	switch s {
	case ignored:
	case remark:
		e.remarks = limited(e.remarks, text)
	case arxivNote:
		e.arxivs = limited(e.arxivs, text)
	case maybeID:
		e.loose = limited(e.loose, text)
	case note:
		e.labelled(text)
		e.remarks = limited(e.remarks, text)
	default:
		e.values[s] = limited(e.values[s], text)
	}
}

func limited(list []string, text string) []string {
	if len(list) == maxValues {
		return list
	}
	return append(list, text)
}

// labelled reads lines such as "PMID: 123".
func (e *entry) labelled(text string) {
	for line := range strings.Lines(text) {
		label, value, found := strings.Cut(line, ":")
		if !found {
			continue
		}
		if c := looseColumn(label); doi <= c && c <= pmid {
			e.add(slot(c), strings.TrimSpace(value))
		}
	}
}

// artifact returns the entry's artifact, with all identifiers that are in it.
// What is only mentioned counts if nothing better than a URL is there.
func (e *entry) artifact() (paper.Artifact, error) {
	var known finding
	for c := doi; c <= id; c++ {
		for _, text := range e.values[c] {
			a, err := paper.ParseID(c.label() + text)
			if err != nil && c == doi {
				if within, ok := mentionedDOI(text); ok { // http://doi.acm.org/10.1145/1.2
					a, err = within, nil
				}
			}
			if err != nil {
				known.spoilt(c.String(), err)
				continue
			}
			known.add(a, false)
		}
	}
	for _, text := range e.loose {
		if a, err := paper.ParseID(text); err == nil && isTelling(a, text) {
			known.add(a, false)
		}
	}
	if known.best.ID == "" || known.best.IDs.URL != "" {
		e.mentions(&known)
	}
	if known.best.ID == "" && known.fault == nil && e.fault != nil {
		return paper.Artifact{}, e.fault
	}
	return known.artifact()
}

// isTelling reports whether a text that need not be an identifier can be nothing
// else: digits may be any number, W1 the number of an article, and a URL an
// entry's address in somebody's library.
func isTelling(a paper.Artifact, text string) bool {
	text = strings.ToLower(text)
	return a.IDs.DOI != "" || a.IDs.PMCID != "" ||
		a.IDs.ArXiv != "" && (strings.Contains(text, "arxiv") || strings.Contains(text, "/")) ||
		a.IDs.OpenAlex != "" && strings.Contains(text, "openalex")
}

func (e *entry) mentions(known *finding) {
	for _, text := range e.remarks {
		if a, ok := mentionedDOI(text); ok {
			known.add(a, false)
		} else if a, ok := mentionedArXiv(text); ok {
			known.add(a, false)
		}
	}
	for _, text := range e.arxivs {
		if a, ok := mentionedArXiv(text); ok {
			known.add(a, false)
		}
	}
}

// What an identifier looks like in the middle of text. The parser decides.
var (
	doiInText   = regexp.MustCompile(`(?:^|[^0-9.])(10\.[0-9]{4,9}(?:\.[0-9]+)*/[^\s"|]+)`)
	arxivInText = regexp.MustCompile(`(?i)(?:arxiv\s*:\s*|arxiv\.org/(?:abs|pdf)/)([^\s"|,;\])}]+)`)
)

// mentionedDOI returns the DOI in a text, if there is exactly one: of two, one is
// another work's.
func mentionedDOI(text string) (paper.Artifact, bool) {
	return only(doiInText, text, func(found string, at int) (paper.Artifact, error) {
		before := text[:at]
		before = before[strings.LastIndexAny(before, " \t\n")+1:]
		if strings.Contains(before, "://") { // within a URL, which goes on behind it
			if end := strings.IndexAny(found, "?&#"); end >= 0 {
				found = found[:end]
			}
			return paper.ParseID("https://doi.org/" + found)
		}
		return paper.ParseID(found)
	})
}

func mentionedArXiv(text string) (paper.Artifact, bool) {
	return only(arxivInText, text, func(found string, _ int) (paper.Artifact, error) {
		return paper.ParseID("arxiv:" + strings.TrimSuffix(strings.TrimRight(found, "."), ".pdf"))
	})
}

// only returns the artifact that all matches in a text are, if they are one.
func only(pattern *regexp.Regexp, text string, parse func(found string, at int) (paper.Artifact, error)) (one paper.Artifact, ok bool) {
	for _, m := range pattern.FindAllStringSubmatchIndex(text, -1) {
		a, err := parse(text[m[2]:m[3]], m[2])
		if err != nil {
			continue
		}
		if ok && a.ID != one.ID {
			return paper.Artifact{}, false
		}
		one, ok = a, true
	}
	return one, ok
}

// row makes the row of an entry that begins at a line, or its Reject.
func (e *entry) row(line int, text []byte, what string) (Row, error) {
	a, err := e.artifact()
	if errors.Is(err, errNoID) {
		err = errors.New("no identifier in " + what)
	}
	if err != nil {
		return Row{}, newReject(line, firstLine(text), err)
	}
	return Row{Line: line, Artifact: a, Title: e.title}, nil
}

// shownBytes is how much of a row a Reject has at most.
const shownBytes = 200

// firstLine is what a Reject shows of an entry of several lines.
func firstLine(text []byte) []byte {
	text, _, _ = bytes.Cut(text[:min(len(text), shownBytes)], []byte("\n"))
	return bytes.TrimRight(text, " \t\r")
}
