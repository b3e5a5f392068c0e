package resolver

import (
	"strings"

	"github.com/quire-dev/quire/paper"
)

type zenodoRecord struct {
	DOI        text             `json:"doi"`
	ConceptDOI text             `json:"conceptdoi"`
	Files      list[zenodoFile] `json:"files"`
	Metadata   struct {
		Title   text `json:"title"`
		Access  text `json:"access_right"` // open, embargoed, restricted, closed
		Embargo text `json:"embargo_date"`
		License struct {
			ID text `json:"id"`
		} `json:"license"`
		Type struct {
			Type    text `json:"type"`
			Subtype text `json:"subtype"`
		} `json:"resource_type"`
		Related   list[zenodoRelated] `json:"related_identifiers"`
		Alternate list[zenodoRelated] `json:"alternate_identifiers"`
	} `json:"metadata"`
}

// zenodoFile has the fields of records and, in the second place, those that
// records imported from elsewhere were seen with.
type zenodoFile struct {
	Key      text `json:"key"`
	Filename text `json:"filename"`
	Checksum text `json:"checksum"` // md5:… or the bare sum
	Links    struct {
		Self     text `json:"self"`
		Download text `json:"download"`
	} `json:"links"`
}

type zenodoRelated struct {
	ID       text `json:"identifier"`
	Relation text `json:"relation"`
	Scheme   text `json:"scheme"`
}

// of reports whether the record is a version of the work with this DOI: that
// version, or the newest one if the DOI is that of the concept.
func (r zenodoRecord) of(doi string) bool {
	return sameDOI(doi, doiOf(string(r.DOI))) || sameDOI(doi, doiOf(string(r.ConceptDOI)))
}

func (r zenodoRecord) answer(a paper.Artifact) (paper.Answer, error) {
	if !r.of(a.IDs.DOI) {
		return paper.Answer{}, checkDOI(a.IDs.DOI, doiOf(string(r.DOI)), true)
	}
	m := r.Metadata
	answer := paper.Answer{IDs: r.ids(a), Title: string(m.Title), License: license(string(m.License.ID))}
	switch access := clip(strings.ToLower(string(m.Access)), 40); {
	case access == "embargoed":
		answer.Note = embargoed(string(m.Embargo))
	case access != "" && access != "open":
		answer.Note = "access is " + access
	case textless(string(m.Type.Type)):
		answer.Note = "no text: " + clip(string(m.Type.Type), 40)
	default:
		answer.Candidates = r.candidates(answer.License)
		answer.Note = pdfsAmong(len(answer.Candidates), len(r.Files))
	}
	return answer, nil
}

// ids are the DOI that was asked for and the identifiers that the record says
// are identical with it. Others that it relates are of other works.
func (r zenodoRecord) ids(a paper.Artifact) paper.IDs {
	ids := paper.IDs{DOI: lower(a.IDs.DOI)}
	for _, other := range r.Metadata.Related {
		if strings.EqualFold(string(other.Relation), "isIdenticalTo") {
			ids.Merge(schemeID(string(other.Scheme), string(other.ID)))
		}
	}
	for _, other := range r.Metadata.Alternate {
		ids.Merge(schemeID(string(other.Scheme), string(other.ID)))
	}
	return ids
}

func (r zenodoRecord) candidates(license string) []paper.Candidate {
	var v paper.Version
	if r.Metadata.Type.Subtype == "preprint" {
		v = paper.Submitted
	}
	var files []paper.Candidate
	for _, f := range r.Files {
		name := or(f.Key, f.Filename)
		if !strings.HasSuffix(strings.ToLower(name), ".pdf") {
			continue
		}
		// Some links have the name of the file as it is, with what it holds of ?, # and %.
		link := strings.Replace(or(f.Links.Download, f.Links.Self), "/files/"+name, "/files/"+escapePath(name), 1)
		files = append(files, paper.Candidate{
			URL: link, Kind: paper.PDF, Version: v, License: license, MD5: md5Of(string(f.Checksum)),
		})
	}
	return files
}
