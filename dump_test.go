package quire_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/queue"
)

// With a dump the source unpaywall is not asked over the network.
func TestHarvest_unpaywallDump(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	index := filepath.Join(t.TempDir(), "unpaywall.db")
	rep, err := quire.ImportUnpaywall(t.Context(), strings.NewReader(
		`{"doi":"10.5555/CASE","is_oa":true,"oa_status":"gold","oa_locations":[{"url_for_pdf":"https://good.example/a.pdf","license":"cc-by","version":"publishedVersion"}]}`+"\n"),
		index, nil)
	if err != nil || rep.Records != 1 {
		t.Fatal(rep, err)
	}
	b.cfg.Sources = []quire.Source{{Name: "unpaywall", Dump: index}, {Name: "crossref"}}
	b.web.Serve(testweb.World{Works: []testweb.Work{work()}, Placeholders: true})
	b.web.Host("good.example", testweb.Paths{"/a.pdf": good()})
	rec := b.wantEnd(queue.Done, "", 1)
	if rec.File.Resolver != "unpaywall" || rec.File.License != "cc-by" || rec.Asked[0].Note != "oa_status gold" {
		t.Errorf("file %+v, asked %+v", rec.File, rec.Asked)
	}
	wantRequests(t, b.web.Accounts(), map[string]int{"api.unpaywall.org": 0, "good.example": 1})
}

func TestOpen_badDump(t *testing.T) {
	dir := t.TempDir()
	raw := filepath.Join(dir, "dump.jsonl")
	if err := os.WriteFile(raw, []byte(`{"doi":"10.5555/a"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, source := range map[string]quire.Source{
		"no such file":    {Name: "unpaywall", Dump: filepath.Join(dir, "none.db")},
		"import it first": {Name: "unpaywall", Dump: raw},
		"only unpaywall":  {Name: "crossref", Dump: raw},
	} {
		s, err := quire.Open(t.Context(), quire.Config{Data: filepath.Join(dir, "data"), Sources: []quire.Source{source}})
		if !errors.Is(err, quire.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, %v, want %q", s, err, want)
		}
	}
}
