package resolver_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/paper"
)

type recording struct {
	Service         string
	Method          string
	URL             string
	Status          int
	ResponseHeaders map[string]any `json:"response_headers"`
	BodyFile        string         `json:"body_file"`
	Note            string         // of a POST: what was sent
	WorkIDs         paper.IDs      `json:"work_ids"`
}

func (r recording) reply(t testing.TB) paper.Reply {
	header := make(http.Header)
	for name, value := range r.ResponseHeaders {
		if s, ok := value.(string); ok {
			header.Set(name, s)
		}
	}
	return paper.Reply{Status: r.Status, Header: header, Body: corpus.Read(t, strings.Split(r.BodyFile, "/")...)}
}

// ofOneWork tells the recordings that answer the question we ask from lists,
// searches and other routes of the same service.
func (r recording) ofOneWork() bool {
	u, err := url.Parse(r.URL)
	if err != nil || r.WorkIDs == (paper.IDs{}) || r.Status >= 500 {
		return false
	}
	path := u.EscapedPath()
	switch r.Service {
	case "unpaywall":
		return strings.HasPrefix(path, "/v2/10.")
	case "crossref":
		return strings.HasPrefix(path, "/works/") && !strings.HasSuffix(path, "/agency") &&
			!strings.Contains(path, "/transform") && u.Query().Get("query.author") == ""
	case "openalex":
		return strings.HasPrefix(path, "/works/") && u.Query().Get("select") == ""
	case "europepmc":
		return strings.HasSuffix(path, "/rest/search")
	case "semanticscholar":
		id, ok := strings.CutPrefix(path, "/graph/v1/paper/")
		return ok && strings.Contains(id, ":10.") && strings.Contains(u.Query().Get("fields"), "externalIds")
	case "ncbi":
		return strings.Contains(path, "/idconv/") && u.Query().Get("idtype") != "pmcid"
	case "datacite":
		return strings.HasPrefix(path, "/dois/")
	case "zenodo":
		return strings.HasPrefix(path, "/api/records/") && strings.HasPrefix(r.WorkIDs.DOI, "10.5281/zenodo.")
	}
	return false
}

// source is the resolver that asks the service, or empty.
func (r recording) source() string {
	switch r.Service {
	case "unpaywall", "crossref", "openalex", "europepmc", "semanticscholar", "datacite", "zenodo", "figshare", "osf", "hal", "biorxiv",
		"doaj", "openaire", "core":
		return r.Service
	case "ncbi":
		return "idconv"
	}
	return ""
}

// TestSources_Recordings replays every recorded exchange of a service to its
// resolver: those of one work must be understood, the others must do no harm.
func TestSources_Recordings(t *testing.T) {
	counts := map[string]int{}
	for _, r := range corpus.JSONL[recording](t, "recordings.jsonl") {
		source := r.source()
		if source == "" {
			continue
		}
		a := paper.Artifact{IDs: r.WorkIDs}
		if source == "idconv" {
			a.IDs.PMCID = "" // what it is asked for
		}
		if !r.ofOneWork() {
			a.IDs = paper.IDs{DOI: anotherWork(source)}
		}
		answer, err := resolve(t, source, a, r.reply(t))
		classOf(t, err)
		checkAnswer(t, answer)
		switch {
		case !r.ofOneWork():
			counts[r.Service+" other"]++
			if len(answer.Candidates) > 0 {
				t.Errorf("%s: candidates from an answer to another question", r.URL)
			}
		case err != nil:
			t.Errorf("%s: %v", r.URL, err)
		case r.Status == 200 && r.Service != "europepmc" && answer.IDs == (paper.IDs{}) && (source != "idconv" || r.WorkIDs.PMCID != ""):
			t.Errorf("%s: nothing learned: %s", r.URL, answer.Note)
		case r.Status == 404 && answer.Note == "":
			t.Errorf("%s: a miss without a note", r.URL)
		default:
			counts[r.Service]++
		}
	}
	t.Log(counts)
}

// anotherWork is the DOI of a work that no recording of the source has, in a form
// that it accepts.
func anotherWork(source string) string {
	switch source {
	case "zenodo":
		return "10.5281/zenodo.1"
	case "figshare":
		return "10.6084/m9.figshare.1"
	case "osf":
		return "10.31219/osf.io/zzzzz"
	case "biorxiv":
		return "10.1101/000000"
	default:
		return "10.5555/another"
	}
}

