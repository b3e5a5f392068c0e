package resolver

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// pmc reads the open-data bucket of PubMed Central, which took the place of the
// OA web service in August 2026. The first request lists the versions of an
// article; the second, under the cursor of the first, reads the metadata of one.
type pmc struct{ cfg Config }

// pmcBucket is the name in the s3:// URLs of the metadata.
const pmcBucket = "pmc-oa-opendata"

type pmcListing struct {
	XMLName  xml.Name `xml:"ListBucketResult"`
	Prefixes []string `xml:"CommonPrefixes>Prefix"`
}

type pmcMetadata struct {
	PMCID        text `json:"pmcid"`
	PMID         text `json:"pmid"`
	DOI          text `json:"doi"`
	Title        text `json:"title"`
	IsManuscript flag `json:"is_manuscript"`
	IsScan       flag `json:"is_historical_ocr"`
	IsRetracted  flag `json:"is_retracted"`
	License      text `json:"license_code"`
	PDF          text `json:"pdf_url"`
	XML          text `json:"xml_url"`
}

func (pmc) accepts(a paper.Artifact) bool { return a.IDs.PMCID != "" }

func (p pmc) url(a paper.Artifact) string {
	if at := cursorOf(a); at != "" {
		return p.cfg.BaseURL + "/metadata/" + at + ".json"
	}
	// The full stop keeps PMC10 out of the list of PMC1.
	return p.cfg.BaseURL + "/?list-type=2&prefix=" + escapeSegment(a.IDs.PMCID) + ".&delimiter=/"
}

func (p pmc) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	if err := check(reply, false); err != nil {
		return paper.Answer{}, err
	}
	if cursorOf(a) == "" {
		return pmcVersion(a, reply.Body)
	}
	return p.metadata(a, reply.Body)
}

var pmcVersionForm = regexp.MustCompile(`^(PMC[1-9][0-9]{0,9})\.([1-9][0-9]{0,3})/?$`)

// cursorOf returns the cursor if it is a version of the artifact's PMCID.
func cursorOf(a paper.Artifact) string {
	if found := pmcVersionForm.FindStringSubmatch(a.Cursor); found != nil && found[1] == a.IDs.PMCID {
		return found[1] + "." + found[2]
	}
	return ""
}

// pmcVersion picks the version that the artifact names, or the highest.
func pmcVersion(a paper.Artifact, body []byte) (paper.Answer, error) {
	var listing pmcListing
	if err := xml.Unmarshal(body, &listing); err != nil {
		return paper.Answer{}, unreadable(body, err)
	}
	wanted := 0
	if strings.HasPrefix(a.As(paper.PDF).ID, "pmcid:") { // an arXiv id's version is another
		wanted = a.Version
	}
	highest := 0
	for _, prefix := range listing.Prefixes {
		found := pmcVersionForm.FindStringSubmatch(prefix)
		if found == nil || found[1] != a.IDs.PMCID {
			continue
		}
		if v, _ := strconv.Atoi(found[2]); v > highest && (wanted == 0 || v == wanted) {
			highest = v
		}
	}
	switch {
	case highest > 0:
		return paper.Answer{Cursor: fmt.Sprintf("%s.%d", a.IDs.PMCID, highest)}, nil
	case wanted > 0 && len(listing.Prefixes) > 0:
		return paper.Answer{}, miss(fmt.Sprintf("version %d is not in the open-data bucket", wanted))
	default:
		return paper.Answer{}, miss("not in the open-data bucket")
	}
}

func (p pmc) metadata(a paper.Artifact, body []byte) (paper.Answer, error) {
	var m pmcMetadata
	if err := decode(body, &m); err != nil {
		return paper.Answer{}, err
	}
	ids := withArXiv(paper.IDs{PMCID: a.IDs.PMCID, DOI: doiOf(string(m.DOI)), PMID: pmidOf(string(m.PMID))})
	article, _, _ := strings.Cut(string(m.PMCID), ".")
	if pmcidOf(article) != a.IDs.PMCID {
		return paper.Answer{}, miss("answered for another PMCID: " + clip(string(m.PMCID), 40))
	}
	if err := checkDOI(a.IDs.DOI, ids.DOI, false); err != nil {
		return paper.Answer{}, err
	}
	answer := paper.Answer{IDs: ids, Title: string(m.Title), License: license(string(m.License)), Note: m.note()}
	v := paper.Published
	if m.IsManuscript {
		v = paper.Accepted
	}
	for _, object := range []struct {
		kind paper.Kind
		url  text
	}{{paper.PDF, m.PDF}, {paper.XML, m.XML}} {
		if file, md5 := p.file(string(object.url)); file != "" {
			answer.Candidates = append(answer.Candidates, paper.Candidate{
				URL: file, Kind: object.kind, Version: v, License: answer.License, MD5: md5,
			})
		}
	}
	return answer, nil
}

func (m pmcMetadata) note() string {
	var notes []string
	if m.PDF == "" {
		notes = append(notes, "no PDF in the open-data bucket")
	}
	if m.IsRetracted {
		notes = append(notes, "retracted")
	}
	if m.IsScan {
		notes = append(notes, "scan of an old issue")
	}
	return strings.Join(notes, ", ")
}

var md5Form = regexp.MustCompile(`^[0-9a-f]{32}$`)

// file turns s3://bucket/key?md5=… into an address under the base URL. Nothing
// else is taken: the metadata names only objects of its own bucket.
func (p pmc) file(s3 string) (file, md5 string) {
	u, err := url.Parse(s3)
	if err != nil || u.Scheme != "s3" || u.Host != pmcBucket || u.Path == "" {
		return "", ""
	}
	if sum := strings.ToLower(u.Query().Get("md5")); md5Form.MatchString(sum) {
		md5 = sum
	}
	return p.cfg.BaseURL + escapePath(u.Path), md5
}
