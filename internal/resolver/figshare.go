package resolver

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// figshare reads the record of a Figshare DOI. A DOI that ends in .vN is that of
// a version; the one without is that of the newest.
type figshare struct{ cfg Config }

// Collections (m9.figshare.c.N) have no files.
var (
	figshareForm = regexp.MustCompile(`^10\.6084/m9\.figshare\.([1-9][0-9]{0,11})(?:\.v([1-9][0-9]{0,3}))?$`)
	figshareFile = regexp.MustCompile(`/files/([1-9][0-9]{0,11})$`)
)

type figshareRecord struct {
	DOI     text `json:"doi"`
	Title   text `json:"title"`
	Type    text `json:"defined_type_name"`
	License struct {
		Name text `json:"name"`
		URL  text `json:"url"`
	} `json:"license"`
	IsEmbargoed    flag               `json:"is_embargoed"`
	EmbargoDate    text               `json:"embargo_date"`
	IsConfidential flag               `json:"is_confidential"`
	IsMetadata     flag               `json:"is_metadata_record"`
	Files          list[figshareItem] `json:"files"`
}

type figshareItem struct {
	Name     text `json:"name"`
	Type     text `json:"mimetype"`
	MD5      text `json:"computed_md5"`
	URL      text `json:"download_url"`
	LinkOnly flag `json:"is_link_only"` // somewhere else
}

func (figshare) accepts(a paper.Artifact) bool { n, _ := figshareID(a.IDs.DOI); return n != "" }

// figshareID takes a DOI apart; the version of one that names none is empty.
func figshareID(doi string) (number, version string) {
	if found := figshareForm.FindStringSubmatch(lower(doi)); found != nil {
		return found[1], found[2]
	}
	return "", ""
}

func (f figshare) url(a paper.Artifact) string {
	number, version := figshareID(a.IDs.DOI)
	u := f.cfg.BaseURL + "/articles/" + number
	if version != "" {
		u += "/versions/" + version
	}
	return u
}

func (f figshare) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if err := check(reply, false); err != nil {
		return paper.Answer{}, err
	}
	var record figshareRecord
	if err := decode(reply.Body, &record); err != nil {
		return paper.Answer{}, err
	}
	number, version := figshareID(a.IDs.DOI)
	doi := doiOf(string(record.DOI))
	gotNumber, gotVersion := figshareID(doi)
	if number != gotNumber || version != "" && gotVersion != "" && version != gotVersion {
		return paper.Answer{}, checkDOI(a.IDs.DOI, doi, true)
	}
	answer := paper.Answer{
		IDs: paper.IDs{DOI: lower(a.IDs.DOI)}, Title: string(record.Title),
		License: license(or(record.License.URL, record.License.Name)),
	}
	switch {
	case bool(record.IsEmbargoed):
		answer.Note = embargoed(string(record.EmbargoDate))
	case bool(record.IsConfidential):
		answer.Note = "confidential"
	case bool(record.IsMetadata):
		answer.Note = "metadata only"
	case textless(string(record.Type)):
		answer.Note = "no text: " + clip(string(record.Type), 40)
	default:
		answer.Candidates = f.candidates(record, answer.License)
		answer.Note = pdfsAmong(len(answer.Candidates), len(record.Files))
	}
	return answer, nil
}

func (f figshare) candidates(record figshareRecord, license string) []paper.Candidate {
	var v paper.Version
	if strings.EqualFold(string(record.Type), "preprint") {
		v = paper.Submitted
	}
	var files []paper.Candidate
	for _, item := range record.Files {
		pdf := item.Type == "application/pdf" || strings.HasSuffix(strings.ToLower(string(item.Name)), ".pdf")
		if file := f.file(string(item.URL)); pdf && file != "" && !bool(item.LinkOnly) {
			files = append(files, paper.Candidate{
				URL: file, Kind: paper.PDF, Version: v, License: license, MD5: md5Of(string(item.MD5)),
			})
		}
	}
	return files
}

// file is the address of a file at the API: the hosts that download_url names
// answer programs with a challenge. Nothing else than files of Figshare's is taken.
func (f figshare) file(download string) string {
	u, err := url.Parse(download)
	if err != nil || u.Hostname() != "figshare.com" && !strings.HasSuffix(u.Hostname(), ".figshare.com") {
		return ""
	}
	found := figshareFile.FindStringSubmatch(u.Path)
	if found == nil {
		return ""
	}
	return f.cfg.BaseURL + "/file/download/" + found[1]
}
