package cli_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/need"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/internal/s3test"
	"github.com/quire-dev/quire/internal/testweb"
)

// docsWorld has the works that the documents ask for. Titles and hosts are the real
// ones; what is said at the hosts is made up.
func docsWorld() testweb.World {
	at := func(doi, title, landing, file string) testweb.Work {
		return testweb.Work{
			DOI: doi, Title: title, Landing: landing, Year: 2018,
			Copies: []testweb.Copy{{URL: file, Page: landing, Publisher: true, Version: "publishedVersion", License: "cc-by"}},
		}
	}
	plos := func(n, title string) testweb.Work {
		page := "https://journals.plos.org/plosone/article?id=10.1371/journal.pone." + n
		return at("10.1371/journal.pone."+n, title, page, strings.Replace(page, "article?", "article/file?type=printable&", 1))
	}
	closed := at("10.1016/0003-2697(76)90527-3", "A Rapid and Sensitive Method for the Quantitation of Microgram Quantities of Protein",
		"https://www.sciencedirect.com/science/article/pii/0003269776905273", "")
	closed.Copies = nil
	return testweb.World{Works: []testweb.Work{
		plos("0000001", "Neural Substrate of Cold-Seeking Behavior in Endotoxin Shock"),
		plos("0004148", "Olfactory Sex Recognition Investigated in Antarctic Prions"),
		at("10.7717/peerj.4375", "The State of OA: A Large-Scale Analysis of the Prevalence and Impact of Open Access Articles",
			"https://peerj.com/articles/4375", "https://peerj.com/articles/4375.pdf"),
		closed,
		{DOI: "10.1371/journal.pone.9999999", Unknown: true},
		{ArXiv: "2101.00001", Title: "A Preprint"},
		{PMCID: "PMC1790863", Title: "A Work in PMC"},
	}}
}

// writeFixtures writes the files of works that documents name without making them.
func writeFixtures(t *testing.T, dir string) {
	t.Helper()
	for name, text := range map[string]string{
		"works.csv":   "DOI,title\n10.1371/journal.pone.0000001,Cold-Seeking Behavior\n10.7717/peerj.4375,The State of OA\n",
		"dois.txt":    "10.1371/journal.pone.0000001\n10.7717/peerj.4375\n",
		"library.bib": "@article{bonadonna2009,\n  title = {Olfactory Sex Recognition},\n  doi = {10.1371/journal.pone.0004148},\n}\n",
		"more.ris":    "TY  - JOUR\nTI  - The State of OA\nDO  - 10.7717/peerj.4375\nER  - \n",
		"unpaywall_snapshot.jsonl.gz": zipped(t, `{"doi":"10.7717/peerj.4375","is_oa":true,"oa_locations":[{"url":"https://peerj.com/articles/4375",`+
			`"url_for_pdf":"https://peerj.com/articles/4375.pdf","version":"publishedVersion","license":"cc-by"}]}`+"\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// docsEnv starts the web and returns the environment that makes quire use it, and
// hurry.
func docsEnv(t *testing.T) []string {
	t.Helper()
	w, err := testweb.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	w.Serve(docsWorld())
	w.Host("quire.invalid", http.NotFoundHandler())
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := w.WriteCA(ca); err != nil {
		t.Fatal(err)
	}
	var limits strings.Builder
	limits.WriteString(`default_host: {every: 1ms}, "host:arxiv.org": {every: 1ms}`)
	for _, name := range resolver.Names() {
		fmt.Fprintf(&limits, `, "resolver:%s": {every: 1ms}`, name)
	}
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "QUIRE_") || strings.HasPrefix(kv, "AWS_") || strings.HasPrefix(kv, "PG")
	})
	return append(env, hurriedRace, "NO_COLOR=1", "TERM=dumb", "QUIRE_CONTACT=tests@quire.dev",
		"QUIRE_HTTP_CONNECT_TO="+strings.Join(w.ConnectTo(), ","), "QUIRE_HTTP_CA_FILE="+ca, "QUIRE_HTTP_ALLOW_NETWORKS=127.0.0.0/8",
		"QUIRE_RETRY_BASE=1ms", "QUIRE_RETRY_MAX=2ms", "QUIRE_RETRY_BREAKER=10ms", "QUIRE_LIMITS={"+limits.String()+"}")
}

// standIn returns a command with what stands in for what a reader has and the test
// has not, or why it can't be run here.
func standIn(t *testing.T, text string) (execute, notRun string) {
	t.Helper()
	for _, program := range []string{"jq", "sqlite3"} {
		if _, err := exec.LookPath(program); err != nil && strings.Contains(text, program+" ") {
			return "", "there is no " + program + " here"
		}
	}
	text = strings.ReplaceAll(text, "make demo", "quire demo")
	if strings.HasPrefix(text, "quire plan") || strings.HasPrefix(text, "quire limits") {
		text = "env -u QUIRE_LIMITS " + text // no request: what they tell is of the limits that all have
	}
	if strings.Contains(text, "db.example.edu") {
		server, err := servers.Get()
		if err != nil {
			return "", lacking(t, "postgres", err)
		}
		text = strings.ReplaceAll(text, "postgres://quire@db.example.edu/quire", server.Open(t))
	}
	if strings.Contains(text, "s3://papers/thesis?") || strings.Contains(text, "AWS_ACCESS_KEY_ID=") {
		server, err := buckets.Get()
		if err != nil {
			return "", lacking(t, "s3", err)
		}
		at := strings.Replace(server.URL(server.Bucket(t)), "/papers?", "/thesis?", 1)
		text = strings.ReplaceAll(text, "s3://papers/thesis?endpoint=https://s3.example.edu:9000", at)
		text = strings.ReplaceAll(text, "s3://papers/thesis?region=eu-central-1", at)
		text = strings.ReplaceAll(text, "AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…",
			"AWS_ACCESS_KEY_ID="+s3test.AccessKey+" AWS_SECRET_ACCESS_KEY="+s3test.SecretKey)
	}
	return text, ""
}

// lacking says why commands are not run, or fails the test if what they need is
// required.
func lacking(t *testing.T, thing string, err error) string {
	t.Helper()
	if need.Required(thing) {
		t.Fatalf("%s is required: %v", thing, err)
	}
	return err.Error()
}
