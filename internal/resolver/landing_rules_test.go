package resolver_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

const pageURL = "https://journal.org/vol/7/article"

// found returns the addresses of the files of a kind.
func found(l resolver.Landing, kind paper.Kind) []string {
	var urls []string
	for _, c := range l.Candidates {
		if c.Kind == kind {
			urls = append(urls, c.URL)
		}
	}
	return urls
}

func TestParseLanding_Rules(t *testing.T) {
	tests := map[string]struct {
		page   string
		header http.Header
		want   []string
	}{
		"meta by property": {
			page: `<META PROPERTY="Citation_PDF_URL" content="/a.pdf&amp;x">`,
			want: []string{"https://journal.org/a.pdf&x"},
		},
		"own folder, then own host, then others": {
			page: `<meta name=citation_pdf_url content=https://cdn.net/1><meta name=citation_pdf_url content=/2>` +
				`<meta name=citation_pdf_url content=/vol/7/3><meta name=citation_pdf_url content=/2>`,
			want: []string{"https://journal.org/vol/7/3", "https://journal.org/2", "https://cdn.net/1"},
		},
		"base":            {page: `<base href="/x/"><meta name="citation_pdf_url" content="a b.pdf">`, want: []string{"https://journal.org/x/a%20b.pdf"}},
		"default port":    {page: `<meta name="citation_pdf_url" content="https://journal.org:443/a.pdf">`, want: []string{"https://journal.org/a.pdf"}},
		"bepress":         {page: `<meta name="bepress_citation_pdf_url" content="/a">`, want: []string{"https://journal.org/a"}},
		"eprints":         {page: `<meta name="eprints.document_url" content="/1/a.doc"><meta name="eprints.document_url" content="/1/a.pdf">`, want: []string{"https://journal.org/1/a.pdf"}},
		"link element":    {page: `<link rel="Alternate" type="application/pdf" href="/a"><link rel=alternate type=text/html href=/b>`, want: []string{"https://journal.org/a"}},
		"Link header":     {header: http.Header{"Link": {`</m.json>; rel="describedby", </a>; rel="item"; type="application/pdf", </b>; rel=item; type=text/html`}}, want: []string{"https://journal.org/a"}},
		"embed":           {page: `<embed src="/a" type="application/pdf">`, want: []string{"https://journal.org/a"}},
		"object":          {page: `<object data="a.pdf" type="application/pdf"></object>`, want: []string{"https://journal.org/vol/7/a.pdf"}},
		"iframe":          {page: `<iframe src="/a.pdf"></iframe><iframe src="https://ads.net/b.pdf"></iframe>`, want: []string{"https://journal.org/a.pdf"}},
		"viewer":          {page: `<iframe src="/web/viewer.html?file=%2Ffiles%2Fa.pdf"></iframe>`, want: []string{"https://journal.org/files/a.pdf"}},
		"JSON-LD":         {page: `<script type="application/ld+json">[{"@graph":[{"@type":"ScholarlyArticle","encoding":{"contentUrl":"/a","encodingFormat":"application/pdf"}}]}]</script>`, want: []string{"https://journal.org/a"}},
		"JSON-LD of data": {page: `<script type="application/ld+json">{"@type":"Dataset","encoding":{"contentUrl":"/readme.pdf"}}</script>`},
		"DC.Identifier":   {page: `<meta name="DC.Identifier.URI" content="https://journal.org/a.pdf"><meta name="DC.identifier" content="10.5555/a">`, want: []string{"https://journal.org/a.pdf"}},
		"OJS":             {page: `<a class="obj_galley_link pdf" href="https://journal.org/index.php/j/article/view/1/2">PDF</a><a class="obj_galley_link file" href="/article/view/1/3">HTML</a>`, want: []string{"https://journal.org/index.php/j/article/download/1/2"}},
		"Wiley reader":    {page: `<meta name="citation_pdf_url" content="https://onlinelibrary.wiley.com/doi/epdf/10.1002/a">`, want: []string{"https://onlinelibrary.wiley.com/doi/pdfdirect/10.1002/a"}},

		"OJS viewer":      {page: `<iframe src="/plugins/generic/pdfJsViewer/pdf.js/web/viewer.html?file=https%3A%2F%2Fjournal.org%2Findex.php%2Fj%2Farticle%2Fdownload%2F1%2F2"></iframe>`, want: []string{"https://journal.org/index.php/j/article/download/1/2"}},
		"Google's viewer": {page: `<iframe src="https://docs.google.com/viewer?url=https://journal.org/a.pdf&amp;embedded=true"></iframe>`, want: []string{"https://journal.org/a.pdf"}},
		"viewer in a tag": {page: `<meta name="citation_pdf_url" content="/pdfjs/viewer?file=a.pdf">`, want: []string{"https://journal.org/pdfjs/a.pdf"}},
		"no viewer":       {page: `<iframe src="/download.pdf?file=a.pdf"></iframe>`, want: []string{"https://journal.org/download.pdf?file=a.pdf"}},
		"empty viewer":    {page: `<iframe src="/viewer.html?file="></iframe>`},

		"without TLS":               {page: `<meta name="citation_pdf_url" content="http://journal.org/a.pdf"><meta name="citation_pdf_url" content="http://cdn.net/a.pdf">`, want: []string{"https://journal.org/a.pdf", "http://cdn.net/a.pdf"}},
		"entities twice":            {page: `<meta name="citation_pdf_url" content="/a?b=1&amp;amp;c=2">`, want: []string{"https://journal.org/a?b=1&c=2"}},
		"Nature's preview":          {page: `<meta name="citation_pdf_url" content="https://www.nature.com/articles/s1_reference.pdf"><meta name="wkhealth_pdf_url" content="/a">`, want: []string{"https://journal.org/a"}},
		"another's reference.pdf":   {page: `<meta name="citation_pdf_url" content="https://journal.org/manual_reference.pdf">`, want: []string{"https://journal.org/manual_reference.pdf"}},
		"back to the DOI":           {page: `<meta name="citation_pdf_url" content="https://doi.org/10.5555/a">`},
		"the page, with a slash":    {page: `<meta name="citation_pdf_url" content="http://journal.org/vol/7/article/#pdf">`},
		"dozens":                    {page: many(40), want: resolved(12)},
		"reference of 9 KB":         {page: `<link rel=item type=application/pdf href="/` + strings.Repeat("a", 9<<10) + `">`},
		"several Link headers":      {header: http.Header{"Link": {`</a>; rel=item`, `<a.pdf>; rel="first item"`}}, want: []string{"https://journal.org/vol/7/a.pdf"}},
		"Link header of data":       {header: http.Header{"Link": {`<https://schema.org/Dataset>; rel="type", </a.pdf>; rel=item; type="application/pdf"`}}},
		"Link header of other page": {header: http.Header{"Link": {`</a>; rel=item; type="application/pdf"; anchor="/b"`}}},

		"anchor":               {page: `<a href="/a.pdf?s=1">PDF</a><a href="/a.pdf?s=2">Download <b>PDF</b> (1.2 MB)</a>`, want: []string{"https://journal.org/a.pdf?s=1"}},
		"two anchors":          {page: `<a href="/a.pdf">PDF</a><a href="/b.pdf">PDF</a>`},
		"anchor of other site": {page: `<a href="https://other.org/a.pdf">PDF</a>`},
		"supplement":           {page: `<a href="/suppl/a.pdf">PDF</a><a href="/author-guidelines.pdf">Download PDF</a>`},
		"some document":        {page: `<a href="/a.pdf">Call for papers 2026 (PDF)</a><a href="/b.pdf">Annual report</a>`},
		"comment":              {page: `<!-- <meta name="citation_pdf_url" content="/a.pdf"> -->`},
		"script":               {page: `<script>'<meta name="citation_pdf_url" content="/a.pdf">'</script>`},

		"hostile schemes": {page: `<meta name=citation_pdf_url content="javascript:alert(1)"><meta name=citation_pdf_url content="file:///etc/passwd"><meta name=citation_pdf_url content="data:,x">`},
		"user":            {page: `<meta name="citation_pdf_url" content="https://me:pw@journal.org/a.pdf">`, want: []string{"https://journal.org/a.pdf"}},
		"the page itself": {page: `<meta name="citation_pdf_url" content="">` + `<meta name="citation_pdf_url" content="article">`},
		"unclosed":        {page: `<div><p><meta name=citation_pdf_url content=/a.pdf><a href="`, want: []string{"https://journal.org/a.pdf"}},
		"nested deep":     {page: strings.Repeat("<div>", 100_000) + `<meta name=citation_pdf_url content=/a.pdf>`, want: []string{"https://journal.org/a.pdf"}},
		"beyond 2 MiB":    {page: strings.Repeat(" ", 2<<20) + `<meta name=citation_pdf_url content=/a.pdf>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := resolver.ParseLanding([]byte(tt.page), pageURL, tt.header)
			if diff := cmp.Diff(tt.want, found(got, paper.PDF)); diff != "" {
				t.Error(diff)
			}
			if want := map[bool]paper.Class{true: paper.NoPDFLink}[len(tt.want) == 0]; got.Class != want {
				t.Errorf("class %q, want %q", got.Class, want)
			}
			for _, c := range got.Candidates {
				if !c.Guessed || c.Kind != paper.PDF || c.Source != "landing" {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

func many(n int) string {
	var page strings.Builder
	for i := range n {
		fmt.Fprintf(&page, `<meta name="citation_pdf_url" content="/%d.pdf">`, i)
	}
	return page.String()
}

func resolved(n int) (urls []string) {
	for i := range n {
		urls = append(urls, fmt.Sprintf("https://journal.org/%d.pdf", i))
	}
	return urls
}

func TestParseLanding_Kinds(t *testing.T) {
	tests := map[string]struct {
		page   string
		header http.Header
		want   []string // kind and address
		class  paper.Class
	}{
		"all three": {
			page: `<meta name="citation_fulltext_html_url" content="/full"><meta name="citation_xml_url" content="/a.xml"><meta name="citation_pdf_url" content="/a.pdf">`,
			want: []string{"pdf https://journal.org/a.pdf", "xml https://journal.org/a.xml", "html https://journal.org/full"},
		},
		"XML by its other name": {page: `<meta name="fulltext_xml" content="/a">`, want: []string{"xml https://journal.org/a"}, class: paper.NoPDFLink},
		"XML in the Link header": {
			header: http.Header{"Link": {`</a>; rel=item; type="application/jats+xml", </b.xml>; rel=item`}},
			want:   []string{"xml https://journal.org/a"}, class: paper.NoPDFLink,
		},
		"XML element": {
			page: `<link rel="alternate" type="application/rss+xml" href="/1"><link rel="alternate" type="text/xml" href="/feed"><link rel="alternate" type="text/xml" title="OAI record" href="/3">` +
				`<link rel="alternate" type="application/xml" href="/4">`,
			want: []string{"xml https://journal.org/4"}, class: paper.NoPDFLink,
		},
		"XML in JSON-LD": {
			page: `<script type="application/ld+json">{"@type":"ScholarlyArticle","associatedMedia":[{"contentUrl":"/a","encodingFormat":"text/xml"},{"contentUrl":"/b.xml"}]}</script>`,
			want: []string{"xml https://journal.org/a"}, class: paper.NoPDFLink,
		},
		"the page is the full text": {
			page: `<meta name="citation_fulltext_html_url" content="` + pageURL + `">`,
			want: []string{"html " + pageURL}, class: paper.NoPDFLink,
		},
		"one address for two": {
			page: `<meta name="citation_pdf_url" content="/a"><meta name="citation_xml_url" content="/a">`,
			want: []string{"pdf https://journal.org/a"},
		},
		"wall": {
			page:  `<title>Just a moment...</title><meta name="citation_xml_url" content="/a.xml">`,
			class: paper.Challenge,
		},
	}
	for name, tt := range tests {
		got := resolver.ParseLanding([]byte(tt.page), pageURL, tt.header)
		var files []string
		for _, c := range got.Candidates {
			files = append(files, string(c.Kind)+" "+c.URL)
		}
		if diff := cmp.Diff(tt.want, files); diff != "" || got.Class != tt.class {
			t.Errorf("%s: class %q, want %q\n%s", name, got.Class, tt.class, diff)
		}
	}
}

func TestParseLanding_Walls(t *testing.T) {
	const article = `<meta name="citation_pdf_url" content="/a.pdf">`
	tests := map[string]struct {
		page, url string
		header    http.Header
		want      paper.Class
	}{
		"marked by Cloudflare": {page: article, header: http.Header{"Cf-Mitigated": {"challenge"}}, want: paper.Challenge},
		"marked by AWS":        {page: "", header: http.Header{"X-Amzn-Waf-Action": {"captcha"}}, want: paper.Challenge},
		"link on a challenge":  {page: "<title>Just a moment...</title>" + article, want: paper.Challenge},
		"denied":               {page: "<title>Access Denied</title>", want: paper.Challenge},
		"cookies":              {page: article, url: "https://journal.org/action/cookieAbsent", want: paper.CookieWall},
		"identity provider":    {page: "", url: "https://idp.springer.com/authorize?x=1", want: paper.LoginWall},
		"password":             {page: `<title>Sign in - Journal</title><input type="password">`, want: paper.LoginWall},
		"not free":             {page: `<script type="application/ld+json">{"isAccessibleForFree":false}</script>`, want: paper.Paywall},
		"unknown DOI":          {page: "<title>Error: DOI Not Found</title>", want: paper.NotFoundID},

		"captcha in a comment form":   {page: article + `<div class="g-recaptcha"></div><p>Checking your browser`, want: ""},
		"not free, yet with a file":   {page: article + `<script type="application/ld+json">{"isAccessibleForFree":"False"}</script>`, want: ""},
		"article about denied access": {page: article + "<title>Access denied: a history</title>", want: ""},
		"sign-in box of an article":   {page: article + `<title>On logins</title><input type="password">`, want: ""},
	}
	for name, tt := range tests {
		if tt.url == "" {
			tt.url = pageURL
		}
		got := resolver.ParseLanding([]byte(tt.page), tt.url, tt.header)
		if got.Class != tt.want || (tt.want == "") != (len(got.Candidates) > 0) || got.Note == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestParseLanding_Facts(t *testing.T) {
	tests := map[string]struct {
		page                string
		title, doi, license string
	}{
		"citation": {
			`<title>Journal</title><meta name="citation_title" content=" On   x ">` +
				`<meta name="citation_doi" content="https://doi.org/10.5555/ABC"><a rel="license nofollow" href="https://creativecommons.org/licenses/by/4.0/">CC</a>`,
			"On x", "10.5555/abc", "cc-by-4.0",
		},
		"Dublin Core": {
			`<meta name="DC.Title" content="On y"><meta name="DC.Identifier" content="77"><meta name="DC.Identifier.DOI" content="doi:10.5555/d">` +
				`<meta name="DC.Rights" content="Copyright 2020"><meta name="DC.Rights" content="https://creativecommons.org/publicdomain/zero/1.0">`,
			"On y", "10.5555/d", "cc0-1.0",
		},
		"nothing": {`<title>A &amp; B</title><title>C</title>`, "A & B", "", ""},
	}
	for name, tt := range tests {
		got := resolver.ParseLanding([]byte(tt.page), pageURL, nil)
		if got.Title != tt.title || got.DOI != tt.doi || got.License != tt.license {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
