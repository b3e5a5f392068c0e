package resolver

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// osf asks the Open Science Framework for a preprint, of any of the servers that
// it runs. The first request reads the record; the second, under the cursor of
// the first, the file. The first could embed it (embed=primary_file), but users
// report that the service answers that with 502.
type osf struct{ cfg Config }

var (
	// A DOI has the number of the preprint after the prefix of its server, and of
	// late a version.
	osfForm = regexp.MustCompile(`^10\.[0-9]{4,9}/osf\.io/([a-z0-9]{5,10})(?:_v([1-9][0-9]{0,3}))?$`)
	osfGUID = regexp.MustCompile(`^([a-z0-9]{5,10})(?:_v([1-9][0-9]{0,3}))?$`)
	osfFile = regexp.MustCompile(`^[0-9a-f]{24}$`)
)

// osfProjects is the prefix of what is no preprint: projects and registrations.
const osfProjects = "10.17605/"

type osfPreprint struct {
	Data struct {
		ID         text `json:"id"`
		Attributes struct {
			Title       text `json:"title"`
			IsPublished flag `json:"is_published"`
			Withdrawn   text `json:"date_withdrawn"`
		} `json:"attributes"`
		Relationships struct {
			File struct {
				Data struct {
					ID text `json:"id"`
				} `json:"data"`
			} `json:"primary_file"`
		} `json:"relationships"`
		Embeds struct {
			License struct {
				Data struct {
					Attributes osfTerms `json:"attributes"`
				} `json:"data"`
			} `json:"license"`
		} `json:"embeds"`
	} `json:"data"`
}

func (osf) accepts(a paper.Artifact) bool { guid, _ := osfID(a.IDs.DOI); return guid != "" }

func (o osf) keyHeader() (name, value string) { return bearer(o.cfg.APIKey) }

// osfID takes a DOI apart; the version of one that names none is empty.
func osfID(doi string) (guid, version string) {
	found := osfForm.FindStringSubmatch(lower(doi))
	if found == nil || strings.HasPrefix(doi, osfProjects) {
		return "", ""
	}
	return found[1], found[2]
}

func (o osf) url(a paper.Artifact) string {
	if file, _ := osfCursor(a); file != "" {
		return o.cfg.BaseURL + "/files/" + file + "/"
	}
	guid, version := osfID(a.IDs.DOI)
	if version != "" {
		guid += "_v" + version
	}
	return o.cfg.BaseURL + "/preprints/" + guid + "/?embed=license"
}

// osfCursor is the file to ask for, and the licence that the record gave.
func osfCursor(a paper.Artifact) (file, license string) {
	file, license, _ = strings.Cut(a.Cursor, " ")
	if !osfFile.MatchString(file) {
		return "", ""
	}
	return file, license
}

func (o osf) answer(a paper.Artifact, reply paper.Reply) (paper.Answer, error) {
	// Without a token a refusal to show something can only be about that.
	hidden := reply.Status == http.StatusUnauthorized && o.cfg.APIKey == "" ||
		reply.Status == http.StatusForbidden && bytes.Contains(reply.Body, []byte("do not have permission"))
	if hidden {
		return paper.Answer{}, miss("not public")
	}
	if err := check(reply, o.cfg.APIKey != ""); err != nil {
		return paper.Answer{}, err
	}
	if file, license := osfCursor(a); file != "" {
		return osfFileAnswer(a, file, license, reply.Body)
	}
	var record osfPreprint
	if err := decode(reply.Body, &record); err != nil {
		return paper.Answer{}, err
	}
	return record.answer(a)
}

func (r osfPreprint) answer(a paper.Artifact) (paper.Answer, error) {
	if !osfSame(a, string(r.Data.ID)) {
		return paper.Answer{}, miss("answered for another preprint: " + clip(string(r.Data.ID), 40))
	}
	attributes, file := r.Data.Attributes, string(r.Data.Relationships.File.Data.ID)
	answer := paper.Answer{
		IDs: paper.IDs{DOI: lower(a.IDs.DOI)}, Title: string(attributes.Title),
		License: r.Data.Embeds.License.Data.Attributes.license(),
	}
	switch {
	case attributes.Withdrawn != "":
		answer.Note = "withdrawn"
	case !bool(attributes.IsPublished):
		answer.Note = "not published"
	case !osfFile.MatchString(file):
		answer.Note = "a record without files"
	default:
		answer.Cursor = strings.TrimSpace(file + " " + answer.License)
	}
	return answer, nil
}

// osfSame reports whether an id is that of the preprint that was asked for, in
// the version that was asked for, if any.
func osfSame(a paper.Artifact, id string) bool {
	guid, version := osfID(a.IDs.DOI)
	found := osfGUID.FindStringSubmatch(lower(id))
	return found != nil && found[1] == guid && (version == "" || found[2] == "" || found[2] == version)
}
