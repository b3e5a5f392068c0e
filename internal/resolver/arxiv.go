package resolver

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// arxiv makes the addresses of the PDF, the page and the source out of an arXiv
// id. No request is needed, and arXiv, which allows one every three seconds, is
// spared it.
type arxiv struct{ cfg Config }

// arxivPrograms is the mirror that arXiv sets apart for programs
// (https://info.arxiv.org/help/bulk_data.html). The robots.txt of arxiv.org lets
// them have /pdf and /html, but not /e-print.
const arxivPrograms = "https://export.arxiv.org"

func (arxiv) accepts(a paper.Artifact) bool { return a.IDs.ArXiv != "" }

func (x arxiv) candidates(a paper.Artifact) []paper.Candidate {
	if a.IDs.ArXiv == "" {
		return nil
	}
	id := escapePath(a.IDs.ArXiv)
	if a.Version > 0 && strings.HasPrefix(a.As(paper.PDF).ID, "arxiv:") { // a PMCID's version is another
		id += fmt.Sprintf("v%d", a.Version)
	}
	sources := x.cfg.BaseURL
	if sources == DefaultBaseURL("arxiv") {
		sources = arxivPrograms
	}
	return []paper.Candidate{
		{URL: x.cfg.BaseURL + "/pdf/" + id, Kind: paper.PDF, Version: paper.Submitted},
		{URL: x.cfg.BaseURL + "/html/" + id, Kind: paper.HTML, Version: paper.Submitted}, // of most since December 2023
		{URL: sources + "/e-print/" + id, Kind: paper.Source, Version: paper.Submitted},
	}
}

// ShutsOut reports whether a status at a key means that the service has shut us
// out altogether. arXiv's 403 is for the client and not for the paper, and to go
// on asking is taken for an attack (https://info.arxiv.org/help/robots.html).
func ShutsOut(key string, status int) bool {
	return key == "host:arxiv.org" && status == http.StatusForbidden
}
