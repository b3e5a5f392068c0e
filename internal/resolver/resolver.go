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
	APIKey  string // of sources that have keys; empty: ask without
}

// ErrUnknown says that no source has this name.
var ErrUnknown = errors.New("unknown resolver")

// ErrNoContact says that a service answers only those who leave an address.
var ErrNoContact = errors.New("contact e-mail address is missing")

// source is a row of the table of sources.
type source struct {
	name string
	base string           // address of the real service
	make func(Config) any // a service, which is asked over the network, or a rule

	// scarce says that who has no key may ask so seldom that a run of any size would
	// wait for days: the source is not asked by default.
	scarce bool
}

// sources lists the sources in the order in which they are asked by default: first
// the one that only knows identifiers, two hundred works at a time, as they open
// the way to others; then the repositories that hand out the file itself, most
// under a licence and with a checksum; then the best single recall; then the long
// tail; then the pages that have to be searched; last what is left of files that
// are gone.
func sources() []source {
	return []source{
		{"idconv", "https://pmc.ncbi.nlm.nih.gov/tools/idconv/api/v1/articles", func(c Config) any { return idConverter{c} }, false},
		{"pmc", "https://pmc-oa-opendata.s3.amazonaws.com", func(c Config) any { return pmc{c} }, false},
		{"arxiv", "https://arxiv.org", func(c Config) any { return arxiv{c} }, false},
		{"europepmc", "https://www.ebi.ac.uk/europepmc/webservices/rest", func(c Config) any { return europePMC{c} }, false},
		{"zenodo", "https://zenodo.org/api", func(c Config) any { return zenodo{c} }, false},
		{"figshare", "https://api.figshare.com/v2", func(c Config) any { return figshare{c} }, false},
		{"osf", "https://api.osf.io/v2", func(c Config) any { return osf{c} }, false},
		{"hal", "https://api.archives-ouvertes.fr", func(c Config) any { return hal{c} }, false},
		{"biorxiv", "https://api.biorxiv.org", func(c Config) any { return biorxiv{c} }, false},
		{"unpaywall", "https://api.unpaywall.org/v2", func(c Config) any { return unpaywall{c} }, false},
		{"openalex", "https://api.openalex.org", func(c Config) any { return openAlex{c} }, false},
		{"crossref", "https://api.crossref.org", func(c Config) any { return crossref{c} }, false},
		{"semanticscholar", "https://api.semanticscholar.org/graph/v1", func(c Config) any { return semanticScholar{c} }, false},
		{"doaj", "https://doaj.org/api/v4", func(c Config) any { return doaj{c} }, false},
		{"datacite", "https://api.datacite.org", func(c Config) any { return dataCite{c} }, false},
		{"openaire", "https://api.openaire.eu/graph/v3", func(c Config) any { return openAIRE{c} }, true},
		{"core", "https://api.core.ac.uk/v3", func(c Config) any { return core{c} }, true},
		{"landing", "https://doi.org", func(c Config) any { return doiLanding{c} }, false},
		{"wayback", "https://web.archive.org", func(c Config) any { return wayback{c} }, false},
	}
}

// Names lists the sources in the order in which they are asked, those included
// that are not asked by default.
func Names() []string {
	var names []string
	for _, s := range sources() {
		names = append(names, s.name)
	}
	return names
}

// Scarce reports whether a source answers so seldom without a key that it is not
// asked by default.
func Scarce(name string) bool { return rowOf(name).scarce }

// rowOf returns the row of a source, or the zero row.
func rowOf(name string) source {
	for _, s := range sources() {
		if s.name == name {
			return s
		}
	}
	return source{}
}

// DefaultBaseURL returns the address of the real service, or the empty string
// if no source has this name.
func DefaultBaseURL(name string) string { return rowOf(name).base }

// New returns the source of this name, which asks through get. Its error wraps
// [ErrUnknown] or [ErrNoContact].
func New(name string, cfg Config, get paper.Getter) (paper.Resolver, error) {
	row := rowOf(name)
	switch {
	case row.make == nil:
		return nil, fmt.Errorf("set up %q: %w", name, ErrUnknown)
	case name == "unpaywall" && cfg.Contact == "":
		return nil, fmt.Errorf("set up unpaywall: %w", ErrNoContact)
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = row.base
	}
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	switch of := row.make(cfg).(type) {
	case service:
		return remote{name, cfg, get, of}, nil
	case rule:
		return local{name, of}, nil
	default:
		return nil, fmt.Errorf("set up %q: %w", name, ErrUnknown)
	}
}
