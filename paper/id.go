package paper

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// maxID is how many bytes Artifact.ID has at most.
const maxID = 1 << 10

// tail is the punctuation that may follow an identifier in running text.
const tail = `.,;:"')]}>`

// ParseID reads an identifier in any of the forms people write and returns its
// artifact. It is total: every text gives either an artifact with a canonical ID
// or an error that wraps [ErrBadID] and says what is wrong with it.
//
// It takes DOIs, arXiv ids, PMCIDs, PMIDs, OpenAlex ids and http(s) URLs, with
// or without a label ("doi:", "PMID ", "info:doi/"), in quotes or brackets, and
// as the URLs under which doi.org, arXiv, PMC, Europe PMC, PubMed and OpenAlex
// show them, also through a library's proxy. Bare digits are a PMID. Other URLs
// are artifacts of their own. A canonical ID gives itself, with its format before it
// or without.
func ParseID(text string) (Artifact, error) {
	if len(text) > maxURL {
		return Artifact{}, bad("%d bytes are more than any identifier has", len(text))
	}
	text, err := tidy(text)
	if err != nil {
		return Artifact{}, err
	}
	if text == "" {
		return Artifact{}, bad("empty")
	}
	if format, work := cutFormat(text); format != "" {
		a, err := parseWork(work)
		if err != nil {
			return Artifact{}, err
		}
		return a.As(format), nil
	}
	return parseWork(text)
}

func parseWork(text string) (Artifact, error) {
	if kind, rest := cutLabel(text); kind != "" {
		return parseLabelled(kind, rest)
	}
	return parseBare(text)
}

// idError wraps ErrBadID. It is put into words only when they are asked for,
// because a column of local labels makes millions of them.
type idError struct {
	format string
	args   []any
}

// bad returns an error that wraps ErrBadID. Texts go in as %q, cut to what is
// readable.
func bad(format string, args ...any) error { return &idError{format, args} }

func (e *idError) Error() string { return ErrBadID.Error() + ": " + fmt.Sprintf(e.format, e.args...) }
func (e *idError) Unwrap() error { return ErrBadID }

// parseLabelled reads what follows a label. It must be of the labelled kind, but
// may have the label again or be a URL.
func parseLabelled(kind, text string) (Artifact, error) {
	text = unwrap(text)
	if again, rest := cutLabel(text); again == kind {
		text = unwrap(rest)
	}
	switch {
	case text == "":
		return Artifact{}, bad("nothing follows the label %q", kind)
	case kind == "url" || isHTTP(text):
		a, err := parseLink(text)
		isArXivDOI := kind == "doi" && a.IDs.ArXiv != ""
		if err == nil && kind != "url" && !isArXivDOI && !strings.HasPrefix(a.ID, kind+":") {
			return Artifact{}, bad("labelled as %s but is %.60q", kind, a.ID)
		}
		return a, err
	default:
		return parseKind(kind, text)
	}
}

func parseKind(kind, text string) (Artifact, error) {
	switch kind {
	case "doi":
		return parseDOI(text)
	case "arxiv":
		return parseArXiv(text)
	case "pmcid":
		return parsePMCID(text)
	case "pmid":
		return parsePMID(text)
	default:
		return parseOpenAlex(text)
	}
}

// parseBare tells the kind of an identifier by its form.
func parseBare(text string) (Artifact, error) {
	trimmed := strings.TrimRight(text, tail)
	switch {
	case isHTTP(text):
		return parseLink(text)
	case strings.HasPrefix(text, "10.") || strings.HasPrefix(text, "10/"):
		return parseDOI(text)
	case isDigits(trimmed):
		return parsePMID(text)
	case len(trimmed) > 3 && hasFold(trimmed, "pmc") && isDigit(trimmed[3]):
		return parsePMCID(text)
	case hasFold(trimmed, "w") && isDigits(trimmed[1:]):
		return parseOpenAlex(text)
	case newArXiv.MatchString(trimmed) || oldArXiv.MatchString(trimmed):
		return parseArXiv(text)
	}
	if strings.Contains(text, "/") { // a URL without scheme?
		if u, err := parseURL("https://" + text); err == nil {
			if kind, id := u.identifier(); kind != "" {
				return parseKind(kind, id)
			}
		}
	}
	if strings.Contains(text, "://") {
		_, err := NormalizeURL(text)
		return Artifact{}, bad("%v", err)
	}
	return Artifact{}, bad("%.60q is no DOI, arXiv id, PMCID, PMID, OpenAlex id or URL", text)
}

// parsePMCID reads PMC123, PMC123.2 with a version, or 123.
func parsePMCID(text string) (Artifact, error) {
	id := strings.TrimRight(text, tail)
	if hasFold(id, "pmc") {
		id = id[len("pmc"):]
	}
	id, version, hasVersion := strings.Cut(id, ".")
	n, ok := number(id, 10)
	v, err := strconv.Atoi(version)
	if !ok || hasVersion && (err != nil || v < 1 || v > 9999 || !isDigits(version)) {
		return Artifact{}, bad("%.40q is no PMCID: PMC and at most 10 digits", text)
	}
	return Artifact{ID: "pmcid:PMC" + n, IDs: IDs{PMCID: "PMC" + n}, Version: v}, nil
}

func parsePMID(text string) (Artifact, error) {
	n, ok := number(strings.TrimRight(text, tail), 10)
	if !ok {
		return Artifact{}, bad("%.40q is no PMID: at most 10 digits", text)
	}
	return Artifact{ID: "pmid:" + n, IDs: IDs{PMID: n}}, nil
}

func parseOpenAlex(text string) (Artifact, error) {
	id := strings.TrimRight(text, tail)
	if !hasFold(id, "w") {
		return Artifact{}, bad("%.40q is no OpenAlex work: W and at most 12 digits", text)
	}
	n, ok := number(id[1:], 12)
	if !ok {
		return Artifact{}, bad("%.40q is no OpenAlex work: W and at most 12 digits", text)
	}
	return Artifact{ID: "openalex:W" + n, IDs: IDs{OpenAlex: "W" + n}}, nil
}

// number returns the digits of a number that is not zero, without leading zeros.
func number(s string, most int) (string, bool) {
	n := strings.TrimLeft(s, "0")
	return n, isDigits(n) && len(n) <= most
}

// cutLabel returns the kind that a label names, and what follows it.
func cutLabel(text string) (kind, rest string) {
	separators := ":="
	switch {
	case hasFold(text, "info:"): // info:doi/10.1/x
		text, separators = text[len("info:"):], "/"
	case hasFold(text, "urn:"):
		text = text[len("urn:"):]
	}
	end := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	if end < 0 {
		end = len(text)
	}
	rest = strings.TrimLeft(text[end:], " \t")
	if sep := strings.TrimLeft(rest, separators); len(sep) < len(rest) {
		rest = strings.TrimLeft(sep, " \t")
	} else if rest != "" && len(rest) == len(text)-end {
		return "", text // neither space nor colon
	}
	switch kind = asciiLower(text[:end]); kind {
	case "doi", "arxiv", "pmcid", "pmid", "openalex", "url":
		return kind, rest
	case "pmc":
		return "pmcid", rest
	case "pubmed":
		return "pmid", rest
	}
	return "", text
}

func isHTTP(text string) bool { return hasFold(text, "http://") || hasFold(text, "https://") }
