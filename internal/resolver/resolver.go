// Package resolver asks the sources that know where the open copy of a
// scholarly work is: one file per source, each a [paper.Resolver]. It also
// reads landing pages ([ParseLanding]) and ships the table of the limits that
// the services set ([Limits]).
//
// A source makes one request at a time, for one work or, where the service takes
// several identifiers, for many. What it answers is checked before it is
// believed: a record of another work, a page instead of JSON, a field of the
// wrong type or a URL that is none never becomes a candidate.
package resolver

import (
	"errors"
	"fmt"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// Config is what a source needs to know.
type Config struct {
	BaseURL string // of the service, without a final slash; empty: the real one
	Contact string // e-mail address that services which ask for one are given
	APIKey  string // of OpenAlex and Semantic Scholar; empty: ask without
}

// ErrUnknown says that no source has this name.
var ErrUnknown = errors.New("unknown resolver")

// ErrNoContact says that a service answers only those who leave an address.
var ErrNoContact = errors.New("contact e-mail address is missing")

// Names lists the sources in the order in which they are asked by default: first
// the one that only knows identifiers, two hundred works at a time, as they open
// the way to others; then those that hand out the file itself under a licence and
// with a checksum; then the best single recall; last the pages that have to be
// searched.
func Names() []string {
	return []string{"idconv", "pmc", "arxiv", "europepmc", "unpaywall", "openalex", "crossref", "semanticscholar", "landing"}
}

// DefaultBaseURL returns the address of the real service, or the empty string
// if no source has this name.
func DefaultBaseURL(name string) string {
	switch name {
	case "idconv":
		return "https://pmc.ncbi.nlm.nih.gov/tools/idconv/api/v1/articles"
	case "pmc":
		return "https://pmc-oa-opendata.s3.amazonaws.com"
	case "arxiv":
		return "https://arxiv.org"
	case "europepmc":
		return "https://www.ebi.ac.uk/europepmc/webservices/rest"
	case "unpaywall":
		return "https://api.unpaywall.org/v2"
	case "openalex":
		return "https://api.openalex.org"
	case "crossref":
		return "https://api.crossref.org"
	case "semanticscholar":
		return "https://api.semanticscholar.org/graph/v1"
	case "landing":
		return "https://doi.org"
	default:
		return ""
	}
}

// New returns the source of this name, which asks through get. Its error wraps
// [ErrUnknown] or [ErrNoContact].
func New(name string, cfg Config, get paper.Getter) (paper.Resolver, error) {
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL(name)
	}
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")

	switch name {
	case "idconv":
		return remote{name, cfg, get, idConverter{cfg}}, nil
	case "pmc":
		return remote{name, cfg, get, pmc{cfg}}, nil
	case "arxiv":
		return local{name, arxiv{cfg}}, nil
	case "europepmc":
		return remote{name, cfg, get, europePMC{cfg}}, nil
	case "unpaywall":
		if cfg.Contact == "" {
			return nil, fmt.Errorf("set up unpaywall: %w", ErrNoContact)
		}
		return remote{name, cfg, get, unpaywall{cfg}}, nil
	case "openalex":
		return remote{name, cfg, get, openAlex{cfg}}, nil
	case "crossref":
		return remote{name, cfg, get, crossref{cfg}}, nil
	case "semanticscholar":
		return remote{name, cfg, get, semanticScholar{cfg}}, nil
	case "landing":
		return local{name, doiLanding{cfg}}, nil
	default:
		return nil, fmt.Errorf("set up %q: %w", name, ErrUnknown)
	}
}
