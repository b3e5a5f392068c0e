package resolver_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/resolver"
)

func TestLimits(t *testing.T) {
	keys := map[string]bool{}
	for _, l := range resolver.Limits() {
		keys[l.Key] = true
		if name, ok := strings.CutPrefix(l.Key, "resolver:"); ok && (!slices.Contains(resolver.Names(), name) || !l.API) {
			t.Errorf("%s: no such resolver, or no API", l.Key)
		}
		if !strings.Contains(l.Source, "documentation") && !strings.Contains(l.Source, "inferred") && !strings.Contains(l.Source, "terms") {
			t.Errorf("%s: the source says neither what is documented nor what is inferred: %s", l.Key, l.Source)
		}
	}
	for _, name := range resolver.Names() {
		if !keys["resolver:"+name] && name != "arxiv" && name != "landing" {
			t.Errorf("resolver %s has no limit", name)
		}
	}
}

// The values that services publish, and that nobody should widen by accident.
func TestLimits_published(t *testing.T) {
	want := map[string]resolver.Limit{
		"host:arxiv.org":           {InFlight: 1, Every: 3 * time.Second},
		"host:zenodo.org":          {InFlight: 1, Every: 3600 * time.Millisecond}, // half of it, as the next
		"resolver:zenodo":          {InFlight: 1, Every: 3600 * time.Millisecond},
		"host:api.figshare.com":    {InFlight: 1, Every: 2 * time.Second},
		"resolver:figshare":        {InFlight: 1, Every: 2 * time.Second},
		"host:api.osf.io":          {InFlight: 1, Every: 7 * time.Minute},
		"resolver:osf":             {InFlight: 1, Every: 45 * time.Second, Burst: 10},
		"resolver:datacite":        {InFlight: 2, Every: time.Second / 3, Batch: 25},
		"resolver:crossref":        {InFlight: 3, Every: time.Second / 3, Batch: 50},
		"resolver:openalex":        {InFlight: 8, Every: time.Second / 10, Batch: 50, Daily: 10_000},
		"resolver:unpaywall":       {InFlight: 4, Every: time.Second / 8, Daily: 100_000},
		"resolver:semanticscholar": {InFlight: 1, Every: time.Second, Batch: 500},
		"resolver:doaj":            {InFlight: 1, Every: time.Second / 2},
		"resolver:openaire":        {InFlight: 1, Every: 72 * time.Second, Burst: 10},
		"resolver:core":            {InFlight: 1, Every: 7 * time.Second, Daily: 80},
		"host:api.core.ac.uk":      {InFlight: 1, Every: time.Minute, Daily: 4},
		"resolver:wayback":         {InFlight: 1, Every: 2500 * time.Millisecond},
		"resolver:idconv":          {InFlight: 1, Every: time.Second / 3, Batch: 200},
	}
	got := map[string]resolver.Limit{}
	for _, l := range resolver.Limits() {
		if _, ok := want[l.Key]; ok {
			got[l.Key] = resolver.Limit{InFlight: l.InFlight, Every: l.Every, Burst: l.Burst, Batch: l.Batch, Daily: l.Daily}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
