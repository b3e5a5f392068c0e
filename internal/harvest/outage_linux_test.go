package harvest

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// During an outage one job goes each diskPause; when it is over, all do.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o outage
		if left := o.left(time.Now()); left != 0 {
			t.Errorf("nothing has failed, and jobs wait for %v", left)
		}
		if !o.begin(time.Now()) || o.begin(time.Now()) {
			t.Error("the first failure is news, and no other")
		}
		gone := 0
		for range 60 { // a minute
			if left := o.left(time.Now()); left == 0 {
				gone++
			} else if left > diskPause {
				t.Errorf("a job waits for %v", left)
			}
			time.Sleep(time.Second)
		}
		if want := int(time.Minute/diskPause) - 1; gone != want {
			t.Errorf("%d jobs went in a minute, want %d", gone, want)
		}
		if lasted := o.end(time.Now()); lasted != time.Minute {
			t.Errorf("lasted %v, want a minute", lasted)
		}
		if o.end(time.Now()) != 0 || o.left(time.Now()) != 0 {
			t.Error("it is over only once")
		}
	})
}

// Whatever many jobs meet it, the log has a line when storage fails and one when it
// takes files again, and no job is charged.
func TestStep_storageOutageIsToldOnce(t *testing.T) {
	full := &failingDisk{at: "commit"}
	b := newBench(t, func(s blob.Store) blob.Store { full.Store = s; return full })
	var log bytes.Buffer
	b.h.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	b.web.Host("site.example", testweb.File("application/pdf", testweb.PDF("x", 9_000)))
	for range 20 {
		if out := b.step(); out.Reason != "disk" || out.Signal.Allowance.Wait <= 0 || out.Signal.Kind != queue.None {
			t.Fatalf("%+v, want it handed back, the key gated and not blamed", out)
		}
		b.h.storage.next = time.Time{}
	}
	full.at = ""
	if out := b.step(); out.State != queue.Done {
		t.Fatalf("%+v", out)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 2 || !strings.Contains(log.String(), "resumed") {
		t.Errorf("the log has %d lines, want 2:\n%s", lines, log.String())
	}
}

// Without file descriptors no host is to blame, nor the source, nor the job.
func TestStep_noFileDescriptors(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE} {
		b := newBench(t, same)
		fail := &paper.Failure{Class: paper.Config, Err: fmt.Errorf("dial: %w", errno)}
		st, err := loadStory(b.job)
		if err != nil {
			t.Fatal(err)
		}
		w := walk{Harvest: b.h, Step: queue.Step{Key: b.job.Key, Leave: func() {}}, job: b.job, story: st}
		st.add([]paper.Candidate{{URL: "https://site.example/x.pdf", Kind: paper.PDF}}, 0)
		st.At = &position{URL: "https://site.example/x.pdf"}
		for name, out := range map[string]queue.Outcome{
			"fetch":  w.failed(t.Context(), "https://site.example/x.pdf", 0, fail),
			"source": w.unresolved(t.Context(), b.h.cfg.Resolvers[0], fail),
		} {
			if out.Verb != queue.Release || out.Reason != "disk" || out.Signal.Kind != queue.None {
				t.Errorf("%s, %v: %+v, want the job handed back", name, errno, out)
			}
		}
		if why := b.h.switchedOff(b.h.cfg.Resolvers[0].Name()); why != "" || st.At == nil || len(st.Tried[0].Hops) > 0 {
			t.Errorf("%v: resolver switched off (%s), or the candidate given up: %+v", errno, why, st)
		}
	}
}

// A link or sidecar that can't be written for want of room leaves the job as it was:
// the same file is got again, and found.
func TestStep_noRoomForTheName(t *testing.T) {
	b := newBench(t, same)
	b.web.Host("site.example", testweb.File("application/pdf", testweb.PDF("x", 9_000)))
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,nr_inodes=2"); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	works := filepath.Join(dir, "works")
	links, err := blob.OpenLinks(works, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer links.Close()
	b.h.cfg.Links, b.h.cfg.Sidecars = links, true
	for range 3 {
		if out := b.step(); out.Verb != queue.Release || out.Reason != "disk" {
			t.Fatalf("no inode for the link: %+v", out)
		}
		b.h.storage.next = time.Time{}
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "nr_inodes=100"); err != nil {
		t.Fatal(err)
	}
	if out := b.step(); out.State != queue.Done {
		t.Errorf("%+v, want it done", out)
	}
	if names, err := filepath.Glob(works + "/*/*.json"); len(names) != 1 || err != nil {
		t.Errorf("sidecars: %v, %v", names, err)
	} else if text, err := os.ReadFile(names[0]); err != nil || !bytes.Contains(text, []byte(`"hops": [`)) {
		t.Errorf("%s: %s, %v", names[0], text, err)
	}
}
