package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/corpus"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/internal/testweb"
)

// pace is what the runs over the corpus configure; the servers check it.
const (
	hostEvery     = 20 * time.Millisecond
	resolverEvery = 8 * time.Millisecond
	arxivEvery    = 30 * time.Millisecond
	maxPerHost    = 3
)

const corpusSettings = `orchestrator:
  max_workers: 32
  max_per_host: 3
  max_per_resolver: {unpaywall: 2, crossref: 3, openalex: 3, europepmc: 3, pmc: 3, idconv: 1, semanticscholar: 3}
retry: {base: 50ms, max: 200ms, breaker: 200ms}
limits:
  default_host: {every: 20ms}
  host:arxiv.org: {in_flight: 1, every: 30ms}
  host:doi.org: {in_flight: 2, every: 20ms}
  host:europepmc.org: {in_flight: 3, every: 20ms}
  resolver:unpaywall: {every: 8ms}
  resolver:crossref: {every: 8ms}
  resolver:openalex: {every: 8ms}
  resolver:europepmc: {every: 8ms}
  resolver:pmc: {every: 8ms}
  resolver:idconv: {every: 16ms}
  resolver:semanticscholar: {every: 8ms}
  resolver:doaj: {every: 8ms}
  resolver:wayback: {every: 8ms}
`

// corpusConfig is corpusSettings with the same pace for all other hosts and
// sources that the shipped table slows down.
func corpusConfig() string {
	text := corpusSettings
	for _, l := range resolver.Limits() {
		if !strings.Contains(text, l.Key+":") {
			text += "  " + l.Key + ": {every: 20ms}\n"
		}
	}
	return text
}

// resolverHosts are the hosts that resolvers talk to, with their caps. There are
// pages at PMC's too, and files at Zenodo's, in their own time.
func resolverHosts() map[string]int {
	return map[string]int{
		"api.unpaywall.org": 2, "api.crossref.org": 3, "api.openalex.org": 3, "www.ebi.ac.uk": 3,
		"api.semanticscholar.org": 3, "pmc.ncbi.nlm.nih.gov": 1 + maxPerHost, "zenodo.org": 1 + 1,
		"doaj.org": 1, "web.archive.org": 1 + maxPerHost,
	}
}

// startReplay starts a box that replays the corpus.
func startReplay(t *testing.T) (*testweb.Web, *testweb.Replay) {
	t.Helper()
	replay, err := testweb.OpenReplay(corpus.Path(t))
	if err != nil {
		t.Fatal(err)
	}
	web := startWeb(t)
	web.Fallback(replay)
	return web, replay
}

type summary struct {
	Done, Skipped, Error, Remaining int
	Requests                        int
	Drained                         bool
}

type stats struct {
	Queued     int            `json:"queued"`
	InProgress int            `json:"in_progress"`
	Done       int            `json:"done"`
	Skipped    int            `json:"skipped"`
	Error      int            `json:"error"`
	Total      int            `json:"total"`
	Reasons    map[string]int `json:"reasons"`
}

// TestCorpus imports and drains the corpus's works against the replay, and holds
// the result to the recorded answers, and the run to its limits.
func TestCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("drains 1,890 works")
	}
	web, replay := startReplay(t)
	p := newPlace(t, web, corpusConfig())
	works := corpus.Path(t, "works.jsonl")

	p.run(t, []int{0}, "queue", "import", works)
	start := time.Now()
	sum := decode[summary](t, p.run(t, []int{0, 3}, "queue", "run", "--drain", "--json"))
	t.Logf("%+v in %v", sum, time.Since(start))
	jobs := lines[job](t, p.run(t, []int{0}, "queue", "list", "--json"))
	if !sum.Drained || sum.Done+sum.Skipped+sum.Error != len(jobs) {
		t.Errorf("run: %+v, want all of %d jobs finished and drained", sum, len(jobs))
	}

	t.Run("every work with a PDF URL is done with the right file", func(t *testing.T) { checkFiles(t, replay, jobs) })
	t.Run("every work with an open PDF is done", func(t *testing.T) { checkOpen(t, replay, jobs) })
	t.Run("explain tells the ids that several services know", func(t *testing.T) { checkMerged(t, newPlace(t, web, corpusConfig())) })
	t.Run("stats, list and manifest agree", func(t *testing.T) { checkAgreement(t, p, jobs) })
	t.Run("stored files are whole and accounted for", func(t *testing.T) { checkTree(t, p.data, jobs) })
	t.Run("limits hold at the servers", func(t *testing.T) { checkLimits(t, web) })
	t.Run("killed 20 times, the result is the same", func(t *testing.T) { checkKilled(t, web, sorted(jobs)) })
	t.Run("a second import and run change nothing", func(t *testing.T) {
		before, manifest := web.Requests(), read(t, p.data, "manifest.jsonl")
		p.run(t, []int{0}, "queue", "import", works)
		again := decode[summary](t, p.run(t, []int{0}, "queue", "run", "--drain", "--json"))
		if again.Requests != 0 || web.Requests() != before || again.Done != 0 {
			t.Errorf("second run: %+v, %d requests at the servers; want none", again, web.Requests()-before)
		}
		if read(t, p.data, "manifest.jsonl") != manifest {
			t.Error("the manifest has changed")
		}
	})
}

