package paper

import (
	"regexp"
	"strconv"
	"strings"
)

// arxivPrefix is the DOI prefix of arXiv: 10.48550/arXiv.2101.00001.
const arxivPrefix = "10.48550"

// The forms of arXiv identifiers (https://info.arxiv.org/help/arxiv_identifier.html).
// The old one begins with an archive that took papers before April 2007, of
// which some were merged into others since.
var (
	newArXiv = regexp.MustCompile(`(?i)^(\d{4})\.(\d{4,5})(?:v([1-9]\d{0,3}))?$`)
	oldArXiv = regexp.MustCompile(`(?i)^(acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|` +
		`chem-ph|cmp-lg|comp-gas|cond-mat|cs|dg-ga|funct-an|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math|math-ph|` +
		`mtrl-th|nlin|nucl-ex|nucl-th|patt-sol|physics|plasm-ph|q-alg|q-bio|quant-ph|solv-int|supr-con)` +
		`(?:\.[a-z-]{2,})?/(\d{4})(\d{3})(?:v([1-9]\d{0,3}))?$`)
)

// parseArXiv reads an arXiv identifier without label, also as arXiv's own DOI
// and as papers print it, with the category behind. The version goes into
// Artifact.Version; the subject class of an old identifier (math.GT/0309136) is
// dropped, because math/0309136 is the same paper and what arXiv answers with.
func parseArXiv(text string) (Artifact, error) {
	id, _, _ := strings.Cut(text, " [")
	id = strings.TrimRight(id, tail)
	if prefix := arxivPrefix + "/arxiv."; hasFold(id, prefix) {
		id = id[len(prefix):]
	}
	if m := newArXiv.FindStringSubmatch(id); m != nil {
		digits := 5
		if m[1] < "1501" {
			digits = 4
		}
		if m[1] < "0704" || !isMonth(m[1][2:]) || len(m[2]) != digits {
			return Artifact{}, bad("arXiv id %.40q: no paper of %s-%s has such a number", text, m[1][:2], m[1][2:])
		}
		return arxivArtifact(m[1]+"."+m[2], m[3])
	}
	if m := oldArXiv.FindStringSubmatch(id); m != nil {
		if !isMonth(m[2][2:]) || "0703" < m[2] && m[2] < "9107" {
			return Artifact{}, bad("arXiv id %.40q: %s is not from July 1991 to March 2007", text, m[2])
		}
		return arxivArtifact(asciiLower(m[1])+"/"+m[2]+m[3], m[4])
	}
	return Artifact{}, bad("%.40q is no arXiv id", text)
}

func arxivArtifact(id, version string) (Artifact, error) {
	a := Artifact{ID: "arxiv:" + id, IDs: IDs{ArXiv: id}}
	if version != "" {
		a.Version, _ = strconv.Atoi(version) // at most four digits
	}
	return a, nil
}

func isMonth(mm string) bool { return "01" <= mm && mm <= "12" }
