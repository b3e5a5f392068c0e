package resolver

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseLimits(t *testing.T) {
	const rest = ", api: true, verified_on: \"2026-11\", source: documented}\n"
	tests := map[string]struct {
		text string
		want string // in the error; empty: the row is read
	}{
		"whole":              {"- {key: resolver:a, hosts: [a.example], in_flight: 2, per_second: 4, burst: 3, batch: 50, daily: 100" + rest, ""},
		"every":              {"- {key: host:a.example, in_flight: 1, every: 3s" + rest, ""},
		"no list":            {"key: host:a", "parse limits"},
		"unknown field":      {"- {key: host:a, in_flight: 1, every: 3s, brust: 2" + rest, "brust"},
		"no kind":            {"- {key: a.example, in_flight: 1, every: 3s" + rest, `limit of "a.example": key is neither`},
		"no name":            {"- {key: 'host:', in_flight: 1, every: 3s" + rest, "key is neither"},
		"upper case":         {"- {key: host:a, hosts: [B.example], in_flight: 1, every: 3s" + rest, `"B.example" is not in lower case`},
		"no pace":            {"- {key: host:a, in_flight: 1" + rest, "one of per_second and every"},
		"two paces":          {"- {key: host:a, in_flight: 1, every: 3s, per_second: 1" + rest, "one of per_second and every"},
		"pace of 0":          {"- {key: host:a, in_flight: 1, per_second: 0" + rest, "per_second is 0"},
		"pace that is none":  {"- {key: host:a, in_flight: 1, per_second: .nan" + rest, "per_second is NaN"},
		"every without unit": {"- {key: host:a, in_flight: 1, every: '3'" + rest, "every: "},
		"every of 0":         {"- {key: host:a, in_flight: 1, every: 0s" + rest, "every: 0s is not positive"},
		"no cap":             {"- {key: host:a, every: 3s" + rest, "in_flight is 0"},
		"burst of 0":         {"- {key: host:a, in_flight: 1, every: 3s, burst: 0" + rest, "burst is 0"},
		"batch below 0":      {"- {key: resolver:a, in_flight: 1, every: 3s, batch: -1" + rest, "batch is -1"},
		"daily of 0":         {"- {key: host:a, in_flight: 1, every: 3s, daily: 0" + rest, "daily is 0"},
		"batch of a host":    {"- {key: host:a, in_flight: 1, every: 3s, batch: 2" + rest, "batch is for resolvers"},
		"no source":          {"- {key: host:a, in_flight: 1, every: 3s, verified_on: '2026-11'}", "source is missing"},
		"no month":           {"- {key: host:a, in_flight: 1, every: 3s, verified_on: lately, source: s}", "verified_on"},
		"twice": {
			"- {key: host:a, hosts: [b], in_flight: 1, every: 3s" + rest + "- {key: host:b, in_flight: 1, every: 3s" + rest,
			`limit of "host:b": host:b has a limit already`,
		},
		"a resolver's host may have a row": {
			"- {key: resolver:a, hosts: [b], in_flight: 1, every: 3s" + rest + "- {key: host:b, in_flight: 1, every: 3s" + rest, "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parseLimits([]byte(tt.text))
			if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
	got, err := parseLimits([]byte(tests["whole"].text))
	want := []Limit{{
		Key: "resolver:a", Hosts: []string{"a.example"}, InFlight: 2, Every: 250 * time.Millisecond, Burst: 3, Batch: 50, Daily: 100,
		API: true, VerifiedOn: "2026-11", Source: "documented",
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v: -want +got\n%s", err, diff)
	}
}
