package resolver

import (
	"regexp"
	"strings"

	"github.com/quire-dev/quire/paper"
)

const maxLicense = 200 // bytes of a licence that is only a name or a URL

var (
	ccURL  = regexp.MustCompile(`creativecommons\.org/(licenses|publicdomain)/([a-z+-]+)(?:/([0-9.]+))?`)
	ccName = regexp.MustCompile(`^cc[ _-]?(by|0|zero)([ _-].*)?$`)
)

// license makes a lower-case SPDX-like identifier of what a source calls its
// licence: cc-by-4.0 where a URL names the version, cc-by where nothing does.
// What is no Creative Commons licence is kept in lower case.
func license(raw string) string {
	name := strings.ToLower(clip(raw, maxLicense))
	if found := ccURL.FindStringSubmatch(name); found != nil {
		return ccLicense(found[1], found[2], strings.Trim(found[3], "."))
	}
	if found := ccName.FindStringSubmatch(name); found != nil {
		words := strings.FieldsFunc(found[2], func(r rune) bool { return r == ' ' || r == '_' || r == '-' })
		first := "cc-by"
		if found[1] != "by" {
			first = "cc0"
		}
		return strings.Join(append([]string{first}, words...), "-")
	}
	switch name {
	case "none", "null", "unknown":
		return ""
	case "pd", "public domain":
		return "public-domain"
	default:
		return name
	}
}

func ccLicense(kind, name, version string) string {
	switch {
	case kind == "licenses":
		name = "cc-" + name
	case name == "zero":
		name = "cc0"
	default: // the public domain mark has no version that matters
		return "public-domain"
	}
	if version != "" {
		name += "-" + version
	}
	return name
}

// version maps the words of Unpaywall, OpenAlex and Crossref onto ours. A copy
// for text mining (tdm) does not say which version it is.
func version(word string) paper.Version {
	switch strings.ToLower(word) {
	case "publishedversion", "vor":
		return paper.Published
	case "acceptedversion", "am":
		return paper.Accepted
	case "submittedversion", "smur", "ao":
		return paper.Submitted
	default:
		return ""
	}
}
