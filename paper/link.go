package paper

import (
	"net/url"
	"strings"
)

// parseLink reads a URL: one that shows a known identifier gives that, any other
// is an artifact of its own.
func parseLink(text string) (Artifact, error) {
	if strings.HasSuffix(text, ";2-#") { // the check character of a SICI, no fragment
		text = strings.TrimSuffix(text, "#") + "%23"
	}
	u, err := parseURL(text)
	if err != nil {
		return Artifact{}, bad("%v", err)
	}
	if kind, id := u.identifier(); kind != "" {
		return parseKind(kind, id)
	}
	if through, ok := u.proxied(); ok {
		if kind, id := through.identifier(); kind != "" {
			return parseKind(kind, id)
		}
	}
	id := "url:" + u.String()
	if len(id) > maxID {
		return Artifact{}, bad("URL has %d bytes, more than the %d of an artifact's id", len(id)-len("url:"), maxID-len("url:"))
	}
	return Artifact{ID: id, IDs: IDs{URL: id[len("url:"):]}}, nil
}

// identifier returns the kind and the text of the identifier that a page of one
// of the known services shows; no kind if the page is of no single work.
func (u webURL) identifier() (kind, id string) {
	path, err := url.PathUnescape(strings.TrimPrefix(u.path, "/"))
	if err != nil {
		return "", ""
	}
	switch {
	case u.at("doi.org"):
		path = strings.TrimSuffix(path, "/")
		if kind, rest := cutLabel(path); kind == "doi" {
			path = rest
		}
		return "doi", path
	case u.at("arxiv.org"):
		return arxivLink(path)
	case u.at("ncbi.nlm.nih.gov"), u.at("pmc.ncbi.nlm.nih.gov"), u.at("pubmed.ncbi.nlm.nih.gov"):
		return ncbiLink(path)
	case u.at("europepmc.org"):
		return europePMCLink(path, u.query)
	case u.at("openalex.org"):
		id = strings.TrimPrefix(path, "works/")
		if hasFold(id, "w") && isDigits(id[1:]) {
			return "openalex", id
		}
	}
	return "", ""
}

// at reports whether the URL is at the host or a subdomain of it, or reaches it
// through a library's proxy, which appends its own name and may put dashes for
// dots: doi-org.proxy.example.edu.
func (u webURL) at(host string) bool {
	seen := strings.TrimPrefix(u.host, "www.")
	seen = strings.TrimPrefix(seen, "www-")
	dashed := strings.ReplaceAll(host, ".", "-")
	return seen == host || strings.HasSuffix(seen, "."+host) ||
		strings.HasPrefix(seen, host+".") || strings.HasPrefix(seen, dashed+".") ||
		strings.HasPrefix(seen, "dx."+host+".") || strings.HasPrefix(seen, "dx-"+dashed+".")
}

// proxied returns the URL that a proxy's login page leads to:
// https://login.proxy.example.edu/login?url=https://doi.org/10.1/x.
func (u webURL) proxied() (webURL, bool) {
	target, ok := strings.CutPrefix(u.query, "?url=")
	if !ok {
		target, ok = strings.CutPrefix(u.query, "?qurl=")
	}
	if !ok || !strings.HasSuffix(u.path, "/login") {
		return webURL{}, false
	}
	if !isHTTP(target) {
		target, _ = url.QueryUnescape(target)
	}
	through, err := parseURL(target)
	return through, err == nil
}

func arxivLink(path string) (kind, id string) {
	page, id, _ := strings.Cut(path, "/")
	switch page {
	case "abs", "pdf", "html", "format", "e-print", "src", "ps":
		return "arxiv", strings.TrimSuffix(strings.TrimSuffix(id, "/"), ".pdf")
	}
	return "", ""
}

// ncbiLink knows articles/PMC1/…, pmc/articles/PMC1/…, articles/pmid/1,
// pubmed/1 and, at pubmed, 1.
func ncbiLink(path string) (kind, id string) {
	part := strings.Split(strings.TrimPrefix(path, "pmc/"), "/")
	switch {
	case part[0] == "articles" && len(part) > 1 && hasFold(part[1], "pmc"):
		return "pmcid", part[1]
	case part[0] == "articles" && len(part) > 2 && part[1] == "pmid":
		return "pmid", part[2]
	case part[0] == "pubmed" && len(part) > 1 && isDigits(part[1]):
		return "pmid", part[1]
	case isDigits(part[0]):
		return "pmid", part[0]
	}
	return "", ""
}

// europePMCLink knows article/MED/1, abstract/PMC/PMC1, articles/PMC1 and the
// address that renders PDFs.
func europePMCLink(path, query string) (kind, id string) {
	part := strings.Split(path, "/")
	switch {
	case part[0] == "articles" && len(part) > 1 && hasFold(part[1], "pmc"):
		return "pmcid", part[1]
	case (part[0] == "article" || part[0] == "abstract") && len(part) > 2:
		switch strings.ToUpper(part[1]) {
		case "MED":
			return "pmid", part[2]
		case "PMC":
			return "pmcid", part[2]
		}
	case path == "backend/ptpmcrender.fcgi":
		values, _ := url.ParseQuery(strings.TrimPrefix(query, "?"))
		if accession := values.Get("accid"); hasFold(accession, "pmc") {
			return "pmcid", accession
		}
	}
	return "", ""
}
