package resolver

import (
	"net/http"
	"strings"
)

// maxLinkHeader is how many bytes of the Link header are read. A work with a
// hundred files takes about 20 KB; the FAIR Signposting profile moves longer lists
// into a document of their own, which is not asked for.
const maxLinkHeader = 64 << 10

// headerLinks reads the Link header (RFC 8288, section 3), where FAIR Signposting
// names the files of a work. Links that are about another page (anchor) are left
// out, as is what follows a link that is malformed, up to the next field.
func headerLinks(header http.Header) []pageLink {
	var links []pageLink
	room := maxLinkHeader
	for _, value := range header.Values("Link") {
		value = value[:min(len(value), room)]
		room -= len(value)
		for len(links) < maxMetas {
			link, rest, ok := cutLink(value)
			if !ok {
				break
			}
			if link.href != "" {
				links = append(links, link)
			}
			value = rest
		}
	}
	return links
}

// cutLink takes the first link off a list. One that is about another page comes
// without href.
func cutLink(list string) (link pageLink, rest string, ok bool) {
	list = strings.TrimLeft(list, ", \t")
	after, ok := strings.CutPrefix(list, "<")
	if !ok {
		return link, "", false
	}
	link.href, rest, ok = strings.Cut(after, ">")
	link.href = strings.TrimSpace(link.href)
	if !ok {
		return pageLink{}, "", false
	}
	seen := make(map[string]bool)
	for {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" || rest[0] != ';' {
			break
		}
		var name, value string
		name, value, rest = cutParameter(rest[1:])
		if seen[name] {
			continue // the first counts (RFC 8288, section 3.3)
		}
		seen[name] = true
		switch name {
		case "rel":
			link.rel = value
		case "type":
			link.kind = strings.TrimSpace(value)
		case "title":
			link.title = value
		case "anchor":
			link.href = ""
		}
	}
	if rest != "" && rest[0] != ',' {
		_, rest, _ = strings.Cut(rest, ",")
	}
	return link, rest, true
}

// cutParameter takes name=value off the start of s; the value is a word or in
// quotes, or missing.
func cutParameter(s string) (name, value, rest string) {
	end := strings.IndexAny(s, "=;,")
	if end < 0 {
		end = len(s)
	}
	name = strings.ToLower(strings.TrimSpace(s[:end]))
	rest = s[end:]
	if rest == "" || rest[0] != '=' {
		return name, "", rest
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if !strings.HasPrefix(rest, `"`) {
		if end = strings.IndexAny(rest, ";,"); end < 0 {
			end = len(rest)
		}
		return name, strings.TrimSpace(rest[:end]), rest[end:]
	}
	var text strings.Builder
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			return name, text.String(), rest[i+1:]
		case c == '\\' && i+1 < len(rest):
			i++
			text.WriteByte(rest[i])
		default:
			text.WriteByte(c)
		}
	}
	return name, text.String(), "" // the quote is never closed
}