func read(t *testing.T, name ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(name...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkFiles holds jobs to the recorded Unpaywall answers.
func checkFiles(t *testing.T, replay *testweb.Replay, jobs []job) {
	named := 0
	states := make(map[string]int)
	for _, j := range jobs {
		states[j.State]++
		doi, _ := strings.CutPrefix(j.ArtifactID, "doi:")
		urls := replay.WantPDF(doi)
		if len(urls) == 0 {
			if j.State != "done" && j.Class == nil {
				t.Errorf("%s ended as %s without a class", j.ArtifactID, j.State)
			}
			continue
		}
		named++
		if j.State != "done" {
			t.Errorf("%s ended as %s (%s) although Unpaywall names %d PDFs", j.ArtifactID, j.State, *j.Reason, len(urls))
			continue
		}
		if want := replay.SHA256(*j.URL); *j.SHA256 != want {
			t.Errorf("%s has file %s from %s, want %s", j.ArtifactID, *j.SHA256, *j.URL, want)
		}
	}
	t.Logf("%d works, %d with a PDF URL at Unpaywall; %v", len(jobs), named, states)
	if named < 500 {
		t.Errorf("only %d works have a PDF URL at Unpaywall: the replay is broken", named)
	}
}

// checkOpen holds jobs to what any record says of open PDFs, and tells why others
// were not got.
func checkOpen(t *testing.T, replay *testweb.Replay, jobs []job) {
	open, got := 0, 0
	missing := make(map[string]int)
	for _, j := range jobs {
		var services []string
		if doi, isDOI := strings.CutPrefix(j.ArtifactID, "doi:"); isDOI {
			services = replay.Open(doi)
		} else if strings.HasPrefix(j.ArtifactID, "arxiv:") {
			services = []string{"arxiv"}
		}
		switch {
		case len(services) > 0 && j.State == "done":
			open, got = open+1, got+1
		case len(services) > 0:
			open++
			t.Logf("%s ended as %s (%s) although open by %v", j.ArtifactID, j.State, *j.Reason, services)
		case j.State != "done":
			missing[*j.Reason]++
		}
	}
	t.Logf("%d of %d works with an open PDF are done; others ended without a file: %v", got, open, missing)
	if open < 600 || float64(got) < 0.99*float64(open) {
		t.Errorf("%d of %d works with an open PDF are done, want 99 %%", got, open)
	}
}

// checkMerged gets the works of which the corpus has records of several services by
// their DOIs alone, and explains them.
func checkMerged(t *testing.T, p place) {
	type chain struct{ DOI string }
	type story struct {
		IDs   map[string]string  `json:"ids"`
		From  map[string]*string `json:"ids_from"`
		Asked []struct{ Resolver string }
	}
	chains := slices.DeleteFunc(corpus.JSONL[chain](t, "chains.jsonl"), func(c chain) bool { return !strings.HasPrefix(c.DOI, "10.") })
	args := []string{"get"}
	for _, c := range chains {
		args = append(args, c.DOI)
	}
	p.run(t, []int{0, 3}, args...)
	merged, sources := 0, make(map[string]bool)
	for _, c := range chains {
		s := decode[story](t, p.run(t, []int{0}, "explain", "--json", c.DOI))
		if s.IDs["doi"]+s.IDs["arxiv"] == "" || len(s.Asked) == 0 {
			t.Errorf("%s is explained as %+v", c.DOI, s)
		}
		if len(s.IDs) < 2 {
			continue
		}
		merged++
		for id, from := range s.From {
			if from == nil {
				t.Errorf("%s: nobody told its %s: %+v", c.DOI, id, s)
			} else if *from != "given" {
				sources[*from] = true
			}
		}
	}
	t.Logf("%d works have ids that were learnt, from %v", merged, slices.Sorted(maps.Keys(sources)))
	if merged < 10 || len(sources) < 2 {
		t.Errorf("%d works with ids from %d sources: too few", merged, len(sources))
	}
}

// checkAgreement compares list, stats and manifest job by job.
func checkAgreement(t *testing.T, p place, jobs []job) {
	byState, byReason := make(map[string]int), make(map[string]int)
	listed := make(map[string]job)
	for _, j := range jobs {
		byState[j.State]++
		byReason[*j.Reason]++
		listed[j.ArtifactID] = j
	}
	s := decode[stats](t, p.run(t, []int{0}, "queue", "stats", "--json"))
	if s.Done != byState["done"] || s.Skipped != byState["skipped"] || s.Error != byState["error"] ||
		s.Total != len(jobs) || s.Queued+s.InProgress != 0 || !maps.Equal(s.Reasons, byReason) {
		t.Errorf("stats %+v disagree with list: %v, %v", s, byState, byReason)
	}
	manifest := lines[job](t, []byte(read(t, p.data, "manifest.jsonl")))
	if len(manifest) != len(jobs) {
		t.Errorf("manifest has %d lines, list %d", len(manifest), len(jobs))
	}
	for _, m := range manifest {
		j, ok := listed[m.ArtifactID]
		if !ok || m.State != j.State || (m.SHA256 == nil) != (j.SHA256 == nil) || m.SHA256 != nil && *m.SHA256 != *j.SHA256 {
			t.Errorf("manifest line %+v, list has %+v", m, j)
		}
		delete(listed, m.ArtifactID)
	}
}

// checkTree walks the stored files: each is whole, each belongs to a job, and
// nothing else lies about.
func checkTree(t *testing.T, data string, jobs []job) {
	t.Helper()
	want := make(map[string]bool)
	for _, j := range jobs {
		if j.State == "done" {
			want[*j.Path] = true
		}
	}
	err := filepath.WalkDir(filepath.Join(data, "artifacts"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(data, path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256([]byte(read(t, path)))
		if name := strings.TrimSuffix(d.Name(), ".pdf"); hex.EncodeToString(sum[:]) != name {
			t.Errorf("%s holds other bytes than its name says", rel)
		}
		if !want[rel] {
			t.Errorf("%s belongs to no job", rel)
		}
		delete(want, rel)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for path := range want {
		t.Errorf("%s is missing", path)
	}
	left, err := os.ReadDir(filepath.Join(data, "tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("tmp holds %v (%v), want nothing", left, err)
	}
}

// checkLimits holds the accounts of the servers to the configured caps and paces.
func checkLimits(t *testing.T, web *testweb.Web) {
	resolvers := resolverHosts()
	hosts, short := 0, 0
	for host, a := range web.Accounts() {
		limit, every := maxPerHost, hostEvery
		if n, ok := resolvers[host]; ok {
			limit, every = n, resolverEvery
		}
		if strings.HasSuffix(host, "amazonaws.com") {
			every = resolverEvery
		}
		if strings.HasSuffix(host, "arxiv.org") {
			limit, every = 1, arxivEvery
		}
		hosts++
		if a.Peak > limit {
			t.Errorf("%s: %d requests at once, want at most %d", host, a.Peak, limit)
		}
		short += checkPace(t, host, a.Starts, every)
	}
	t.Logf("%d hosts, %d requests, %d gaps under half the pace by the servers' clock", hosts, web.Requests(), short)
}

// checkPace holds the starts of requests, by the server's clock, to a pace. A
// busy machine delays one request on its way there and not the next, so a few
// gaps may be shorter; a run of starts as a whole may not. (That the program
// itself keeps the pace exactly is tested in fake time.)
func checkPace(t *testing.T, host string, starts []time.Time, every time.Duration) (short int) {
	t.Helper()
	const window, delay = 10, 40 * time.Millisecond
	for i := 1; i < len(starts); i++ {
		if starts[i].Sub(starts[i-1]) < every/2 {
			short++
		}
		if i >= window && starts[i].Sub(starts[i-window]) < window*every-delay {
			t.Errorf("%s: %d requests within %v, want at least %v", host, window, starts[i].Sub(starts[i-window]), window*every)
			return short
		}
	}
	if short > 1+len(starts)/20 {
		t.Errorf("%s: %d of %d gaps are shorter than %v", host, short, len(starts)-1, every/2)
	}
	return short
}

// sorted returns the final set: artifact, state and hash of each job.
func sorted(jobs []job) []string {
	var set []string
	for _, j := range jobs {
		sum := "-"
		if j.SHA256 != nil {
			sum = *j.SHA256
		}
		set = append(set, j.ArtifactID+" "+j.State+" "+sum)
	}
	slices.Sort(set)
	return set
}
