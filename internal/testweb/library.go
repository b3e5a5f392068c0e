package testweb

import (
	"crypto/md5" // the bucket's metadata carry MD5 sums
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

const pmcBucket = "pmc-oa-opendata"

// library makes the services' records of the works of a world.
type library struct {
	works map[string]Work // by every identifier, with prefix
	pmc   []Work
}

func newLibrary(works []Work) *library {
	lib := &library{works: map[string]Work{}}
	for i, work := range works {
		if work.Unknown {
			continue
		}
		work.openAlex = openAlexNumber(i)
		for _, id := range []string{
			prefixed("doi:", work.DOI), prefixed("arxiv:", work.ArXiv), prefixed("pmcid:", work.PMCID),
			prefixed("pmid:", work.PMID), prefixed("openalex:", work.openAlex),
		} {
			if id != "" {
				lib.works[id] = work
			}
		}
		for _, id := range work.repositoryIDs() {
			lib.works[id] = work
		}
		if work.PMCID != "" {
			lib.pmc = append(lib.pmc, work)
		}
	}
	return lib
}

func prefixed(prefix, id string) string {
	if id == "" {
		return ""
	}
	return prefix + id
}

// openAlexNumber is made up: above all numbers that OpenAlex has given.
func openAlexNumber(i int) string { return fmt.Sprintf("W99%08d", i+1) }

// find is a [finder].
func (lib *library) find(service, id string) (any, bool) {
	work, ok := lib.works[id]
	if !ok {
		return nil, false
	}
	switch service {
	case "unpaywall":
		return unpaywallRecord(work), work.DOI != ""
	case "openalex":
		return openAlexRecord(work), work.DOI != ""
	case "crossref":
		return crossrefRecord(work), work.DOI != ""
	case "semanticscholar":
		return semanticScholarRecord(work), work.DOI != "" || work.ArXiv != ""
	case "doaj":
		return directoryRecord(work), len(work.copiesAt("doaj")) > 0
	case "core":
		return coreRecord(work), len(work.copiesAt("core")) > 0
	case "openaire":
		return openAIRERecord(work), len(work.copiesAt("openaire")) > 0
	case "europepmc":
		return europePMCRecord(work), work.PMCID != ""
	case "idconv":
		return object{
			"requested-id": id[strings.IndexByte(id, ':')+1:], "pmcid": work.PMCID, "pmid": work.PMID, "doi": work.DOI,
		}, work.PMCID != ""
	case "arxiv":
		return arXivRecord{work.ArXiv, work.Title, work.DOI}, work.ArXiv != ""
	}
	if slices.Contains(repositories(), service) {
		return repositoryRecord(service, id, work)
	}
	return nil, false
}

// pmcObjects lays out PMC's open-data bucket: version 1 of each work.
func (lib *library) pmcObjects() map[string]http.Handler {
	objects := map[string]http.Handler{}
	for _, work := range lib.pmc {
		version := work.PMCID + ".1"
		file := work.File(work.pmcFileURL())
		sum := md5.Sum(file)
		key := version + "/" + version + ".pdf"
		objects[key] = File("application/pdf", file)
		objects["metadata/"+version+".json"] = miss(object{
			"pmcid": work.PMCID, "version": 1, "pmid": orNull(work.PMID), "doi": orNull(work.DOI), "title": work.Title,
			"is_pmc_openaccess": true, "is_manuscript": false, "is_historical_ocr": false, "is_retracted": false,
			"license_code": "CC BY", "media_urls": []any{}, "xml_url": nil, "text_url": nil,
			"pdf_url": "s3://" + pmcBucket + "/" + key + "?md5=" + hex.EncodeToString(sum[:]),
		})
	}
	return objects
}

// europePMCFiles answers europepmc.org/articles/{PMCID}?pdf=render with the
// same bytes that PMC has.
func (lib *library) europePMCFiles() http.Handler {
	paths := Paths{}
	for _, work := range lib.pmc {
		paths["/articles/"+work.PMCID+"?pdf=render"] = File("application/pdf", work.File(work.pmcFileURL()))
	}
	return paths
}

func (lib *library) arXivFile(id string) ([]byte, bool) {
	work, ok := lib.works["arxiv:"+id]
	if !ok {
		return nil, false
	}
	return work.File(work.arXivFileURL()), true
}

func (lib *library) landing(doi string) (string, bool) {
	work, ok := lib.works["doi:"+doi]
	return work.Landing, ok && work.Landing != ""
}
