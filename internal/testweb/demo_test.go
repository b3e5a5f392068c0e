package testweb_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/testweb"
)

func TestDemoWorld_Shape(t *testing.T) {
	world := testweb.DemoWorld(1)
	hosts, titles, states := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, work := range world.Works {
		titles[work.Title] = true
		states[work.Want.State]++
		if work.DOI != "" && !strings.HasPrefix(work.DOI, "10.5555/") {
			t.Errorf("%s is not under the test prefix", work.DOI)
		}
		if (work.Want.State == "done") != (len(work.Want.Classes) == 0) {
			t.Errorf("%s wants %+v", work.Identifier(), work.Want)
		}
		for _, c := range work.Copies {
			for _, u := range []string{c.URL, c.Page} {
				if u, err := url.Parse(u); err == nil && u.Host != "" {
					hosts[u.Host] = true
					if !strings.HasSuffix(u.Host, ".example") {
						t.Errorf("%s is at %s", work.Identifier(), u.Host)
					}
				}
			}
		}
	}
	if n := len(world.Works); n < 44 || len(titles) != n || len(hosts) < 14 {
		t.Errorf("%d works, %d titles, %d hosts", n, len(titles), len(hosts))
	}
	ids := world.Identifiers()
	slices.Sort(ids)
	if got := len(slices.Compact(ids)); got != len(world.Works) {
		t.Errorf("%d identifiers for %d works", got, len(world.Works))
	}
	if states["done"] < 40 || states["skipped"] == 0 || states["error"] == 0 {
		t.Errorf("states: %v", states)
	}
	if again := testweb.DemoWorld(1); !slices.Equal(again.Identifiers(), world.Identifiers()) {
		t.Error("the same seed makes another world")
	}
	if other := testweb.DemoWorld(2); other.Works[0].Title == world.Works[0].Title && other.Works[1].Title == world.Works[1].Title {
		t.Error("another seed makes the same world")
	}
}

var citation = regexp.MustCompile(`citation_pdf_url" content="([^"]+)"`)

// Every work that can be had is within reach of a patient client that follows
// copies, redirects and pages; those that cannot be had are not.
func TestDemoWorld_FilesAreThere(t *testing.T) {
	web, client := start(t)
	world := testweb.DemoWorld(7)
	for host, site := range world.Sites { // patience is not the point here
		if host != "www.broken.example" {
			world.Sites[host] = testweb.Site{Robots: site.Robots}
		}
	}
	web.Serve(world)
	for _, work := range world.Works {
		t.Run(work.Identifier(), func(t *testing.T) {
			var sums []string
			for _, at := range places(work) {
				if file := follow(t, client, at); bytes.HasPrefix(file, []byte("%PDF")) {
					sum := sha256.Sum256(file)
					sums = append(sums, hex.EncodeToString(sum[:]))
				}
			}
			had := len(sums) > 0 && !slices.Contains(work.Want.Classes, "policy_skipped")
			if had != (work.Want.State == "done") {
				t.Errorf("found %d files, want %+v", len(sums), work.Want)
			}
			for _, sum := range sums {
				if !slices.Contains(work.Files(), sum) {
					t.Errorf("file %s is not among the work's", sum)
				}
			}
		})
	}
	if got := web.Accounts()["www.marlowe.example"].Disallowed; got == 0 {
		t.Error("robots.txt disallows nothing")
	}
}

func places(work testweb.Work) []string {
	var at []string
	for _, c := range work.Copies {
		at = append(at, c.URL, c.Page)
	}
	if work.PMCID != "" {
		at = append(at, "https://europepmc.org/articles/"+work.PMCID+"?pdf=render")
	}
	if work.ArXiv != "" {
		at = append(at, "https://arxiv.org/pdf/"+work.ArXiv)
	}
	if work.DOI != "" {
		at = append(at, "https://doi.org/"+work.DOI)
	}
	return slices.DeleteFunc(at, func(u string) bool { return u == "" })
}

// follow goes where a URL leads, by redirects and the page's citation tag.
func follow(t *testing.T, client *http.Client, at string) []byte {
	for range 5 {
		g := get(t, client, at)
		if g.err != nil {
			t.Fatalf("%s: %v", at, g.err)
		}
		next := g.header.Get("Location")
		if m := citation.FindSubmatch(g.body); m != nil && next == "" {
			next = string(m[1])
		}
		if next == "" || next == at {
			return g.body
		}
		at = next
	}
	return nil
}
