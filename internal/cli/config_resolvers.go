package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/quire-dev/quire/internal/resolver"
)

// resolversConfig says which sources are asked, and where they are.
type resolversConfig struct {
	Order     []resolverName `yaml:"order" flag:"order" doc:"the sources that are asked, first to last; those left out are not"`
	IDConv    resolverConfig `yaml:"idconv" doc:"PMC's id converter, which tells other identifiers of a work"`
	PMC       resolverConfig `yaml:"pmc" doc:"PMC's open-data bucket"`
	ArXiv     resolverConfig `yaml:"arxiv" doc:"arXiv"`
	EuropePMC resolverConfig `yaml:"europepmc" doc:"Europe PMC"`
	Zenodo    resolverConfig `yaml:"zenodo" doc:"Zenodo"`
	Figshare  resolverConfig `yaml:"figshare" doc:"Figshare"`
	OSF       resolverConfig `yaml:"osf" doc:"the preprint servers of the Open Science Framework"`
	HAL       resolverConfig `yaml:"hal" doc:"HAL, the open archive of France"`
	BioRxiv   resolverConfig `yaml:"biorxiv" doc:"bioRxiv and medRxiv"`
	Unpaywall resolverConfig `yaml:"unpaywall" doc:"Unpaywall"`
	OpenAlex  resolverConfig `yaml:"openalex" doc:"OpenAlex"`
	Crossref  resolverConfig `yaml:"crossref" doc:"Crossref"`
	Scholar   resolverConfig `yaml:"semanticscholar" doc:"Semantic Scholar"`
	DOAJ      resolverConfig `yaml:"doaj" doc:"the Directory of Open Access Journals"`
	DataCite  resolverConfig `yaml:"datacite" doc:"DataCite"`
	OpenAIRE  resolverConfig `yaml:"openaire" doc:"OpenAIRE; answers 60 requests an hour without a token, so enable it with one and raise its limits"`
	CORE      resolverConfig `yaml:"core" doc:"CORE; answers 100 requests a day without a key, so enable it with one and raise its limits"`
	Landing   resolverConfig `yaml:"landing" doc:"the page that a DOI leads to"`
	Wayback   resolverConfig `yaml:"wayback" doc:"the Wayback Machine, asked for copies of files that are gone"`
	Custom    []customConfig `yaml:"custom,omitempty" doc:"sources of your own, in the shape of Zotero's custom PDF resolvers; order may name them, those left out there are asked before landing"`
}

type resolverConfig struct {
	Enabled    bool     `yaml:"enabled" doc:"false leaves it out"`
	BaseURL    baseURL  `yaml:"base_url,omitempty" doc:"where it is, instead of its own address"`
	APIKey     secret   `yaml:"api_key,omitempty" file:"no" doc:"its key; never in the file"`
	APIKeyFile filePath `yaml:"api_key_file,omitempty" doc:"a file that holds its key and nothing else"`
	Dump       filePath `yaml:"dump,omitempty" doc:"of unpaywall alone: an index made by quire sources import-unpaywall, which is asked instead of the service"`
}

// resolverNames lists the resolvers in the order they are asked by default.
func resolverNames() []string {
	return []string{
		"idconv", "pmc", "arxiv", "europepmc", "zenodo", "figshare", "osf", "hal", "biorxiv",
		"unpaywall", "openalex", "crossref", "semanticscholar", "doaj", "datacite", "openaire", "core", "landing", "wayback",
	}
}

func defaultResolvers() resolversConfig {
	var r resolversConfig
	for _, name := range resolverNames() {
		r.Order = append(r.Order, resolverName(name))
		r.named(name).Enabled = !resolver.Scarce(name)
	}
	return r
}

// named returns the settings of one of resolverNames.
func (r *resolversConfig) named(name string) *resolverConfig {
	switch name {
	case "idconv":
		return &r.IDConv
	case "pmc":
		return &r.PMC
	case "arxiv":
		return &r.ArXiv
	case "europepmc":
		return &r.EuropePMC
	case "zenodo":
		return &r.Zenodo
	case "figshare":
		return &r.Figshare
	case "osf":
		return &r.OSF
	case "hal":
		return &r.HAL
	case "biorxiv":
		return &r.BioRxiv
	case "unpaywall":
		return &r.Unpaywall
	case "openalex":
		return &r.OpenAlex
	case "crossref":
		return &r.Crossref
	case "semanticscholar":
		return &r.Scholar
	case "datacite":
		return &r.DataCite
	case "doaj":
		return &r.DOAJ
	case "openaire":
		return &r.OpenAIRE
	case "core":
		return &r.CORE
	case "landing":
		return &r.Landing
	case "wayback":
		return &r.Wayback
	}
	return nil
}

// active lists the resolvers that are asked, in order. Sources of one's own that
// the order does not name come after the others, but before pages are searched.
func (r *resolversConfig) active() []string {
	var names []string
	for _, name := range r.Order {
		if known := r.named(string(name)); known == nil || known.Enabled {
			names = append(names, string(name))
		}
	}
	last := slices.Index(names, "landing")
	if last < 0 {
		last = len(names)
	}
	for _, c := range slices.Backward(r.Custom) {
		if !slices.Contains(r.Order, resolverName(c.Name)) {
			names = slices.Insert(names, last, c.Name)
		}
	}
	return names
}

// check returns an error unless there is a resolver of this name, built in or one's own.
func (r *resolversConfig) check(name string) error {
	known := resolverNames()
	for _, c := range r.Custom {
		known = append(known, c.Name)
	}
	if slices.Contains(known, name) {
		return nil
	}
	return fmt.Errorf("unknown resolver %q; the nearest known is %s", name, nearest(name, known))
}

// resolverName is one of resolverNames or, which is checked when all is read, of
// resolvers.custom.
type resolverName string

func (n *resolverName) UnmarshalText(text []byte) error {
	*n = resolverName(text)
	return nil
}

// perResolver holds a number for resolvers by name.
type perResolver map[string]int

func (perResolver) normalKey(text string) (string, error) { return text, nil }

// checkDumps refuses dumps of sources that have none.
func (l *layers) checkDumps(r *resolversConfig) {
	for _, name := range resolverNames() {
		l.refuse(r.named(name).Dump != "" && name != "unpaywall", "is for unpaywall alone", "resolvers."+name+".dump")
	}
}

// checkNames refuses what names a resolver that nobody knows.
func (l *layers) checkNames(c *Config) {
	check := func(name, path string) {
		if err := c.Resolvers.check(name); err != nil {
			l.fail(l.origins[path], path, err)
		}
	}
	for _, name := range c.Resolvers.Order {
		check(string(name), "resolvers.order")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Orchestrator.MaxPerResolver)) {
		check(name, "orchestrator.max_per_resolver."+name)
	}
	for _, key := range slices.Sorted(maps.Keys(c.Limits.Keys)) {
		if name, ok := strings.CutPrefix(key, "resolver:"); ok {
			check(name, l.below("limits."+key))
		}
	}
}

// below is the first setting that somebody has given below path, or path itself.
func (l *layers) below(path string) string {
	for _, at := range slices.Sorted(maps.Keys(l.origins)) {
		if strings.HasPrefix(at, path+".") {
			return at
		}
	}
	return path
}
