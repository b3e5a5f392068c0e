package testweb

import (
	"crypto/md5" // the records of repositories carry MD5 sums
	"encoding/hex"
	"slices"
	"strings"
)

// What repositories know of the works that say so: those with a copy whose
// Services name the repository. Zenodo, Figshare, OSF, bioRxiv and medRxiv know a
// work by its DOI besides, which has to be of their form.

// repositories are the services that know of a copy only if it names them.
func repositories() []string {
	return []string{"zenodo", "figshare", "osf", "hal", "biorxiv", "medrxiv", "datacite"}
}

// repositoryIDs are the identifiers under which repositories find a work that
// one of them has.
func (work Work) repositoryIDs() []string {
	if !slices.ContainsFunc(work.Copies, func(c Copy) bool {
		return slices.ContainsFunc(c.Services, func(s string) bool { return slices.Contains(repositories(), s) })
	}) {
		return nil
	}
	_, suffix, _ := strings.Cut(work.DOI, "/")
	ids := []string{"biorxiv:" + work.DOI, "medrxiv:" + work.DOI, "file:" + work.osfFile()}
	if number, ok := strings.CutPrefix(suffix, "zenodo."); ok {
		ids = append(ids, "zenodo:"+number)
	}
	if guid, ok := strings.CutPrefix(suffix, "osf.io/"); ok {
		ids = append(ids, "guid:"+guid)
	}
	return ids
}

// repositoryRecord is what a repository says of a work that it was asked for by
// id.
func repositoryRecord(service, id string, work Work) (any, bool) {
	kind, _, _ := strings.Cut(id, ":")
	if service == "biorxiv" {
		service = kind // the server
	}
	copies := work.copiesAt(service)
	if len(copies) == 0 || work.DOI == "" {
		return nil, false
	}
	c := copies[0]
	sum := md5.Sum(work.File(c.URL))
	checksum := hex.EncodeToString(sum[:])
	switch service {
	case "zenodo":
		return zenodoRecord(work, c, checksum), true
	case "figshare":
		return figshareRecord(work, c, checksum), true
	case "osf":
		if kind == "file" {
			return osfFileRecord(work, c, checksum), true
		}
		return osfRecord(work), true
	case "hal":
		return object{
			"doiId_s": work.DOI, "title_s": []any{work.Title}, "docType_s": "ART", "fileMain_s": c.URL, "openAccess_bool": true,
			"licence_s": "https://creativecommons.org/licenses/by/4.0/",
		}, true
	case "datacite":
		return dataCiteRecord(work, c), true
	default:
		return object{
			"doi": work.DOI, "title": work.Title, "version": "1", "type": "new results", "license": "cc_by", "published": "NA",
			"jatsxml": "https://www." + service + ".org/content/early/" + work.DOI + ".source.xml", "server": service,
		}, true
	}
}

func zenodoRecord(work Work, c Copy, checksum string) object {
	return object{
		"doi": work.DOI, "title": work.Title, "state": "done", "metadata": object{
			"title": work.Title, "doi": work.DOI, "access_right": "open", "license": object{"id": "cc-by-4.0"},
			"resource_type": object{"type": "publication", "subtype": "article"},
		},
		"files": []any{
			object{"key": "data.csv", "size": 7, "checksum": "md5:" + checksum, "links": object{"self": c.URL + ".csv"}},
			object{"key": "paper.pdf", "size": SizeOf(c.URL), "checksum": "md5:" + checksum, "links": object{"self": c.URL}},
		},
	}
}

func figshareRecord(work Work, c Copy, checksum string) object {
	return object{
		"doi": work.DOI, "title": work.Title, "defined_type_name": "journal contribution", "is_embargoed": false, "is_confidential": false,
		"is_metadata_record": false, "license": object{"value": 1, "name": "CC BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/"},
		"files": []any{object{
			"name": "paper.pdf", "size": SizeOf(c.URL), "is_link_only": false, "download_url": c.URL, "computed_md5": checksum, "mimetype": "application/pdf",
		}},
	}
}

// osfFile makes up the number of a work's file: 24 digits in hex.
func (work Work) osfFile() string {
	sum := md5.Sum([]byte(work.DOI))
	return hex.EncodeToString(sum[:12])
}

func osfRecord(work Work) object {
	_, guid, _ := strings.Cut(work.DOI, "osf.io/")
	return object{
		"id": guid, "type": "preprints", "attributes": object{"title": work.Title, "is_published": true, "date_withdrawn": nil},
		"relationships": object{"primary_file": object{"data": object{"id": work.osfFile(), "type": "files"}}},
		"embeds": object{"license": object{"data": object{"attributes": object{
			"name": "CC-By Attribution 4.0 International", "url": "https://creativecommons.org/licenses/by/4.0/legalcode",
		}}}},
		"links": object{"preprint_doi": "https://doi.org/" + work.DOI},
	}
}

func osfFileRecord(work Work, c Copy, checksum string) object {
	_, guid, _ := strings.Cut(work.DOI, "osf.io/")
	return object{
		"id": work.osfFile(), "type": "files",
		"attributes":    object{"name": "paper.pdf", "kind": "file", "size": SizeOf(c.URL), "extra": object{"hashes": object{"md5": checksum}}},
		"relationships": object{"target": object{"data": object{"type": "preprints", "id": guid}}},
		"links":         object{"download": c.URL},
	}
}

func dataCiteRecord(work Work, c Copy) object {
	return object{"id": work.DOI, "type": "dois", "attributes": object{
		"doi": work.DOI, "titles": []any{object{"title": work.Title}}, "types": object{"resourceTypeGeneral": "Text"},
		"contentUrl": []any{c.URL}, "url": orNull(work.Landing), "relatedIdentifiers": []any{}, "formats": []any{"application/pdf"},
		"rightsList": []any{object{"rightsUri": "https://creativecommons.org/licenses/by/4.0/legalcode", "rightsIdentifier": "cc-by-4.0"}},
	}}
}
