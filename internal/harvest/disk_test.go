package harvest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// fullDisk is a blob store without space.
type fullDisk struct{ blob.Store }

func (fullDisk) Create(context.Context, string) (blob.Writer, error) { return nil, syscall.ENOSPC }

// While the disk can't take files, hosts are not asked for what would be thrown
// away.
func TestStep_diskFullPausesAllFetches(t *testing.T) {
	var requests atomic.Int64
	pdf := testweb.PDF("x", 5000)
	web := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		rw.Header().Set("Content-Type", "application/pdf")
		_, _ = rw.Write(pdf)
	}))
	defer web.Close()
	client, err := fetch.New(fetch.Config{Contact: "tester@quire-tests.org", AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	landing, err := resolver.New("landing", resolver.Config{Contact: "tester@quire-tests.org"}, client)
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(Config{
		Resolvers: []paper.Resolver{landing}, Fetch: client, Blobs: fullDisk{},
		HostKey: func(string) string { return "host:a" }, Exempt: func(string) bool { return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	first, err := h.Job(Request{Artifact: paper.Artifact{ID: "url:" + web.URL + "/x", IDs: paper.IDs{URL: web.URL + "/x"}}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		job := queue.Job{ID: int64(n), ArtifactID: first.ArtifactID, Key: first.Key, Attempts: 1, Payload: first.Payload}
		out := h.Step(t.Context(), queue.Step{Key: job.Key, Jobs: []queue.Job{job}, MaxAttempts: 3, Send: func() {}, Leave: func() {}})[0]
		if out.Verb != queue.Release || out.Delay <= 0 || out.Delay > diskPause || out.Reason != "disk" {
			t.Errorf("job %d: %+v, want it handed back for a while", n, out)
		}
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d files were asked for on a full disk, want 1", n)
	}
}