// TestSources_RequestURLs compares the requests we make with the recorded ones.
func TestSources_RequestURLs(t *testing.T) {
	for _, r := range corpus.JSONL[recording](t, "recordings.jsonl") {
		if !r.ofOneWork() || strings.Contains(r.URL, "api_key") || strings.Contains(r.URL, "/v1/") || r.Service == "ncbi" {
			continue // the id converter has moved since
		}
		ids := r.WorkIDs
		if r.Service == "openalex" && strings.Contains(r.URL, "/works/W") {
			ids = paper.IDs{OpenAlex: ids.OpenAlex}
		}
		get := &web{replies: map[string]paper.Reply{"*": {Status: 404}}}
		if _, err := newSource(t, r.Service, get).Resolve(t.Context(), []paper.Artifact{{IDs: ids}}); err != nil {
			t.Fatal(err)
		}
		got, want := strings.Replace(get.asked[0], contact, "you@example.org", 1), strings.Replace(r.URL, "http://", "https://", 1)
		if r.Service == "crossref" || r.Service == "semanticscholar" || r.Service == "datacite" {
			got, _, _ = strings.Cut(got, "?")
			want, _, _ = strings.Cut(want, "?")
		}
		if !strings.EqualFold(same(got), same(want)) {
			t.Errorf("asked   %s\nrecorded %s", got, r.URL)
		}
	}
}

type bulkRow struct {
	DOI    string
	Record json.RawMessage
}

// object is any JSON, for expectations that owe nothing to the decoders.
type object map[string]any

