package resolver

import "github.com/quire-dev/quire/paper"

// Capabilities are what a source can do, as declared; tests hold it to them.
type Capabilities struct {
	IDs     []string     // by which it is asked, named as in [paper.IDs]: doi, arxiv, pmcid, pmid, openalex, url
	Only    string       // of these identifiers, in words; empty: any
	Formats []paper.Kind // of the candidates it gives; none: it knows only identifiers
	Batch   int          // works that one request may ask for
	License bool         // it may tell the licence
	Version bool         // it may tell the version
	MD5     bool         // it may tell a checksum of the file
	Key     bool         // it takes a key or token
	Scarce  bool         // without one it answers so seldom that it is not asked by default
}

// CapabilitiesOf returns those of a source that is built in, or the zero value if
// none has this name.
func CapabilitiesOf(name string) Capabilities {
	c := declared(name)
	c.Scarce = rowOf(name).scarce
	c.Batch = 1
	if row := rowOf(name); row.make != nil {
		if b, ok := row.make(Config{}).(batcher); ok {
			c.Batch = b.limits().most
		}
	}
	return c
}

func declared(name string) Capabilities {
	const (
		doi, arxivID, pmcid, pmid, openalex, url = "doi", "arxiv", "pmcid", "pmid", "openalex", "url"
		pdf, page, xml, source, html             = paper.PDF, paper.Landing, paper.XML, paper.Source, paper.HTML
	)
	ids := func(names ...string) []string { return names }
	kinds := func(all ...paper.Kind) []paper.Kind { return all }
	switch name {
	case "idconv":
		return Capabilities{IDs: ids(doi, pmid)}
	case "pmc":
		return Capabilities{IDs: ids(pmcid), Formats: kinds(pdf, xml), License: true, Version: true, MD5: true}
	case "arxiv":
		return Capabilities{IDs: ids(arxivID), Formats: kinds(pdf, html, source), Version: true}
	case "europepmc":
		return Capabilities{IDs: ids(pmcid, doi, pmid), Formats: kinds(pdf, page, xml, paper.Supplement), License: true, Version: true}
	case "zenodo":
		return Capabilities{IDs: ids(doi), Only: "of Zenodo", Formats: kinds(pdf, xml), License: true, Version: true, MD5: true, Key: true}
	case "figshare":
		return Capabilities{IDs: ids(doi), Only: "of Figshare", Formats: kinds(pdf), License: true, Version: true, MD5: true}
	case "osf":
		return Capabilities{IDs: ids(doi), Only: "of OSF preprints", Formats: kinds(pdf), License: true, Version: true, MD5: true, Key: true}
	case "hal":
		return Capabilities{IDs: ids(doi), Formats: kinds(pdf), License: true, Version: true}
	case "biorxiv":
		return Capabilities{IDs: ids(doi), Only: "of bioRxiv and medRxiv", Formats: kinds(pdf, xml), License: true, Version: true}
	case "unpaywall":
		return Capabilities{IDs: ids(doi), Formats: kinds(pdf, page), License: true, Version: true}
	case "openalex":
		return Capabilities{IDs: ids(doi, openalex, pmid, pmcid), Formats: kinds(pdf, page), License: true, Version: true, Key: true}
	case "crossref":
		return Capabilities{IDs: ids(doi), Formats: kinds(pdf, page, xml), License: true, Version: true}
	case "semanticscholar":
		return Capabilities{IDs: ids(doi, arxivID, pmid, pmcid), Formats: kinds(pdf, page), License: true, Key: true}
	case "doaj":
		return Capabilities{IDs: ids(doi), Formats: kinds(pdf, page), License: true, Version: true}
	case "datacite":
		return Capabilities{IDs: ids(doi), Only: "not of the large publishers at Crossref", Formats: kinds(pdf, xml), License: true, Version: true}
	case "openaire":
		return Capabilities{IDs: ids(doi), Formats: kinds(pdf, page), License: true, Version: true, Key: true}
	case "core":
		return Capabilities{IDs: ids(doi), Formats: kinds(pdf, page), License: true, Version: true, Key: true}
	case "landing":
		return Capabilities{IDs: ids(doi, url), Formats: kinds(pdf, page, xml, html)}
	case "wayback":
		return Capabilities{IDs: ids(doi, arxivID, pmcid, pmid, openalex, url), Only: "if a file of the work is gone", Formats: kinds(pdf), License: true, Version: true}
	}
	return Capabilities{}
}
