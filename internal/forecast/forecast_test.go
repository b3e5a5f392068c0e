package forecast_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/limit"
)

// zipf picks a number by its popularity.
func zipf(random *rand.Rand, n int) int {
	total := 0.0
	for i := range n {
		total += 1 / float64(i+1)
	}
	at := random.Float64() * total
	for i := range n {
		if at -= 1 / float64(i+1); at < 0 {
			return i
		}
	}
	return n - 1
}

func host(n int) string { return fmt.Sprintf("host:h%03d", n) }

// scenarios are works of some minutes.
func scenarios() map[string]func(random *rand.Rand) work {
	const jobs = 3000
	ask := func(random *rand.Rand, name string) stop {
		return stop{"resolver:" + name, lognormal(random, 0.15, 0.5), 0}
	}
	load := func(random *rand.Rand, n int) stop { return stop{host(n), lognormal(random, 0.5, 0.5), 0} }
	base := func() work {
		return work{slots: 32, rule: limit.Rule{InFlight: 4, Every: 50 * time.Millisecond}, rules: map[string]limit.Rule{}, retry: 20 * time.Second}
	}
	walks := func(shape func(random *rand.Rand) []stop) func(random *rand.Rand) work {
		return func(random *rand.Rand) work {
			w := base()
			for range jobs {
				w.jobs = append(w.jobs, shape(random))
			}
			return w
		}
	}
	return map[string]func(random *rand.Rand) work{
		"uniform": walks(func(random *rand.Rand) []stop {
			return []stop{ask(random, "a"), load(random, random.IntN(60))}
		}),
		"popular host": walks(func(random *rand.Rand) []stop {
			return []stop{ask(random, "a"), load(random, zipf(random, 60))}
		}),
		"slow host": walks(func(random *rand.Rand) []stop {
			s := load(random, zipf(random, 60))
			if s.key == host(1) {
				s.seconds = lognormal(random, 2.5, 0.2)
			}
			return []stop{ask(random, "a"), s}
		}),
		"slots": func(random *rand.Rand) work {
			w := base()
			w.slots, w.rule.Every = 8, time.Millisecond
			for range jobs {
				w.jobs = append(w.jobs, []stop{ask(random, "a"), load(random, random.IntN(60))})
			}
			return w
		},
		"paced source": func(random *rand.Rand) work {
			w := base()
			w.rules["resolver:a"] = limit.Rule{InFlight: 4, Every: 80 * time.Millisecond}
			for range jobs {
				w.jobs = append(w.jobs, []stop{ask(random, "a"), load(random, zipf(random, 60))})
			}
			return w
		},
		"long walks": walks(func(random *rand.Rand) []stop {
			stops := []stop{ask(random, "a"), ask(random, "b")}
			for i := 0; random.Float64() < 0.6; i++ {
				stops = append(stops, load(random, zipf(random, 60)), ask(random, fmt.Sprint("c", i)))
			}
			return stops
		}),
		"last source": func(random *rand.Rand) work {
			w := base()
			w.rules["resolver:last"] = limit.Rule{InFlight: 1, Every: 100 * time.Millisecond}
			for range jobs {
				stops := []stop{ask(random, "a")}
				if random.Float64() < 0.5 {
					stops = append(stops, load(random, zipf(random, 60)))
				} else {
					stops = append(stops, ask(random, "b"), ask(random, "c"), ask(random, "last"))
				}
				w.jobs = append(w.jobs, stops)
			}
			return w
		},
		"sources in turn": func(random *rand.Rand) work {
			w := base()
			w.rules["resolver:last"] = limit.Rule{InFlight: 1, Every: 100 * time.Millisecond}
			for range jobs {
				stops := []stop{ask(random, "a"), load(random, zipf(random, 60))}
				if random.Float64() < 0.6 {
					stops = append(stops, ask(random, "b"), load(random, zipf(random, 60)), ask(random, "last"), load(random, zipf(random, 60)))
				}
				w.jobs = append(w.jobs, stops)
			}
			return w
		},
		"retries": walks(func(random *rand.Rand) []stop {
			s := load(random, zipf(random, 60))
			for random.Float64() < 0.15 && s.fails < 2 {
				s.fails++
			}
			return []stop{ask(random, "a"), s}
		}),
		"batches": func(random *rand.Rand) work {
			w := base()
			w.rules["resolver:batch"] = limit.Rule{InFlight: 1, Every: time.Second, Batch: 50}
			for range jobs {
				w.jobs = append(w.jobs, []stop{ask(random, "batch"), load(random, zipf(random, 60))})
			}
			return w
		},
		"sorted by host": func(random *rand.Rand) work {
			w := base()
			for n := range 60 {
				for range int(float64(jobs) / 4.7 / float64(n+1)) {
					w.jobs = append(w.jobs, []stop{load(random, n)})
				}
			}
			return w
		},
	}
}

// near is how far an estimate may be from the truth, of the time that is left.
const near = 0.2

func TestLeft_isNearTheTruth(t *testing.T) {
	for name, load := range scenarios() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				took, readings := simulate(load(rand.New(rand.NewPCG(seed, 0))))
				var line strings.Builder
				for percent := 20; percent <= 80; percent += 10 {
					at := took * time.Duration(percent) / 100
					r := readings[slices.IndexFunc(readings, func(r reading) bool { return r.at >= at })]
					truth := took - r.at
					off := (r.Left - truth).Seconds() / truth.Seconds()
					fmt.Fprintf(&line, " %+.0f%%", 100*off)
					if !r.OK || math.Abs(off) > near {
						t.Errorf("seed %d: %d %% of %v on: OK is %v and %v are left, want about %v", seed, percent, took.Round(time.Second),
							r.OK, r.Left.Round(time.Second), truth.Round(time.Second))
					}
				}
				t.Logf("seed %d, %.0f s: at 20, 30 … 80 %%:%s", seed, took.Seconds(), line.String())
			}
		})
	}
}
