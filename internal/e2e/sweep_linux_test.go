package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"code.dny.dev/ssrf"

	"github.com/quire-dev/quire/internal/testnet"
	"github.com/quire-dev/quire/internal/testweb"
)

const (
	sweepPeak     = 150_000_000 // bytes of memory, for all cases together
	sweepRequests = 20          // for each case

	publicAddress = "93.184.215.14"
)

// sweepConfig leaves the guard and the robots of the defaults, and makes what is
// waited for short. Nothing exempts any network, nothing is connected elsewhere.
const sweepConfig = `contact: tester@quire-tests.org
http: {ca_file: %s, timeouts: {connect: 2s, header: 1s, idle: 1s, total: 10s}}
accept: {max_bytes: 8MiB}
retry: {base: 1ms, max: 10ms, breaker: 10ms}
limits:
  default_host: {in_flight: 4, per_second: 100}
  resolver:unpaywall: {in_flight: 4, per_second: 100}
  resolver:openalex: {in_flight: 4, per_second: 100}
resolvers: {order: [unpaywall, openalex, landing]}
`

// wanted is a case as a job: what it asks for and what may come of it.
type wanted struct {
	name, id, host string
	fate           fate
	sum            string
	unseen         bool // no request comes through to the host
}

// TestSweep gets all cases of sections D and E as the jobs of one run of the real
// program, with production defaults, where every address there is answers. No case
// may cost more than its own job.
func TestSweep(t *testing.T) {
	if !testnet.InNamespace(t) {
		return
	}
	testnet.TakeEveryAddress(t)
	web, err := testweb.StartAt(t.Context(), ":80", ":443")
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	canary := new(testnet.Canary)
	for _, port := range []int{21, 22, 25, 6379, 8080, 8443} {
		canary.Start(t, port)
	}
	zone := testnet.Zone{"*": {{publicAddress}}, "inside.test-private.org": {{"10.0.0.1"}}}
	cases := slices.Concat(serveHostiles(web, zone), serveAnswers(web))
	for _, server := range nameServers(t) {
		zone.ServeAt(t, server)
	}
	p := sweepPlace(t, web, cases)

	start := time.Now()
	run := p.command(t.Context(), "queue", "run", "--drain")
	var log bytes.Buffer
	peak := runMeasured(t, run, &log)
	t.Logf("%d cases in %v, peak memory %.1f MB", len(cases), time.Since(start).Round(time.Millisecond), float64(peak)/1e6)
	if peak > sweepPeak {
		t.Errorf("peak memory %d bytes, want at most %d", peak, sweepPeak)
	}
	if strings.Contains(log.String(), "panic") || strings.ContainsAny(log.String(), "\x1b\x07\x00") {
		t.Errorf("log with a panic or control characters:\n%q", log.Bytes())
	}
	checkCases(t, p, web, cases)
	checkDialled(t, web, canary)
}

// serveHostiles gives each case of section D a host of its own.
func serveHostiles(web *testweb.Web, zone testnet.Zone) (cases []wanted) {
	for i, h := range hostiles() {
		file := testweb.PDF(h.name, 60_000)
		host := fmt.Sprintf("case%d.example.org", i)
		web.Host(host, h.serve(file))
		if h.flaw != testweb.NoFlaw {
			web.Certificate(host, h.flaw)
		}
		if h.robots != nil {
			web.Robots(host, "", h.robots)
		}
		if h.dns != "" {
			zone[host] = [][]string{{h.dns}}
		}
		cases = append(cases, wanted{"D " + h.name, "https://" + host + "/a.pdf", host, h.fate, sumOf(file), h.dns != "" || h.flaw != testweb.NoFlaw})
	}
	return cases
}

// serveAnswers has Unpaywall answer for each case of section E, and OpenAlex know
// an open copy.
func serveAnswers(web *testweb.Web) (cases []wanted) {
	all := answers()
	byDOI := make(map[string]http.Handler)
	files := make(testweb.Paths)
	world := testweb.World{Placeholders: true}
	for i, name := range slices.Sorted(maps.Keys(all)) {
		doi := fmt.Sprintf("10.5555/e%d", i)
		if strings.HasPrefix(name, "134") {
			doi = "10.5555/(e)<1>;2#%3f//x"
		}
		file := testweb.PDF(name, 60_000)
		path := fmt.Sprintf("/e%d.pdf", i)
		byDOI[doi], files[path] = all[name], testweb.File("application/pdf", file)
		files["/"+doi] = files[path]
		world.Works = append(world.Works, testweb.Work{
			DOI: doi, Title: name, Landing: "https://good.example.org" + path,
			Copies: []testweb.Copy{{URL: "https://good.example.org" + path, Services: []string{"openalex"}}},
		})
		cases = append(cases, wanted{"E " + name, "doi:" + doi, "", stored, sumOf(file), false})
	}
	web.Serve(world)
	web.Host("good.example.org", files)
	web.Host("wrong.example.org", testweb.File("application/pdf", testweb.PDF("of another work", 60_000)))
	web.Host("api.unpaywall.org", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if h, ok := byDOI[askedDOI(r)]; ok {
			h.ServeHTTP(rw, r)
			return
		}
		http.NotFound(rw, r)
	}))
	return cases
}

func sumOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

// nameServers are those that the program will ask.
func nameServers(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		t.Log(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "nameserver" && !slices.Contains(all, f[1]) {
			all = append(all, f[1])
		}
	}
	if len(all) == 0 {
		return []string{"127.0.0.1", "::1"} // as resolv.conf(5) says
	}
	return all
}

// sweepPlace writes the configuration and queues the cases.
func sweepPlace(t *testing.T, web *testweb.Web, cases []wanted) place {
	t.Helper()
	dir := t.TempDir()
	ca, list := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cases.txt")
	p := place{data: filepath.Join(dir, "data"), config: filepath.Join(dir, "quire.yaml")}
	var ids strings.Builder
	for _, c := range cases {
		fmt.Fprintln(&ids, c.id)
	}
	for name, text := range map[string][]byte{ca: web.CA(), p.config: fmt.Appendf(nil, sweepConfig, ca), list: []byte(ids.String())} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.run(t, []int{0}, "queue", "import", list)
	return p
}

// checkCases wants each job to have ended as it may, each file to be the one of its
// case, and nothing else to be kept.
func checkCases(t *testing.T, p place, web *testweb.Web, cases []wanted) {
	t.Helper()
	jobs := make(map[string]job)
	for _, j := range lines[job](t, p.run(t, []int{0}, "queue", "list", "--json")) {
		jobs[strings.TrimPrefix(j.ArtifactID, "url:")] = j
	}
	accounts := web.Accounts()
	var kept []string
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			j, found := jobs[c.id]
			done := j.State == "done"
			switch {
			case !found || j.State == "queued" || j.State == "in_progress":
				t.Fatalf("not ended: %+v", j)
			case done && c.fate == none, !done && c.fate == stored:
				t.Errorf("ended as %s: %s", j.State, or(j.Class))
			case done && (j.SHA256 == nil || *j.SHA256 != c.sum):
				t.Errorf("another file was stored: %s", or(j.SHA256))
			}
			if done {
				kept = append(kept, c.sum)
			}
			requests := accounts[c.host].Requests
			if c.host == "" {
				requests = asked(accounts["api.unpaywall.org"], strings.TrimPrefix(c.id, "doi:"))
			}
			if (requests == 0) != c.unseen {
				t.Errorf("%d requests came through", requests)
			}
			if requests > sweepRequests {
				t.Errorf("%d requests, want at most %d", requests, sweepRequests)
			}
		})
	}
	checkKept(t, p, kept)
}

func or(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

// asked counts the requests for a DOI.
func asked(a testweb.Account, doi string) (n int) {
	for address, times := range a.URLs {
		if u, err := url.Parse(address); err == nil && u.Path == "/v2/"+doi {
			n += times
		}
	}
	return n
}

// checkKept wants the files under the data directory to be those of sums.
func checkKept(t *testing.T, p place, sums []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(p.data), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !strings.HasPrefix(name, "artifacts/") && !strings.HasPrefix(name, "tmp/") {
			return err
		}
		file, err := os.ReadFile(filepath.Join(p.data, name))
		if err == nil && !slices.Contains(sums, sumOf(file)) {
			t.Errorf("%s (%d bytes) belongs to no case", name, len(file))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// checkDialled wants no private address to have been connected to.
func checkDialled(t *testing.T, web *testweb.Web, canary *testnet.Canary) {
	t.Helper()
	if reached := canary.Take(); len(reached) != 0 {
		t.Errorf("reached: %v", reached)
	}
	guard := ssrf.New()
	for addr := range web.Dialled() {
		to, err := netip.ParseAddrPort(addr)
		if err != nil || guard.SafeAddr(to.Addr().Unmap()) != nil {
			t.Errorf("%s was dialled (%v)", addr, err)
		}
	}
}
