package resolver

import (
	"fmt"
	"strings"
	"time"

	"github.com/quire-dev/quire/paper"
)

// crossref asks the Crossref REST API for the links that a publisher deposited.
// A link says nothing about access: the licence does.
type crossref struct{ cfg Config }

var _ batcher = crossref{}

type crossrefRecord struct {
	Message crossrefWork `json:"message"`
}

type crossrefList struct {
	Message struct {
		Items list[crossrefWork] `json:"items"`
	} `json:"message"`
}

type crossrefWork struct {
	DOI      text                  `json:"DOI"`
	Type     text                  `json:"type"`
	Title    list[text]            `json:"title"`
	Issued   dateParts             `json:"issued"`
	ISBN     list[text]            `json:"ISBN"`
	Books    list[text]            `json:"container-title"`
	Links    list[crossrefLink]    `json:"link"`
	Licenses list[crossrefLicense] `json:"license"`
}

type crossrefLink struct {
	URL     text `json:"URL"`
	Type    text `json:"content-type"`
	Version text `json:"content-version"`
	For     text `json:"intended-application"`
}

type crossrefLicense struct {
	URL     text `json:"URL"`
	Version text `json:"content-version"`
	Start   struct {
		At text `json:"date-time"`
	} `json:"start"`
}

func (crossref) accepts(a paper.Artifact) bool { return a.IDs.DOI != "" }

func (c crossref) url(a paper.Artifact) string {
	u := c.cfg.BaseURL + "/works/" + escapeSegment(a.IDs.DOI)
	if c.cfg.Contact != "" {
		u += "?mailto=" + escapeEmail(c.cfg.Contact)
	}
	return u
}

func (crossref) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if err := check(reply, true); err != nil {
		return paper.Answer{}, err
	}
	var record crossrefRecord
	if err := decode(reply.Body, &record); err != nil {
		return paper.Answer{}, err
	}
	return record.Message.answer(a)
}

// limits: Crossref sets none on the number of filters. Fifty keep the answer,
// of 5 to 20 KB a work, well under what is read of one.
func (crossref) limits() batchLimits { return batchLimits{most: 50, room: maxQuery} }

// member is the DOI, unless it has the comma that ends a filter: there is no
// way to write one inside of it
// (https://www.crossref.org/documentation/retrieve-metadata/rest-api/rest-api-filters/).
func (crossref) member(a paper.Artifact) (kind, id string) {
	if strings.Contains(a.IDs.DOI, ",") {
		return "", ""
	}
	return "doi", escapeSegment(lower(a.IDs.DOI))
}

// together repeats the filter, of which the service takes any to hold.
func (c crossref) together(_ string, dois []string) request {
	u := fmt.Sprintf("%s/works?filter=doi:%s&rows=%d&select=DOI,title,issued,link,license,type,ISBN,container-title",
		c.cfg.BaseURL, strings.Join(dois, ",doi:"), len(dois))
	if c.cfg.Contact != "" {
		u += "&mailto=" + escapeEmail(c.cfg.Contact)
	}
	return request{url: u}
}

func (crossref) answers(as []paper.Artifact, reply paper.Reply) ([]paper.Answer, error) {
	if err := check(reply, true); err != nil {
		return nil, err
	}
	var found crossrefList
	if err := decode(reply.Body, &found); err != nil {
		return nil, err
	}
	if found.Message.Items == nil {
		return nil, unreadable(reply.Body, errNoList)
	}
	works := make(map[string]crossrefWork)
	for _, work := range found.Message.Items {
		works[doiOf(string(work.DOI))] = work
	}
	return byID(as, func(a paper.Artifact) (paper.Answer, bool, error) {
		work, ok := works[lower(a.IDs.DOI)]
		if !ok {
			return paper.Answer{}, false, nil
		}
		answer, err := work.answer(a)
		return answer, true, err
	}, func(a paper.Artifact) bool { return !plainDOI(a.IDs.DOI) })
}

func (work crossrefWork) answer(a paper.Artifact) (paper.Answer, error) {
	doi := doiOf(string(work.DOI))
	if err := checkDOI(a.IDs.DOI, doi, true); err != nil {
		return paper.Answer{}, err
	}
	licenses := inForce(work.Licenses, time.Now())
	answer := paper.Answer{IDs: withArXiv(paper.IDs{DOI: doi}), License: licenseFor("vor", licenses)}
	answer.Published = work.Issued.date()
	answer.Volume = work.volume()
	if len(work.Title) > 0 {
		answer.Title = string(work.Title[0])
	}
	for _, link := range work.Links {
		claim := licenseFor(string(link.Version), licenses)
		kind := link.kind()
		if kind == "" || kind == paper.XML && !strings.HasPrefix(claim, "cc") {
			continue
		}
		v := version(string(link.Version))
		if work.Type == "posted-content" {
			v = paper.Submitted // a preprint server's own version of record
		}
		answer.Candidates = append(answer.Candidates, paper.Candidate{
			URL: string(link.URL), Kind: kind, Version: v, License: claim,
		})
	}
	answer.Note = "no licence"
	if answer.License != "" {
		answer.Note = "licence " + answer.License
	}
	return answer, nil
}

// volume is the ISBN, or else the title, of the book or proceedings that the work is a
// part of. Of several titles the first is that of a series.
func (work crossrefWork) volume() string {
	switch work.Type {
	case "book-chapter", "book-part", "book-section", "book-track", "reference-entry", "proceedings-article":
	default:
		return ""
	}
	for _, names := range []list[text]{work.ISBN, work.Books} {
		if len(names) > 0 && names[len(names)-1] != "" {
			return string(names[len(names)-1])
		}
	}
	return ""
}

// kind is what the link is likely to give readers: a PDF, or the article as XML,
// which is of use only under an open licence; empty if neither. Links for similarity
// checking are for Crossref's own checker. Elsevier's API wants a key, and gives XML
// of its own kind.
func (link crossrefLink) kind() paper.Kind {
	if link.For == "similarity-checking" {
		return ""
	}
	switch mediaType := strings.ToLower(string(link.Type)); {
	case mediaType == "application/pdf", (mediaType == "" || mediaType == "unspecified") && namesPDF(string(link.URL)):
		return paper.PDF
	case isXMLType(mediaType) && !strings.Contains(string(link.URL), "://api.elsevier.com/"):
		return paper.XML
	default:
		return ""
	}
}

// inForce drops the licences that only begin in the future.
func inForce(licenses []crossrefLicense, now time.Time) []crossrefLicense {
	var valid []crossrefLicense
	for _, l := range licenses {
		start, err := time.Parse(time.RFC3339, string(l.Start.At))
		if err != nil || !start.After(now) {
			valid = append(valid, l)
		}
	}
	return valid
}

// licenseFor picks the licence of a content version: an open one before any
// other, one for this version before one that does not say which.
func licenseFor(version string, licenses []crossrefLicense) string {
	best, rank := "", 0
	for _, l := range licenses {
		id := license(string(l.URL))
		r := 0
		switch string(l.Version) {
		case version:
			r = 2
		case "unspecified", "":
			r = 1
		}
		if r > 0 && strings.HasPrefix(id, "cc") {
			r += 2
		}
		if r > rank {
			best, rank = id, r
		}
	}
	return best
}
