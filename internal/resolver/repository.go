package resolver

import (
	"fmt"
	"strings"

	"github.com/quire-dev/quire/paper"
)

// What the records of repositories have in common.

// textless reports whether a type of resource, in the words of Zenodo, Figshare
// or DataCite, is one of things that are not read: what it has of PDFs is
// something beside the thing.
func textless(kind string) bool {
	switch strings.ReplaceAll(strings.ToLower(kind), " ", "") {
	case "dataset", "fileset", "figure", "image", "media", "video", "audiovisual", "sound", "software", "code", "model",
		"workflow", "physicalobject", "instrument", "event", "service", "interactiveresource", "computationalnotebook":
		return true
	default:
		return false
	}
}

// embargoed is the note on a work that may not be had yet.
func embargoed(until string) string {
	if until = clip(until, 40); until != "" {
		return "embargoed until " + until
	}
	return "embargoed"
}

// pdfsAmong is the note on the files of a record.
func pdfsAmong(pdfs, files int) string {
	if files == 0 {
		return "a record without files"
	}
	return fmt.Sprintf("PDFs among the files: %d of %d", pdfs, files)
}

// schemeID reads an identifier that a record names along with its scheme.
func schemeID(scheme, id string) paper.IDs {
	switch strings.ToLower(scheme) {
	case "arxiv":
		id = strings.TrimPrefix(lower(strings.TrimSpace(id)), "arxiv:")
		if arxivForm.MatchString(id) {
			return paper.IDs{ArXiv: id}
		}
	case "pmid":
		return paper.IDs{PMID: pmidOf(id)}
	case "pmcid":
		return paper.IDs{PMCID: pmcidOf(id)}
	}
	return paper.IDs{}
}

// md5Of reads an MD5 sum in hex, with or without the name of the algorithm.
func md5Of(field string) string {
	sum := strings.TrimPrefix(strings.ToLower(field), "md5:")
	if !md5Form.MatchString(sum) {
		return ""
	}
	return sum
}

// or is the first of two fields that is not empty.
func or(first, second text) string {
	if first != "" {
		return string(first)
	}
	return string(second)
}

// bearer is the header of services that take a token of RFC 6750.
func bearer(token string) (name, value string) {
	if token == "" {
		return "Authorization", ""
	}
	return "Authorization", "Bearer " + token
}
