package resolver

import (
	"regexp"
	"strings"

	"github.com/quire-dev/quire/paper"
)

type osfFileRecord struct {
	Data struct {
		ID         text `json:"id"`
		Attributes struct {
			Name  text `json:"name"`
			Extra struct {
				Hashes struct {
					MD5 text `json:"md5"`
				} `json:"hashes"`
			} `json:"extra"`
		} `json:"attributes"`
		Relationships struct {
			Target struct {
				Data struct {
					ID   text `json:"id"`
					Type text `json:"type"`
				} `json:"data"`
			} `json:"target"`
		} `json:"relationships"`
		Links struct {
			Download text `json:"download"`
		} `json:"links"`
	} `json:"data"`
}

// osfFileAnswer reads the record of a preprint's file.
func osfFileAnswer(a paper.Artifact, file, license string, body []byte) (paper.Answer, error) {
	var record osfFileRecord
	if err := decode(body, &record); err != nil {
		return paper.Answer{}, err
	}
	target := record.Data.Relationships.Target.Data
	if string(record.Data.ID) != file || target.Type == "preprints" && !osfSame(a, string(target.ID)) {
		return paper.Answer{}, miss("answered for another file: " + clip(string(record.Data.ID), 40))
	}
	answer := paper.Answer{IDs: paper.IDs{DOI: lower(a.IDs.DOI)}, License: license}
	name := string(record.Data.Attributes.Name)
	if !strings.HasSuffix(strings.ToLower(name), ".pdf") {
		answer.Note = "the file is no PDF: " + clip(name, 80)
		return answer, nil
	}
	answer.Note = "a preprint"
	answer.Candidates = []paper.Candidate{{
		URL: string(record.Data.Links.Download), Kind: paper.PDF, Version: paper.Submitted, License: license,
		MD5: md5Of(string(record.Data.Attributes.Extra.Hashes.MD5)),
	}}
	return answer, nil
}

// osfTerms is a licence in the service's words, such as CC-By
// Attribution-NonCommercial 4.0 International, with or without its address.
type osfTerms struct {
	Name text `json:"name"`
	URL  text `json:"url"`
}

var osfVersion = regexp.MustCompile(`[1-9]\.[0-9]`)

func (terms osfTerms) license() string {
	if id := license(string(terms.URL)); strings.HasPrefix(id, "cc") {
		return id
	}
	name := clip(strings.ToLower(string(terms.Name)), maxLicense)
	var words []string
	switch {
	case name == "no license":
		return ""
	case strings.HasPrefix(name, "cc0"):
		words = []string{"cc0"}
	case strings.HasPrefix(name, "cc-by"):
		words = []string{"cc-by"}
		for _, term := range [][2]string{{"noncommercial", "nc"}, {"noderivatives", "nd"}, {"sharealike", "sa"}} {
			if strings.Contains(name, term[0]) {
				words = append(words, term[1])
			}
		}
	default:
		return license(name)
	}
	if v := osfVersion.FindString(name); v != "" {
		words = append(words, v)
	}
	return strings.Join(words, "-")
}
