package intake

import (
	"fmt"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// bibEntry is what the fields of a BibTeX entry say.
type bibEntry struct {
	entry
	eprint, archive, class string
}

func (e *bibEntry) reset() {
	e.entry.reset()
	e.eprint, e.archive, e.class = "", "", ""
}

// field notes a field. Names are in lower case; the ones beyond those of BibTeX
// and biblatex are of Mendeley (arxivid), BibDesk (bdsk-url-1) and DBLP (ee).
func (e *bibEntry) field(name string, v bibValue) {
	s := ignored
	switch name {
	case "doi":
		s = slot(doi)
	case "arxiv", "arxivid":
		s = slot(arxiv)
	case "pmcid", "pmc":
		s = slot(pmcid)
	case "pmid", "pubmedid":
		s = slot(pmid)
	case "openalex":
		s = slot(openAlex)
	case "url", "ee", "bdsk-url-1":
		s = slot(webURL)
	case "note", "howpublished":
		s = remark
	case "journal", "journaltitle": // where Google Scholar puts "arXiv preprint arXiv:1706.03762"
		s = arxivNote
	case "title":
		e.add(slot(title), plainTitle(v.text))
		return
	case "eprint":
		e.eprint = plainID(v.text)
	case "archiveprefix", "eprinttype":
		e.archive = strings.ToLower(plainID(v.text))
	case "primaryclass", "eprintclass":
		e.class = plainID(v.text)
	}
	switch {
	case s == ignored:
	case v.unknown != "":
		if e.fault == nil {
			e.fault = fmt.Errorf("%s: macro %.40q is not defined", name, v.unknown)
		}
	default:
		e.add(s, plainID(v.text))
	}
}

// eprints makes something of the fields around eprint, once all are known.
func (e *bibEntry) eprints() {
	text := e.eprint
	switch e.archive {
	case "", "arxiv":
		a, err := paper.ParseID(text)
		switch {
		case err == nil && a.IDs.URL != "": // publishers put the PDF's URL there
			e.add(slot(webURL), text)
		case err == nil && a.IDs.ArXiv != "" || e.archive != "" && e.class == "":
			e.add(slot(arxiv), text)
		case e.class != "":
			e.add(maybeID, e.class+"/"+text) // hep-th and 9901001
			e.add(maybeID, "arxiv:"+text)
		}
	case "pubmed", "pmid":
		e.add(slot(pmid), text)
	case "pmc", "pmcid":
		e.add(slot(pmcid), text)
	default:
		e.add(maybeID, e.archive+"/"+text)
	}
}
