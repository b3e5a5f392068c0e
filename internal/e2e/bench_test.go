package e2e_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/testweb"
)

const (
	benchWorks   = 2000
	benchHosts   = 200
	benchWorkers = 64
	benchFile    = 40 << 10
)

const benchConfig = `orchestrator: {max_workers: 64, max_per_host: 4, max_per_resolver: {unpaywall: 64}}
limits:
  default_host: {in_flight: 4, per_second: 1000000}
  resolver:unpaywall: {in_flight: 64, per_second: 1000000}
resolvers: {order: [unpaywall]}
`

// BenchmarkDrain drains 2,000 works of 40 KiB over 200 hosts with the real
// program and, in the same run, fetches the same 4,000 URLs with a bare net/http
// loop of the same concurrency that throws the bytes away. Both are processes of
// their own, against the same server in this one, on loopback, over TLS.
//
//	jobs/s       works drained per second of wall time
//	cpu-µs/job   processor time of the program per work
//	peak-MB      peak resident memory of the program
//	bare-ratio   wall time of the program ÷ wall time of the bare loop
//
// Without latency, everything is processor and disk, which the program uses for
// keeping its promises and the bare loop does not. Hosts that take 20 ms, which
// is quicker than any on the real web, show what is left of that.
func BenchmarkDrain(b *testing.B) {
	b.Run("latency=0", func(b *testing.B) { benchDrain(b) })
	b.Run("latency=20ms", func(b *testing.B) { benchDrain(b, testweb.Latency(20*time.Millisecond)) })
}

func benchDrain(b *testing.B, behaviours ...testweb.Behaviour) {
	web := startWeb(b)
	serveBench(web, behaviours)
	var wall, cpu, bare time.Duration
	var peak int64
	for b.Loop() {
		p := newPlace(b, web, benchConfig)
		b.StopTimer()
		importBench(b, p)
		bare += bareLoop(b, web, p)
		b.StartTimer()
		run := p.command(b.Context(), "queue", "run", "--drain")
		start := time.Now()
		peak = max(peak, runMeasured(b, run, new(bytes.Buffer)))
		wall += time.Since(start)
		cpu += run.ProcessState.UserTime() + run.ProcessState.SystemTime()
	}
	jobs := float64(b.N * benchWorks)
	b.ReportMetric(jobs/wall.Seconds(), "jobs/s")
	b.ReportMetric(float64(cpu.Microseconds())/jobs, "cpu-µs/job")
	b.ReportMetric(float64(peak)/1e6, "peak-MB")
	b.ReportMetric(wall.Seconds()/bare.Seconds(), "bare-ratio")
}

// runMeasured runs a command that may end with 3, as some jobs have failed, and
// returns its peak resident memory in bytes; log takes its stderr. The
// kernel's own account of a child (ru_maxrss) would include the memory that the
// child shared with this process before it became the program.
func runMeasured(b testing.TB, c *exec.Cmd, log *bytes.Buffer) (peak int64) {
	b.Helper()
	c.Stderr = log
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil && c.ProcessState.ExitCode() != 3 {
				b.Fatalf("run: %v\n%s", err, log.Bytes())
			}
			return peak
		case <-look.C:
			peak = max(peak, residentPeak(c.Process.Pid))
		}
	}
}

// residentPeak reads a process's peak resident memory; 0 if it can't be read.
func residentPeak(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0
	}
	return kib << 10
}

func benchURL(n int) string {
	return fmt.Sprintf("https://host%03d.bench.example/%d.pdf", n%benchHosts, n)
}

func benchDOI(n int) string { return fmt.Sprintf("10.5555/bench.%d", n) }

// serveBench serves Unpaywall's answers and the files, with as little work per
// request as can be: the server shares the machine with what is measured.
func serveBench(web *testweb.Web, behaviours []testweb.Behaviour) {
	files := make(map[string]http.Handler)
	for n := range benchWorks {
		files[fmt.Sprintf("/%d.pdf", n)] = testweb.File("application/pdf", testweb.PDF(benchURL(n), benchFile))
	}
	behave := func(h http.Handler) http.Handler {
		for _, b := range behaviours {
			h = b(h)
		}
		return h
	}
	web.Suffix(".bench.example", behave(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if h, ok := files[r.URL.Path]; ok {
			h.ServeHTTP(rw, r)
			return
		}
		http.NotFound(rw, r)
	})))
	web.Host("api.unpaywall.org", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, number, _ := strings.Cut(r.URL.Path, "bench.")
		n, err := strconv.Atoi(number)
		if err != nil {
			http.NotFound(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(rw, `{"doi":%q,"is_oa":true,"oa_status":"gold","oa_locations":[{"url_for_pdf":%q,"version":"publishedVersion","license":"cc-by"}]}`,
			benchDOI(n), benchURL(n))
	}), behaviours...)
}

func importBench(b *testing.B, p place) {
	b.Helper()
	var ids strings.Builder
	for n := range benchWorks {
		fmt.Fprintln(&ids, benchDOI(n))
	}
	file := filepath.Join(b.TempDir(), "ids.txt")
	if err := os.WriteFile(file, []byte(ids.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	p.run(b, []int{0}, "queue", "import", file)
}

// bareJob is what the bare loop is told through its environment.
type bareJob struct {
	Addr, CA string
	Workers  int
	URLs     []string
}

// bareLoop runs this test binary as the bare loop and returns its wall time.
func bareLoop(b *testing.B, web *testweb.Web, p place) time.Duration {
	b.Helper()
	j := bareJob{Addr: strings.TrimPrefix(web.ConnectTo()[0], ":443:"), CA: string(web.CA()), Workers: benchWorkers}
	for n := range benchWorks {
		j.URLs = append(j.URLs, "https://api.unpaywall.org/v2/"+benchDOI(n)+"?email=tester@quire-tests.org", benchURL(n))
	}
	text, err := json.Marshal(j)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(p.config), "bare.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		b.Fatal(err)
	}
	c := exec.CommandContext(b.Context(), os.Args[0])
	c.Env = append(os.Environ(), "QUIRE_BARE_LOOP="+file)
	start := time.Now()
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("bare loop: %v\n%s", err, out)
	}
	return time.Since(start)
}

// runBareLoop is the bare loop's main.
func runBareLoop(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var j bareJob
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(j.CA))
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", j.Addr)
		},
		TLSClientConfig:     &tls.Config{RootCAs: roots},
		MaxIdleConnsPerHost: j.Workers,
	}}
	urls := make(chan string, len(j.URLs))
	for _, u := range j.URLs {
		urls <- u
	}
	close(urls)
	errs := make(chan error, j.Workers)
	var workers sync.WaitGroup
	for range j.Workers {
		workers.Go(func() { errs <- getAll(client, urls) })
	}
	workers.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func getAll(client *http.Client, urls <-chan string) error {
	for u := range urls {
		resp, err := client.Get(u)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
