package testweb

import (
	"fmt"
	"slices"
	"strings"
)

// knows reports whether a service knows of the copy.
func (c Copy) knows(service string) bool {
	if c.Services != nil {
		return slices.Contains(c.Services, service)
	}
	switch service {
	case "doaj", "openaire", "core", "wayback":
		return false
	}
	return (service != "crossref" || c.Publisher) && !slices.Contains(repositories(), service)
}

func (work Work) copiesAt(service string) []Copy {
	return slices.DeleteFunc(slices.Clone(work.Copies), func(c Copy) bool { return !c.knows(service) })
}

func unpaywallRecord(work Work) object {
	locations := []any{}
	for i, c := range work.copiesAt("unpaywall") {
		host := "repository"
		if c.Publisher {
			host = "publisher"
		}
		locations = append(locations, object{
			"url": firstOf(c.URL, c.Page), "url_for_pdf": orNull(c.URL),
			"url_for_landing_page": orNull(c.Page), "host_type": host, "version": c.Version,
			"license": orNull(c.License), "is_best": i == 0, "evidence": "made up", "pmh_id": nil,
			"repository_institution": nil, "oa_date": nil, "updated": "2026-01-01T00:00:00",
		})
	}
	record := object{
		"doi": work.DOI, "doi_url": "https://doi.org/" + work.DOI, "title": work.Title, "genre": "journal-article",
		"is_paratext": false, "year": work.Year, "published_date": fmt.Sprintf("%d-01-01", work.Year),
		"journal_name": work.Journal, "publisher": work.Publisher, "updated": "2026-01-01T00:00:00",
		"is_oa": len(locations) > 0, "oa_status": "closed", "oa_locations": locations, "oa_locations_embargoed": []any{},
		"best_oa_location": nil, "first_oa_location": nil, "has_repository_copy": false, "data_standard": 2,
	}
	if len(locations) > 0 {
		record["oa_status"], record["best_oa_location"], record["first_oa_location"] = "green", locations[0], locations[0]
	}
	return record
}

func openAlexRecord(work Work) object {
	locations := []any{}
	for _, c := range work.copiesAt("openalex") {
		kind := "repository"
		if c.Publisher {
			kind = "journal"
		}
		locations = append(locations, object{
			"is_oa": true, "landing_page_url": orNull(c.Page), "pdf_url": orNull(c.URL),
			"license": orNull(c.License), "version": c.Version, "is_accepted": c.Version != "submittedVersion",
			"is_published": c.Version == "publishedVersion", "source": object{"type": kind, "display_name": work.Journal},
		})
	}
	ids := object{"openalex": "https://openalex.org/" + work.openAlex, "doi": "https://doi.org/" + work.DOI}
	if work.PMCID != "" {
		ids["pmcid"] = "https://www.ncbi.nlm.nih.gov/pmc/articles/" + strings.TrimPrefix(work.PMCID, "PMC")
	}
	record := object{
		"id": "https://openalex.org/" + work.openAlex, "doi": "https://doi.org/" + work.DOI, "title": work.Title, "display_name": work.Title, "ids": ids,
		"publication_year": work.Year, "type": "article", "locations": locations, "locations_count": len(locations),
		"open_access":      object{"is_oa": len(locations) > 0, "oa_status": "closed", "oa_url": nil},
		"best_oa_location": nil, "primary_location": nil, "has_content": object{"pdf": false, "grobid_xml": false},
	}
	if len(locations) > 0 {
		record["best_oa_location"], record["primary_location"] = locations[0], locations[0]
	}
	return record
}

func crossrefRecord(work Work) object {
	links := []any{}
	for _, c := range work.copiesAt("crossref") {
		if c.URL != "" {
			links = append(links, object{
				"URL": c.URL, "content-type": "application/pdf", "content-version": "vor", "intended-application": "text-mining",
			})
		}
	}
	record := object{
		"DOI": work.DOI, "title": []any{work.Title}, "type": "journal-article", "publisher": work.Publisher,
		"container-title": []any{work.Journal}, "issued": object{"date-parts": []any{[]any{work.Year}}},
		"URL": "https://doi.org/" + work.DOI, "link": links, "relation": object{},
		"resource": object{"primary": object{"URL": work.Landing}}, "prefix": "10.5555", "member": "0",
	}
	if len(links) > 0 {
		record["license"] = []any{object{
			"URL": "https://creativecommons.org/licenses/by/4.0/", "content-version": "vor", "delay-in-days": 0,
			"start": object{"date-time": fmt.Sprintf("%d-01-01T00:00:00Z", work.Year)},
		}}
	}
	return record
}

func europePMCRecord(work Work) object {
	render := "https://europepmc.org/articles/" + work.PMCID + "?pdf=render"
	record := object{
		"id": firstOf(work.PMID, work.PMCID), "source": "MED", "pmcid": work.PMCID, "title": work.Title + ".",
		"pubYear": fmt.Sprint(work.Year), "isOpenAccess": "Y", "inEPMC": "Y", "inPMC": "Y", "hasPDF": "Y", "license": "cc by",
		"fullTextUrlList": object{"fullTextUrl": []any{object{
			"availability": "Open access", "availabilityCode": "OA", "documentStyle": "pdf", "site": "Europe_PMC", "url": render,
		}}},
	}
	if work.DOI != "" {
		record["doi"] = work.DOI
	}
	if work.PMID != "" {
		record["pmid"] = work.PMID
	}
	return record
}

func semanticScholarRecord(work Work) object {
	ids := object{"CorpusId": 1}
	for name, id := range map[string]string{
		"DOI": work.DOI, "ArXiv": work.ArXiv, "PubMed": work.PMID, "PubMedCentral": strings.TrimPrefix(work.PMCID, "PMC"),
	} {
		if id != "" {
			ids[name] = id
		}
	}
	pdf, open := object{"url": "", "status": "CLOSED", "license": nil}, false
	if copies := work.copiesAt("semanticscholar"); len(copies) > 0 {
		pdf, open = object{"url": firstOf(copies[0].URL, copies[0].Page), "status": "GREEN", "license": nil}, true
	}
	return object{
		"paperId": "0", "externalIds": ids, "title": work.Title, "year": work.Year, "isOpenAccess": open, "openAccessPdf": pdf,
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
