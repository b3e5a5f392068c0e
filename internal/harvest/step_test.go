package harvest

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// bench runs the steps of one job by hand: no queue, no waiting.
type bench struct {
	t   *testing.T
	web *testweb.Web
	h   *Harvest
	job queue.Job

	temps string // directory of temporary files
}

// newBench makes a job for a file at https://site.example/a.pdf.
func newBench(t *testing.T, blobs func(blob.Store) blob.Store) *bench {
	t.Helper()
	web, err := testweb.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { web.Close() })
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	if err := web.WriteCA(ca); err != nil {
		t.Fatal(err)
	}
	client, err := fetch.New(fetch.Config{
		Contact: "tester@quire-tests.org", ConnectTo: web.ConnectTo(), CAFile: ca,
		AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	store, err := blob.OpenLocal(filepath.Join(dir, "artifacts"), filepath.Join(dir, "tmp"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	page, err := resolver.New("landing", resolver.Config{}, client)
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(Config{
		Resolvers: []paper.Resolver{page}, Fetch: client, Blobs: blobs(store), BlobDir: "artifacts",
		HostKey: func(url string) string {
			key, err := paper.HostKey(url)
			if err != nil {
				t.Error(err)
			}
			return key
		},
		Exempt: func(string) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, web: web, h: h, job: newJob(t, h), temps: filepath.Join(dir, "tmp")}
}

func newJob(t *testing.T, h *Harvest) queue.Job {
	t.Helper()
	a, err := paper.ParseID("https://site.example/a.pdf")
	if err != nil {
		t.Fatal(err)
	}
	j, err := h.Job(Request{Artifact: a})
	if err != nil {
		t.Fatal(err)
	}
	return queue.Job{ID: 1, ArtifactID: j.ArtifactID, Key: j.Key, Payload: j.Payload}
}

// step runs the next step and moves the job as the orchestrator would.
func (b *bench) step() queue.Outcome {
	b.t.Helper()
	b.job.Attempts++
	outs := b.h.Step(b.t.Context(), queue.Step{
		Key: b.job.Key, Jobs: []queue.Job{b.job}, MaxAttempts: 3, Send: func() {}, Leave: func() {},
	})
	out := outs[0]
	if out.Verb == queue.Advance || out.Verb == queue.Release {
		b.job.Attempts--
	}
	if out.Key != "" {
		b.job.Key = out.Key
	}
	b.job.Progress = out.Progress
	return out
}

func same(s blob.Store) blob.Store { return s }

// A host that never stops asking for less loses the job after some refusals,
// none of which is an attempt.
func TestStep_throttledForEver(t *testing.T) {
	b := newBench(t, same)
	b.web.Host("site.example", testweb.Fail(http.StatusTooManyRequests)(http.NotFoundHandler()))
	for range maxRefusals {
		if out := b.step(); out.Verb != queue.Release || out.Signal.Kind != queue.Throttled || b.job.Attempts != 0 {
			t.Fatalf("refused job: %+v, %d attempts", out, b.job.Attempts)
		}
	}
	if out := b.step(); out.Verb != queue.Finish || out.State != queue.Error || out.Class != string(paper.Throttled) {
		t.Errorf("after %d refusals: %+v", maxRefusals+1, out)
	}
	if n := b.web.Accounts()["site.example"].Requests; n != maxRefusals+1 {
		t.Errorf("%d requests, want %d", n, maxRefusals+1)
	}
}

// An answer in between ends the row of refusals.
func TestStep_refusalsInARow(t *testing.T) {
	b := newBench(t, same)
	b.web.Host("site.example", testweb.Redirect(302, "https://next.example/"),
		testweb.First(maxRefusals, testweb.Fail(http.StatusTooManyRequests)))
	b.web.Host("next.example", testweb.File("", testweb.PDF("x", 3000)),
		testweb.First(maxRefusals, testweb.Fail(http.StatusTooManyRequests)))
	for range 2*maxRefusals + 1 {
		if out := b.step(); out.Verb != queue.Release && out.Verb != queue.Advance {
			t.Fatalf("%+v", out)
		}
	}
	if out := b.step(); out.Verb != queue.Finish || out.State != queue.Done {
		t.Errorf("at last: %+v", out)
	}
}

// A disk that takes no files is not the job's fault, at whatever moment it fails.
func TestStep_diskTrouble(t *testing.T) {
	for name, at := range map[string]string{"on opening": "create", "on writing": "write", "on committing": "commit"} {
		t.Run(name, func(t *testing.T) {
			full := &failingDisk{at: at}
			b := newBench(t, func(s blob.Store) blob.Store { full.Store = s; return full })
			b.web.Host("site.example", testweb.File("application/pdf", testweb.PDF("x", 90_000)))
			for range 5 {
				out := b.step()
				if out.Verb != queue.Release || out.Delay != diskPause || out.Reason != "disk" || out.Error == "" || b.job.Attempts != 0 {
					t.Fatalf("full disk: %+v, %d attempts", out, b.job.Attempts)
				}
				b.h.storage.next = time.Time{} // the pause is over
			}
			full.at = ""
			if out := b.step(); out.Verb != queue.Finish || out.State != queue.Done {
				t.Errorf("after it has room again: %+v", out)
			}
		})
	}
}

// failingDisk is a store that fails at one moment.
type failingDisk struct {
	blob.Store
	at string
}

func (d *failingDisk) fails(at string) error {
	if d.at == at {
		return errors.Join(errors.New(at), syscall.ENOSPC)
	}
	return nil
}

func (d *failingDisk) Create(ctx context.Context, name string) (blob.Writer, error) {
	if err := d.fails("create"); err != nil {
		return nil, err
	}
	w, err := d.Store.Create(ctx, name)
	return &failingWriter{w, d}, err
}

type failingWriter struct {
	blob.Writer
	disk *failingDisk
}

func (w *failingWriter) Write(p []byte) (int, error) {
	if err := w.disk.fails("write"); err != nil {
		return 0, err
	}
	return w.Writer.Write(p)
}

func (w *failingWriter) Commit(ctx context.Context, ext string) (blob.Blob, error) {
	if err := w.disk.fails("commit"); err != nil {
		return blob.Blob{}, errors.Join(err, w.Abort())
	}
	return w.Writer.Commit(ctx, ext)
}

// A step that is told to stop hands its job back as it was.
func TestStep_stopped(t *testing.T) {
	b := newBench(t, same)
	b.web.Host("site.example", testweb.Hang()(http.NotFoundHandler()))
	ctx, cancel := context.WithCancel(t.Context())
	outs := make(chan queue.Outcome)
	go func() {
		outs <- b.h.Step(ctx, queue.Step{
			Key: b.job.Key, Jobs: []queue.Job{b.job}, MaxAttempts: 3, Send: cancel, Leave: func() {},
		})[0]
	}()
	out := <-outs
	st, err := loadStory(queue.Job{Progress: out.Progress})
	if err != nil || out.Verb != queue.Release || out.Signal.Kind != queue.None || len(st.Tried) != 1 || len(st.Tried[0].Hops) != 0 {
		t.Errorf("stopped step: %+v (%v)", out, err)
	}
}

// What is no story ends as an error and not in a panic.
func TestStep_damagedJob(t *testing.T) {
	b := newBench(t, same)
	for _, text := range []string{"{", "[]", `{"at":{"index":7}}`, `{"at":{"index":-1},"tried":[{}]}`} {
		b.job.Progress = []byte(text)
		out := b.h.Step(t.Context(), queue.Step{Key: b.job.Key, Jobs: []queue.Job{b.job}, MaxAttempts: 3, Send: func() {}, Leave: func() {}})[0]
		if out.Verb != queue.Finish || out.State != queue.Error || out.Class != string(paper.Config) {
			t.Errorf("progress %s: %+v", text, out)
		}
	}
}
