package resolver

import (
	"regexp"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// Canonical identifiers as services write them, alone or at the end of a URL.
var (
	doiForm      = regexp.MustCompile(`^10\.[0-9]{4,9}(\.[0-9]+)*/[!-~]+$`)
	pmcidForm    = regexp.MustCompile(`(?i)(?:^|/)(?:PMC)?([1-9][0-9]{0,9})/?$`)
	pmidForm     = regexp.MustCompile(`(?:^|/)([1-9][0-9]{0,9})/?$`)
	openAlexForm = regexp.MustCompile(`(?i)(?:^|/)(W[1-9][0-9]{0,11})/?$`)
	arxivForm    = regexp.MustCompile(`^([0-9]{4}\.[0-9]{4,5}|[a-z-]+/[0-9]{7})$`)
)

// doiOf returns the DOI that a field holds, in lower case, or nothing.
func doiOf(field string) string {
	doi := lower(strings.TrimSpace(field))
	for _, prefix := range []string{"https://", "http://", "dx.", "www.", "doi.org/", "doi:"} {
		doi = strings.TrimPrefix(doi, prefix)
	}
	if !doiForm.MatchString(doi) {
		return ""
	}
	return doi
}

// sameDOI compares as DOIs are compared: without ASCII case.
func sameDOI(a, b string) bool { return lower(a) == lower(b) }

// lower folds ASCII letters only; other letters of a DOI are what they are.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func pmcidOf(field string) string { return prefixed("PMC", pmcidForm, field) }

func pmidOf(field string) string { return prefixed("", pmidForm, field) }

func openAlexOf(field string) string {
	return strings.ToUpper(prefixed("", openAlexForm, field))
}

func prefixed(prefix string, form *regexp.Regexp, field string) string {
	found := form.FindStringSubmatch(strings.TrimSpace(field))
	if found == nil {
		return ""
	}
	return prefix + found[1]
}

// withArXiv adds the arXiv id that is in arXiv's own DOIs.
func withArXiv(ids paper.IDs) paper.IDs {
	if id, ok := strings.CutPrefix(ids.DOI, "10.48550/arxiv."); ok && arxivForm.MatchString(id) {
		ids.ArXiv = id
	}
	return ids
}

// checkDOI refuses a record of another work. A service that was asked by DOI
// must name it (strict); one that was asked otherwise may not know it.
func checkDOI(asked, got string, strict bool) error {
	switch {
	case asked == "", got == "" && !strict, sameDOI(asked, got):
		return nil
	case got == "":
		return miss("the answer names no DOI")
	default:
		return miss("answered for another DOI: " + clip(got, 200))
	}
}

// oneOf returns what answer makes of the first record that it says is of the work
// that was asked for.
func oneOf[T any](records []T, answer func(T) (paper.Answer, bool)) (paper.Answer, error) {
	for _, record := range records {
		if found, ok := answer(record); ok {
			return found, nil
		}
	}
	if len(records) > 0 {
		return paper.Answer{}, miss("answered for another work")
	}
	return paper.Answer{}, miss("not known there")
}
