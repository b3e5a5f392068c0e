package resolver

import (
	"fmt"
	"net/http"
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

// ShutsOut reports whether a status at a key means that the service has shut us
// out altogether. arXiv's 403 is for the client and not for the paper, and to go
// on asking is taken for an attack (https://info.arxiv.org/help/robots.html).
func ShutsOut(key string, status int) bool {
	return key == "host:arxiv.org" && status == http.StatusForbidden
}
