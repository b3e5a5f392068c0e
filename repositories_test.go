package quire_test

import (
	"testing"

	"github.com/quire-dev/quire/internal/testweb"
	"github.com/quire-dev/quire/queue"
)

// TestHarvest_repositories gets works that one repository alone has, each by the
// way of that repository, with the checksum that it tells.
func TestHarvest_repositories(t *testing.T) {
	b := newBox(t)
	for _, key := range []string{
		"resolver:zenodo", "resolver:figshare", "resolver:osf", "resolver:biorxiv", "host:osf.io", "host:hal.science",
		"host:api.figshare.com", "host:figshare.com", "host:biorxiv.org", "host:zenodo.org",
	} {
		b.cfg.Limits[key] = b.cfg.Limits["default_host"]
	}
	works := map[string]struct{ doi, url string }{
		"zenodo":   {"10.5281/zenodo.7", "https://files.example/paper.pdf"},
		"figshare": {"10.6084/m9.figshare.7.v2", "https://ndownloader.figshare.com/files/7"},
		"osf":      {"10.31219/osf.io/abcde", "https://osf.io/download/abcde"},
		"hal":      {"10.5555/hal", "https://hal.science/hal-7/document"},
		"medrxiv":  {"10.1101/2020.01.01.20000001", "https://www.medrxiv.org/content/10.1101/2020.01.01.20000001v1.full.pdf"},
		"datacite": {"10.5555/datacite", "https://repository.example/7.pdf"},
	}
	world := testweb.World{Placeholders: true}
	var ids []string
	for service, w := range works {
		world.Works = append(world.Works, testweb.Work{
			DOI: w.doi, Title: "In " + service, Landing: "https://page.example/" + service, Link: "https://page.example/none.html",
			Copies: []testweb.Copy{{URL: w.url, Services: []string{service}}},
		})
		ids = append(ids, w.doi)
	}
	b.web.Serve(world)
	if sum := b.get(ids...); sum.Done != len(works) {
		t.Errorf("%+v", sum)
	}
	for service, w := range works {
		job, rec := b.look("doi:" + w.doi)
		source := service
		if service == "medrxiv" {
			source = "biorxiv"
		}
		if job.State != queue.Done || rec.File == nil || rec.File.Resolver != source || rec.File.URL != w.url {
			t.Errorf("%s: %s %s\n%+v\n%+v", service, job.State, job.Class, rec.File, rec)
			continue
		}
		md5 := ""
		for _, tried := range rec.Tried {
			if tried.Class == "" && len(tried.Hops) > 0 {
				md5 = tried.MD5
			}
		}
		if known := service == "zenodo" || service == "figshare" || service == "osf"; known != (md5 != "") {
			t.Errorf("%s: checksum %q", service, md5)
		}
	}
}
