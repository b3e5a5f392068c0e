package e2e_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/s3test"
	"github.com/quire-dev/quire/internal/testweb"
)

const s3Config = `limits:
  default_host: {every: 20ms, in_flight: 4}
  resolver:unpaywall: {every: 2ms, in_flight: 4}
resolvers: {order: [unpaywall]}
retry: {base: 50ms, max: 200ms, breaker: 200ms}
`

// serveShelf serves works with a file each at twenty hosts: small ones, some of a
// megabyte or more, and in each hundred two that are the same file.
func serveShelf(t *testing.T, web *testweb.Web, works int) (list string) {
	t.Helper()
	world := testweb.World{Placeholders: true}
	var ids strings.Builder
	for n := range works {
		w := testweb.Work{DOI: fmt.Sprintf("10.5555/shelf.%d", n), Title: "T"}
		title, size := w.DOI, 9000+100*n
		switch n % 100 {
		case 7, 8:
			title, size = "twins", 9000
		case 20, 50, 80:
			size = 1<<20 + n
		}
		url := fmt.Sprintf("https://shelf%d.example/%d.pdf", n%20, n)
		w.Copies = []testweb.Copy{{URL: url, Services: []string{"unpaywall"}, Publisher: true, Lies: testweb.File("application/pdf", testweb.PDF(title, size))}}
		world.Works = append(world.Works, w)
		fmt.Fprintln(&ids, w.DOI)
	}
	web.Serve(world)
	file := filepath.Join(t.TempDir(), "ids.txt")
	if err := os.WriteFile(file, []byte(ids.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestS3 gets 200 works into a bucket of a real server, once undisturbed and once
// killed twice while files go up, and wants the same set of both, and nothing else
// in the buckets.
func TestS3(t *testing.T) {
	const works = 200
	server, err := s3test.Start(t.Context(), false)
	s3test.Need(t, err)
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	web := startWeb(t)
	ids := serveShelf(t, web, works)

	calm := newPlace(t, web, s3Config)
	bucket := server.Bucket(t)
	start := time.Now()
	calm.run(t, []int{0}, "get", "--artifacts", server.URL(bucket), ids)
	t.Logf("%d works in %v", works, time.Since(start))
	want := lines[job](t, calm.run(t, []int{0}, "queue", "list", "--json", "--limit", "1000"))
	checkBucket(t, server, bucket, calm, want)

	rough := newPlace(t, web, s3Config)
	bucket = server.Bucket(t)
	t.Setenv("QUIRE_ARTIFACTS", server.URL(bucket))
	rough.run(t, []int{0}, "queue", "import", ids)
	for _, files := range []int{works / 4, works / 2} {
		killAt(t, rough, func() bool { return len(server.Files(t, bucket)) >= files })
	}
	rough.run(t, []int{0}, "queue", "run", "--drain")
	got := lines[job](t, rough.run(t, []int{0}, "queue", "list", "--json", "--limit", "1000"))
	if len(got) != works || !slices.Equal(sorted(got), sorted(want)) {
		t.Errorf("killed, %d jobs ended otherwise than undisturbed:\n%s\n%s", len(got), sorted(got), sorted(want))
	}
	checkBucket(t, server, bucket, rough, got)
	checkAgreement(t, rough, got)
	rough.run(t, []int{0}, "verify")
	rough.run(t, []int{0}, "verify", "--repair")
	for _, name := range []string{"manifest.jsonl", "quire.db"} {
		if text := read(t, rough.data, name); strings.Contains(text, s3test.SecretKey) || strings.Contains(text, s3test.AccessKey) {
			t.Errorf("%s holds a key of the S3 server", name)
		}
	}
}

// killAt runs the queue and kills the program as soon as reached is true.
func killAt(t *testing.T, p place, reached func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := p.command(ctx, "queue", "run", "--drain")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !reached() && ctx.Err() == nil {
		<-look.C
	}
	if ctx.Err() != nil {
		t.Error("the run has not come so far within a minute")
	}
	cancel() // SIGKILL
	if err := c.Wait(); err == nil {
		t.Error("the run ended before it was killed")
	}
}

// checkBucket wants in a bucket the files of the jobs that are done, whole, and
// nothing else there or among the temporary files.
func checkBucket(t *testing.T, server *s3test.Server, bucket string, p place, jobs []job) {
	t.Helper()
	files := server.Files(t, bucket)
	done := make(map[string]bool)
	for _, j := range jobs {
		if j.State != "done" {
			t.Errorf("%s ended as %s", j.ArtifactID, j.State)
			continue
		}
		key, ok := strings.CutPrefix(*j.Path, "s3://"+bucket+"/")
		if !ok || files[key] == "" {
			t.Errorf("%s: %s is missing", j.ArtifactID, *j.Path)
			continue
		}
		done[key] = true
		if sum := sha256.Sum256([]byte(read(t, files[key]))); hex.EncodeToString(sum[:]) != *j.SHA256 || !strings.Contains(key, *j.SHA256) {
			t.Errorf("%s holds other bytes than its name says", key)
		}
	}
	if len(files) != len(done) {
		t.Errorf("the bucket holds %d files, %d belong to jobs", len(files), len(done))
	}
	if left, err := os.ReadDir(filepath.Join(p.data, "tmp")); err != nil || len(left) > 0 {
		t.Errorf("tmp holds %v (%v), want nothing", left, err)
	}
}
