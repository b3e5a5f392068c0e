package resolver_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
)

func TestParseLanding_Platforms(t *testing.T) {
	const (
		ojs    = `<meta name="generator" content="Open Journal Systems 3.3.0.13">`
		dspace = `<meta name="Generator" content="CIFOR-DSpace 5.10">`
		file   = "6a3b2c1d-0000-4111-8222-333344445555"
		doc    = `<a class="ep_document_link" href=`
	)
	tests := map[string]struct {
		page, at string
		kind     paper.Kind // empty: PDF
		want     []string
	}{
		"OJS 3": {
			page: `<a class="obj_galley_link pdf" href="https://j.org/index.php/j/article/view/1/2">PDF</a><a class="obj_galley_link_supplementary pdf" href="https://j.org/index.php/j/article/view/1/3">PDF</a>`,
			want: []string{"https://j.org/index.php/j/article/download/1/2"},
		},
		"OJS preprints":          {page: `<a class="obj_galley_link pdf" href="/preprint/view/7/9">PDF</a>`, want: []string{"https://j.org/preprint/download/7/9"}},
		"OJS, two languages":     {page: `<a class="obj_galley_link pdf" href="/article/view/1/2">PDF</a><a class="obj_galley_link pdf" href="/article/view/1/3">PDF (Deutsch)</a>`, want: []string{"https://j.org/article/download/1/2", "https://j.org/article/download/1/3"}},
		"OJS, an issue":          {page: `<a class="obj_galley_link pdf" href="/article/view/1/2">PDF</a><a class="obj_galley_link pdf" href="/article/view/4/5">PDF</a>`},
		"OJS 2":                  {page: ojs + `<a href="/article/view/1/2" class="file">PDF</a>`, want: []string{"https://j.org/article/download/1/2"}},
		"OJS 2, an issue":        {page: ojs + `<a href="/article/view/1/2" class="file">PDF</a><a href="/article/view/3/4" class="file">PDF</a>`},
		"OJS 2 without its sign": {page: `<a href="/article/view/1/2" class="file">PDF</a>`},
		"OJS, XML":               {page: ojs + `<a href="/article/view/1/2">XML</a><a href="/article/view/1/3">HTML</a>`, kind: paper.XML, want: []string{"https://j.org/article/download/1/2"}},
		"OJS, HTML":              {page: ojs + `<a href="/article/view/1/2">XML</a><a href="/article/view/1/3">HTML</a>`, kind: paper.HTML, want: []string{"https://j.org/article/view/1/3"}},

		"DSpace 7, reader": {at: "https://d.org/bitstreams/" + file + "/download", want: []string{"https://d.org/server/api/core/bitstreams/" + file + "/content"}},
		"DSpace 7, item":   {page: dspace + `<a href="/bitstreams/` + file + `/download">thesis.pdf (1.2 MB)</a>`, want: []string{"https://j.org/bitstreams/" + file + "/download"}},
		"DSpace, xmlui": {
			page: dspace + `<a href="/bitstream/handle/10/7/a.pdf?sequence=1&amp;isAllowed=y">View</a><a href="/bitstream/handle/10/7/a.pdf.txt?sequence=2">Text</a><a href="/bitstream/handle/10/7/coverage.pdf">x</a>`,
			want: []string{"https://j.org/bitstream/handle/10/7/a.pdf?sequence=1&isAllowed=y"},
		},
		"DSpace, jspui":      {page: dspace + `<a href="/jspui/bitstream/10/7/1/a.PDF">a</a>`, want: []string{"https://j.org/jspui/bitstream/10/7/1/a.PDF"}},
		"DSpace, collection": {page: dspace + `<a href="/bitstream/10/7/1/a.pdf">a</a><a href="/bitstream/10/8/1/b.pdf">b</a>`},
		"DSpace, data set":   {page: dspace + `<meta name="DC.type" content="Dataset"><a href="/bitstream/10/7/1/readme.pdf">a</a>`},

		"EPrints":         {page: doc + `/id/eprint/77/1/a.pdf>Download (1MB)</a>`, want: []string{"https://j.org/id/eprint/77/1/a.pdf"}},
		"EPrints by meta": {page: `<meta name="eprints.eprintid" content="77"><a href="/77/1/a.pdf">a</a><a href="/77/2/a.docx">b</a>`, want: []string{"https://j.org/77/1/a.pdf"}},
		"EPrints, a list": {page: doc + `/77/1/a.pdf>x</a>` + doc + `/78/1/b.pdf>x</a>`},

		"Invenio":             {at: "https://zenodo.org/records/12", page: `<a href="/records/12/files/a.pdf?download=1">Download</a><a href="/records/12/files/a.csv">c</a>`, want: []string{"https://zenodo.org/records/12/files/a.pdf?download=1"}},
		"Invenio, data set":   {at: "https://zenodo.org/records/12", page: `<script type="application/ld+json">{"@type":"Dataset"}</script><a href="/records/12/files/a.pdf">x</a>`},
		"Invenio, a listing":  {at: "https://zenodo.org/communities/x", page: `<a href="/records/12/files/a.pdf">x</a>`},
		"SciELO":              {at: "https://www.scielo.br/j/ca/a/3DBTYQ/?lang=pt", want: []string{"https://www.scielo.br/j/ca/a/3DBTYQ/?format=pdf&lang=pt"}},
		"SciELO, no language": {at: "https://www.scielo.br/j/ca/a/3DBTYQ/", want: []string{"https://www.scielo.br/j/ca/a/3DBTYQ/?format=pdf"}},
		"SciELO, older":       {at: "http://www.scielo.org.mx/scielo.php?script=sci_arttext&pid=S0101-31732022000100001&lng=es", want: []string{"http://www.scielo.org.mx/scielo.php?script=sci_pdf&pid=S0101-31732022000100001"}},
		"SciELO, XML":         {at: "http://www.scielo.cl/x", page: `<a target="xml" href="/scieloOrg/php/articleXML.php?pid=S0101-3173&amp;lang=es">XML</a>`, kind: paper.XML, want: []string{"http://www.scielo.cl/scieloOrg/php/articleXML.php?pid=S0101-3173&lang=es"}},
		"SciELO, a journal":   {at: "https://www.scielo.br/j/ca/"},
		"not SciELO":          {at: "https://myscielo.net/j/ca/a/3DBTYQ/"},
		"J-STAGE":             {at: "https://www.jstage.jst.go.jp/article/cpb/64/1/64_c15-00615/_article/-char/en", want: []string{"https://www.jstage.jst.go.jp/article/cpb/64/1/64_c15-00615/_pdf/-char/en"}},
		"J-STAGE, plain":      {at: "https://www.jstage.jst.go.jp/article/cpb/64/1/64_c15-00615/_article", want: []string{"https://www.jstage.jst.go.jp/article/cpb/64/1/64_c15-00615/_pdf"}},
		"HAL":                 {at: "https://hal.science/hal-00235190", page: `<a href="/hal-00235190v1/document">File</a>`, want: []string{"https://hal.science/hal-00235190v1/document"}},
		"HAL without a file":  {at: "https://hal.science/hal-00235190"},
		"PLOS":                {at: "https://journals.plos.org/plosone/article?id=10.1371/journal.pone.1", page: `<a href="/plosone/article/file?id=10.1371/journal.pone.1&type=manuscript">Download XML</a>`, kind: paper.XML, want: []string{"https://journals.plos.org/plosone/article/file?id=10.1371/journal.pone.1&type=manuscript"}},
		"ARPHA":               {page: `<a href="/article/26391/download/xml/">XML</a>`, kind: paper.XML, want: []string{"https://j.org/article/26391/download/xml/"}},
		"a tag before a rule": {at: "https://www.scielo.br/j/ca/a/3DBTYQ/", page: `<meta name="citation_pdf_url" content="/a.pdf">`, want: []string{"https://www.scielo.br/a.pdf"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.at == "" {
				tt.at = "https://j.org/item/1"
			}
			if tt.kind == "" {
				tt.kind = paper.PDF
			}
			got := resolver.ParseLanding([]byte(tt.page), tt.at, nil)
			if diff := cmp.Diff(tt.want, found(got, tt.kind)); diff != "" {
				t.Errorf("by %q: %s", got.Note, diff)
			}
		})
	}
}
