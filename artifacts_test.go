package quire_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/s3test"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// newS3 starts an S3 server for the test and has the box keep its files there.
func newS3(t *testing.T, b *box) (server *s3test.Server, bucket string) {
	t.Helper()
	server, err := s3test.Start(t.Context(), false)
	s3test.Need(t, err)
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	bucket = server.Bucket(t)
	b.cfg.Artifacts = server.URL(bucket)
	return server, bucket
}

// works serves n works with a file each and returns their identifiers.
func (b *box) works(n int) []string {
	world := testweb.World{Placeholders: true}
	for i := range n {
		w := work(fmt.Sprintf("https://good%d.example/a.pdf", i))
		w.DOI = fmt.Sprintf("10.5555/s3-%d", i)
		world.Works = append(world.Works, w)
		b.web.Host(fmt.Sprintf("good%d.example", i), testweb.File("application/pdf", testweb.PDF(w.DOI, 9000)))
	}
	b.web.Serve(world)
	return world.Identifiers()
}

// The record of a file in S3 has its URL, under which the bytes are that it tells
// of. There is no link tree, and nothing is left on this machine.
func TestS3_get(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	server, bucket := newS3(t, b)
	ids := b.works(3)
	if sum := b.get(ids...); sum.Done != 3 {
		t.Fatalf("Run = %+v", sum)
	}
	objects := server.Files(t, bucket)
	for _, id := range ids {
		_, rec := b.look(id)
		key, ok := strings.CutPrefix(rec.File.Path, "s3://"+bucket+"/")
		body, err := os.ReadFile(objects[key])
		sum := sha256.Sum256(body)
		if !ok || err != nil || hex.EncodeToString(sum[:]) != rec.File.SHA256 || !strings.HasPrefix(path.Base(key), rec.File.SHA256) {
			t.Errorf("%s: %q, %v", id, rec.File.Path, err)
		}
		delete(objects, key)
	}
	if len(objects) > 0 {
		t.Errorf("the bucket also holds %v", objects)
	}
	for _, name := range []string{"artifacts", "works"} {
		if _, err := os.Stat(filepath.Join(b.data, name)); err == nil {
			t.Errorf("%s was made", name)
		}
	}
	if left, err := os.ReadDir(filepath.Join(b.data, "tmp")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A run whose S3 service goes away hands its jobs back, asks no host for what could
// not be kept, and goes on by itself when the service is there again.
func TestS3_awayMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	server, bucket := newS3(t, b)
	ids := b.works(6)
	if err := server.Down(); err != nil {
		t.Fatal(err)
	}
	back := sync.OnceValue(func() error { return server.Up(context.Background()) })
	var events sync.Mutex
	waited := 0
	b.cfg.Observe = func(e quire.Event) {
		if e.Reason != "disk" {
			return
		}
		events.Lock()
		defer events.Unlock()
		if waited++; waited == len(ids) {
			if err := back(); err != nil {
				t.Error(err)
			}
		}
	}
	sum := b.get(ids...)
	if sum.Done != len(ids) || sum.Error+sum.Remaining > 0 {
		t.Errorf("Run = %+v", sum)
	}
	for _, id := range ids {
		if job, _ := b.look(id); job.State != queue.Done || job.Attempts != 1 {
			t.Errorf("%s ended as %s after %d attempts: %s", id, job.State, job.Attempts, job.LastError)
		}
	}
	if got := server.Files(t, bucket); len(got) != len(ids) {
		t.Errorf("the bucket holds %v", got)
	}
	for i := range ids {
		if n := b.web.Accounts()[fmt.Sprintf("good%d.example", i)].Requests; n > 2 {
			t.Errorf("file %d was got %d times, want at most twice", i, n)
		}
	}
}

// A service that refuses us ends the run before it has asked anybody.
func TestS3_refused(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	server, _ := newS3(t, b)
	b.cfg.Artifacts = server.URL("no-such-bucket")
	ids := b.works(1)
	b.with(func(s *quire.System) {
		a, err := paper.ParseID(ids[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Add(t.Context(), []quire.Request{{Artifact: a}}, quire.AddOptions{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err = s.Run(ctx, quire.RunOptions{Drain: true})
		if !errors.Is(err, quire.ErrConfig) || !strings.Contains(err.Error(), "no-such-bucket") {
			t.Errorf("Run: %v, want ErrConfig", err)
		}
	})
	for host, a := range b.web.Accounts() {
		if a.Requests > 0 {
			t.Errorf("%s got %d requests", host, a.Requests)
		}
	}
}

func TestConfig_Check(t *testing.T) {
	for artifacts, says := range map[string]string{
		"":            "",
		"file:/tmp/x": "",
		"s3://papers/x?endpoint=http://10.0.0.1:9000": "",
		"file:":                              "names no directory",
		"gs://hunter2":                       "there are file:DIR and s3://",
		"hunter2":                            "there are file:DIR and s3://",
		"s3://k:hunter2@papers":              "AWS_ACCESS_KEY_ID",
		"s3://papers?key=hunter2":            `parameter "key"`,
		"s3://papers?endpoint=ftp://hunter2": "endpoint: want",
	} {
		cfg := quire.Config{Artifacts: artifacts}
		err := cfg.Check()
		if says == "" && err != nil || says != "" && (!errors.Is(err, quire.ErrConfig) || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", artifacts, err, says)
		}
		if strings.Contains(fmt.Sprint(err, cfg.ArtifactsName()), "hunter2") {
			t.Errorf("%s: shown as %v, %s", artifacts, err, cfg.ArtifactsName())
		}
	}
}
