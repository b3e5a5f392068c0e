package quire_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

const jats = `<?xml version="1.0"?><article xmlns:xlink="http://www.w3.org/1999/xlink"><front><article-meta>` +
	`<title-group><article-title>A case</article-title></title-group></article-meta></front>` +
	`<body><sec><title>Findings</title><p>The text of the article.</p></sec></body></article>`

func fullText(more string) string {
	return "<p>" + strings.Repeat("The findings are these, as we have shown above. ", 200) + "</p>" + more
}

// TestHarvest_formats gets two works in every format: each is an artifact of its
// own, judged and stored as what it is.
func TestHarvest_formats(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.cfg.Accept.Formats = []paper.Kind{paper.PDF, paper.XML, paper.Source, paper.HTML}
	var tex bytes.Buffer
	zip := gzip.NewWriter(&tex)
	fmt.Fprintf(zip, "\\documentclass{article}\n\\begin{document}\n%s\n\\end{document}\n", strings.Repeat("Text. ", 100))
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	serve := func(files map[string]http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if h := files[r.URL.Path]; h != nil {
				h.ServeHTTP(rw, r)
				return
			}
			http.NotFound(rw, r)
		})
	}
	pdf := testweb.File("application/pdf", testweb.PDF("the paper", 9000))
	head := `<meta name="citation_title" content="A case"><meta name="citation_doi" content="` + doi + `">` +
		`<meta name="citation_pdf_url" content="https://page.example/a.pdf"><meta name="citation_xml_url" content="/a.xml">` +
		`<meta name="citation_fulltext_html_url" content="/full">`
	b.web.Serve(testweb.World{Works: []testweb.Work{work()}, Placeholders: true})
	b.web.Host("page.example", serve(map[string]http.Handler{
		"/case":  testweb.Text("text/html", "<html><head><title>A case</title>"+head+"</head><body><h1>A case</h1><p>Abstract.</p></body></html>"),
		"/a.pdf": pdf,
		"/a.xml": testweb.Text("application/xml", jats),
		"/full":  testweb.Text("text/html", "<html><head><title>A case</title>"+head+"</head><body>"+fullText("")+"</body></html>"),
	}))
	b.web.Host("arxiv.org", serve(map[string]http.Handler{
		"/pdf/2101.00001":  pdf,
		"/html/2101.00001": testweb.Text("text/html", "<html><head><title>A case</title></head><body>"+fullText("")+"</body></html>"),
	}))
	b.web.Host("export.arxiv.org", serve(map[string]http.Handler{"/e-print/2101.00001": testweb.File("application/gzip", tex.Bytes())}))

	b.get(doi, "arXiv:2101.00001")
	for id, want := range map[string]struct {
		state queue.State
		media string
		path  string
	}{
		"doi:" + doi:              {queue.Done, "application/pdf", ".pdf"},
		"xml:doi:" + doi:          {queue.Done, "application/jats+xml", ".xml"},
		"html:doi:" + doi:         {queue.Done, "text/html", ".html"},
		"source:doi:" + doi:       {queue.Skipped, "", ""},
		"arxiv:2101.00001":        {queue.Done, "application/pdf", ".pdf"},
		"html:arxiv:2101.00001":   {queue.Done, "text/html", ".html"},
		"source:arxiv:2101.00001": {queue.Done, "application/gzip", ".gz"},
		"xml:arxiv:2101.00001":    {queue.Skipped, "", ""},
	} {
		job, rec := b.look(id)
		switch {
		case job.State != want.state:
			t.Errorf("%s ended as %s (%s): %+v", id, job.State, job.LastError, rec.Tried)
		case rec.File == nil != (want.media == ""):
			t.Errorf("%s has file %+v", id, rec.File)
		case rec.File != nil && (rec.File.MediaType != want.media || !strings.HasSuffix(rec.File.Path, want.path)):
			t.Errorf("%s is kept as %s at %s, want %s as %s", id, rec.File.MediaType, rec.File.Path, want.media, want.path)
		}
	}
	checkFiles(t, b.data)
}

// A request for one format is not multiplied by those that are configured.
func TestSystem_Add_format(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.cfg.Accept.Formats = []paper.Kind{paper.PDF, paper.XML}
	b.with(func(s *quire.System) {
		for id, want := range map[string]int{"10.5555/one": 2, "xml:doi:10.5555/two": 1, "source:doi:10.5555/three": 1} {
			a, err := paper.ParseID(id)
			if err != nil {
				t.Fatal(err)
			}
			added, err := s.Add(t.Context(), []quire.Request{{Artifact: a}}, quire.AddOptions{})
			if err != nil || added.Added != want {
				t.Errorf("%s: %+v, %v; want %d jobs", id, added, err, want)
			}
		}
	})
}
