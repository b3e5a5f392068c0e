package quire_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// What stands where files belong and is not of our making stays there, and no
// file is got over and over because of it.
func TestHarvest_somethingElseInTheStoresPlace(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.web.Serve(testweb.World{Works: []testweb.Work{work("https://good.example/a.pdf")}, Placeholders: true})
	b.web.Host("good.example", testweb.File("application/pdf", testweb.PDF("the paper", 9000)))
	b.web.Host("page.example", testweb.Page(http.StatusOK, "A case", "Nothing to download."))
	if err := os.MkdirAll(filepath.Join(b.data, "artifacts"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.data, "artifacts", "sha256"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.get(doi)
	if job, _ := b.look("doi:" + doi); job.State != queue.Error || job.Class != string(paper.Config) || job.LastError == "" {
		t.Errorf("job ended as %s %q (%s), want an error of class config that says why", job.State, job.Class, job.LastError)
	}
	if n := b.web.Accounts()["good.example"].Requests; n > 3 {
		t.Errorf("the file was got %d times, want at most once an attempt", n)
	}
}
