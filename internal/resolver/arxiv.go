package resolver

import (
	"fmt"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// arxiv makes the address of the PDF out of an arXiv id. No request is needed,
// and arXiv, which allows one every three seconds, is spared it.
type arxiv struct{ cfg Config }

func (arxiv) accepts(a paper.Artifact) bool { return a.IDs.ArXiv != "" }

func (x arxiv) candidates(a paper.Artifact) []paper.Candidate {
	if a.IDs.ArXiv == "" {
		return nil
	}
	u := x.cfg.BaseURL + "/pdf/" + escapePath(a.IDs.ArXiv)
	if a.Version > 0 && strings.HasPrefix(a.ID, "arxiv:") { // a PMCID's version is another
		u += fmt.Sprintf("v%d", a.Version)
	}
	return []paper.Candidate{{URL: u, Kind: paper.PDF, Version: paper.Submitted}}
}
