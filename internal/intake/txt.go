package intake

import (
	"strings"
	"unicode"

	"github.com/quire-dev/quire/paper"
)

func readTXT(in *input, _ Options, yield func(Row, error) bool) error {
	return in.eachLine(yield, func(line []byte) bool {
		if line[0] == '#' {
			return true
		}
		text := string(line)
		a, err := paper.ParseID(text)
		if parts := severalIDs(text, err == nil); parts != nil {
			for _, part := range parts {
				a, _ := paper.ParseID(part)
				if !yield(Row{Line: in.line, Artifact: a}, nil) {
					return false
				}
			}
			return true
		}
		if err != nil {
			return yield(Row{}, in.reject(line, err))
		}
		return yield(Row{Line: in.line, Artifact: a}, nil)
	})
}

// severalIDs returns the identifiers of a line that clearly has several: every
// part of it is one. Where the line as a whole is one too, such as a DOI with
// commas in it, each part must also begin like nothing else does.
func severalIDs(line string, isOne bool) []string {
	parts := strings.FieldsFunc(line, func(r rune) bool {
		return r == ',' || r == ';' || r == '|' || unicode.IsSpace(r)
	})
	if len(parts) < 2 {
		return nil
	}
	for _, part := range parts {
		if isOne && !isMarked(part) {
			return nil
		}
		if _, err := paper.ParseID(part); err != nil {
			return nil
		}
	}
	return parts
}

func isMarked(part string) bool {
	part = strings.ToLower(part)
	for _, mark := range []string{"10.", "http://", "https://", "doi:", "arxiv:", "pmcid:", "pmid:", "pmc", "openalex:", "url:"} {
		if strings.HasPrefix(part, mark) {
			return true
		}
	}
	return false
}
