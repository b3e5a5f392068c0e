package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/testweb"
)

const (
	largeFile = 1 << 30
	largeRate = 100_000_000 // bytes a second
)

// BenchmarkFetch gets one PDF of 1 GiB from a server that sends 100 MB a second,
// over TLS on loopback, with the real program and with curl. The program hashes,
// judges, syncs and records it; curl writes it to the same disk.
//
//	MB/s        of the program, from its start to its end
//	cpu-s       processor time of the program per file
//	peak-MB     peak resident memory of the program
//	curl-ratio  wall time of curl ÷ wall time of the program: 1 is as fast as curl
//
// At full speed, without the pace, the ratio shows what the work besides costs.
func BenchmarkFetch(b *testing.B) {
	if _, err := exec.LookPath("curl"); err != nil {
		b.Skip(err)
	}
	file := testweb.PDF("a large one", largeFile)
	b.Run("100MB/s", func(b *testing.B) { benchFetch(b, file, testweb.Slow(largeRate)) })
	b.Run("full-speed", func(b *testing.B) { benchFetch(b, file) })
}

func benchFetch(b *testing.B, file []byte, behaviours ...testweb.Behaviour) {
	const url = "https://large.example/a.pdf"
	web := startWeb(b)
	web.Host("large.example", testweb.File("application/pdf", file), behaviours...)
	var quire, curl, cpu time.Duration
	var peak int64
	for b.Loop() {
		p := newPlace(b, web, "accept: {max_bytes: 2GiB}\nresolvers: {order: [landing]}\n")
		b.StopTimer()
		p.run(b, []int{0}, "queue", "enqueue", url)
		curl += curled(b, web, url)
		b.StartTimer()
		run := p.command(b.Context(), "queue", "run", "--drain")
		start := time.Now()
		peak = max(peak, runMeasured(b, run, new(bytes.Buffer)))
		quire += time.Since(start)
		cpu += run.ProcessState.UserTime() + run.ProcessState.SystemTime()
		b.StopTimer()
		jobs := lines[job](b, p.run(b, []int{0}, "queue", "list", "--json"))
		if len(jobs) != 1 || jobs[0].State != "done" || *jobs[0].Bytes != int64(len(file)) {
			b.Fatalf("not got: %+v", jobs)
		}
		if err := os.RemoveAll(p.data); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N*len(file))/1e6/quire.Seconds(), "MB/s")
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s")
	b.ReportMetric(float64(peak)/1e6, "peak-MB")
	b.ReportMetric(curl.Seconds()/quire.Seconds(), "curl-ratio")
}

// curled gets a URL of the box with curl and returns how long it took.
func curled(b *testing.B, web *testweb.Web, url string) time.Duration {
	b.Helper()
	dir := b.TempDir()
	ca, out := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "a.pdf")
	if err := web.WriteCA(ca); err != nil {
		b.Fatal(err)
	}
	args := []string{"--silent", "--show-error", "--fail", "--http1.1", "--noproxy", "*", "--cacert", ca, "--output", out, url}
	for _, rule := range web.ConnectTo() {
		args = append(args, "--connect-to", rule)
	}
	start := time.Now()
	if text, err := exec.CommandContext(b.Context(), "curl", args...).CombinedOutput(); err != nil {
		b.Fatalf("curl: %v\n%s", err, text)
	}
	took := time.Since(start)
	if err := os.Remove(out); err != nil {
		b.Fatal(err)
	}
	return took
}