func (o object) list(key string) []object {
	items, _ := o[key].([]any)
	var all []object
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

func (o object) sub(key string) object    { m, _ := o[key].(map[string]any); return m }
func (o object) string(key string) string { s, _ := o[key].(string); return s }

// bulk answers for every record of a service and calls check with what came of it.
func bulk(t *testing.T, service, before, after string, check func(row object, answer paper.Answer)) {
	rows := corpus.JSONL[bulkRow](t, "bulk", service+".jsonl.gz")
	candidates := 0
	for _, row := range rows {
		answer, err := resolve(t, service, byDOI(row.DOI), ok(before+string(row.Record)+after))
		if err != nil {
			t.Errorf("%s: %v", row.DOI, err)
			continue
		}
		checkAnswer(t, answer)
		if doi := strings.ToLower(row.DOI); answer.IDs.DOI != doi && "10.48550/arxiv."+answer.IDs.ArXiv != doi {
			t.Errorf("%s: learned DOI %q (%s)", row.DOI, answer.IDs.DOI, answer.Note)
		}
		var record object
		if err := json.Unmarshal(row.Record, &record); err != nil {
			t.Fatal(err)
		}
		check(record, answer)
		candidates += len(answer.Candidates)
	}
	t.Logf("%d records, %d candidates", len(rows), candidates)
}

func TestUnpaywall_Bulk(t *testing.T) {
	files := 0
	bulk(t, "unpaywall", "", "", func(row object, answer paper.Answer) {
		got := urls(answer)
		for _, at := range append(row.list("oa_locations"), row.sub("best_oa_location"), row.sub("first_oa_location")) {
			pdf := same(at.string("url_for_pdf"))
			if pdf == "" {
				continue
			}
			files++
			c, found := got[pdf]
			if !found || c.Kind != paper.PDF {
				t.Errorf("%s: %s is no candidate", row["doi"], pdf)
			}
			if c.Version == "" && at.string("version") != "" || c.License == "" && at.string("license") != "" {
				t.Errorf("%s: %+v lacks version or licence of %v", row["doi"], c, at)
			}
		}
		if row["is_oa"] == false && (len(answer.Candidates) > 0 || answer.Note != "is_oa false") {
			t.Errorf("%s: not open, yet %d candidates, note %q", row["doi"], len(answer.Candidates), answer.Note)
		}
		if row["is_oa"] == true && len(answer.Candidates) == 0 {
			t.Errorf("%s: open, yet no candidate", row["doi"])
		}
	})
	t.Logf("%d url_for_pdf", files)
}

func TestCrossref_Bulk(t *testing.T) {
	files, xmls := 0, 0
	bulk(t, "crossref", `{"status":"ok","message":`, "}", func(row object, answer paper.Answer) {
		got := urls(answer)
		for _, link := range row.list("link") {
			_, found := got[same(link.string("URL"))]
			checker := link.string("intended-application") == "similarity-checking"
			if link.string("content-type") == "application/pdf" && !checker {
				files++
				if !found {
					t.Errorf("%s: %s is no candidate", row["DOI"], link["URL"])
				}
			}
		}
		for _, c := range answer.Candidates {
			if c.Kind == paper.XML {
				xmls++
				if !strings.HasPrefix(c.License, "cc") {
					t.Errorf("%s: XML without an open licence: %+v", row["DOI"], c)
				}
			}
		}
		for _, l := range row.list("license") {
			if strings.Contains(l.string("URL"), "creativecommons.org/licenses/by/4.0") && !strings.HasPrefix(answer.License, "cc-") {
				t.Errorf("%s: licence %q, want %v", row["DOI"], answer.License, l["URL"])
			}
		}
	})
	t.Logf("%d PDF links, %d of XML", files, xmls)
	if xmls == 0 {
		t.Error("no XML in any record")
	}
}

func TestOpenAlex_Bulk(t *testing.T) {
	files := 0
	bulk(t, "openalex", "", "", func(row object, answer paper.Answer) {
		got := urls(answer)
		for _, at := range append(row.list("locations"), row.sub("best_oa_location"), row.sub("primary_location")) {
			pdf := same(at.string("pdf_url"))
			if pdf == "" {
				continue
			}
			_, found := got[pdf]
			if open := at["is_oa"] == true; open != found {
				t.Errorf("%s: %s: open %v, candidate %v", row["doi"], pdf, open, found)
			}
			files++
		}
		if want := strings.TrimPrefix(row.string("id"), "https://openalex.org/"); answer.IDs.OpenAlex != want {
			t.Errorf("%s: learned %q, want %q", row["doi"], answer.IDs.OpenAlex, want)
		}
		if want := strings.TrimPrefix(row.sub("ids").string("pmid"), "https://pubmed.ncbi.nlm.nih.gov/"); answer.IDs.PMID != want {
			t.Errorf("%s: learned PMID %q, want %q", row["doi"], answer.IDs.PMID, want)
		}
	})
	t.Logf("%d pdf_url", files)
}

func TestSemanticScholar_Bulk(t *testing.T) {
	files := 0
	bulk(t, "semanticscholar", "", "", func(row object, answer paper.Answer) {
		pdf := row.sub("openAccessPdf")
		_, found := urls(answer)[same(pdf.string("url"))]
		if want := pdf.string("url") != ""; found != want {
			t.Errorf("%v: copy %v, candidate %v", row["paperId"], pdf["url"], found)
		}
		if found {
			files++
		}
		license := ""
		if len(answer.Candidates) > 0 {
			license = answer.Candidates[0].License
		}
		if strings.HasPrefix(pdf.string("license"), "CCBY") != strings.HasPrefix(license, "cc-by") && found {
			t.Errorf("%v: licence %q of %v", row["paperId"], license, pdf["license"])
		}
		if want := row.sub("externalIds").string("PubMed"); answer.IDs.PMID != want {
			t.Errorf("%v: learned PMID %q, want %q", row["paperId"], answer.IDs.PMID, want)
		}
	})
	t.Logf("%d copies", files)
}

func TestEuropePMC_Bulk(t *testing.T) {
	files, xmls := 0, 0
	bulk(t, "europepmc", `{"hitCount":1,"resultList":{"result":[`, "]}}", func(row object, answer paper.Answer) {
		if answer.IDs.PMCID != row.string("pmcid") || answer.IDs.PMID != row.string("pmid") {
			t.Errorf("%s: learned %+v", row["doi"], answer.IDs)
		}
		render := same("https://europepmc.org/articles/" + row.string("pmcid") + "?pdf=render")
		_, found := urls(answer)[render]
		want := row["inEPMC"] == "Y" && row["hasPDF"] == "Y" && row.string("pmcid") != ""
		if found != want {
			t.Errorf("%s: render URL given %v, want %v", row["doi"], found, want)
		}
		if want {
			files++
		}
		xml := urls(answer)["https://www.ebi.ac.uk/europepmc/webservices/rest/"+row.string("pmcid")+"/fullTextXML?"]
		if open := row["isOpenAccess"] == "Y" && row["inEPMC"] == "Y"; open != (xml.Kind == paper.XML) {
			t.Errorf("%s: XML given %+v, open %v", row["doi"], xml, open)
		} else if open {
			xmls++
		}
	})
	t.Logf("%d files, %d of XML", files, xmls)
}
