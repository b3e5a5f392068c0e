package forecast_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/forecast"
	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

// began is when the runs of these tests do.
var began = time.Unix(1_700_000_000, 0)

// after is a forecast that has seen n jobs go from a source over a host, one a
// second at each, and that instant.
func after(n int) (*forecast.Forecast, time.Time) {
	f, at := forecast.New(), began
	for i := range n {
		at = at.Add(time.Second)
		f.Observe(forecast.Step{At: at, Job: int64(i), Key: "resolver:a", Next: "host:a", Attempt: 1})
		f.Observe(forecast.Step{At: at, Job: int64(i), Key: "host:a", Finished: true, Attempt: 1})
	}
	return f, at
}

// key is one where a request takes a second and one may be under way.
func key(name string) schedule.KeyState {
	return schedule.KeyState{Key: name, Cap: 1, Widest: 1, Batch: 1, Service: time.Second}
}

func stats(keys ...queue.KeyStats) queue.Stats {
	s := queue.Stats{Keys: keys}
	for _, k := range keys {
		s.Queued += k.Ready + k.Delayed
		s.InProgress += k.InFlight
	}
	return s
}

// between fails the test unless an estimate is within bounds.
func between(t *testing.T, e forecast.Estimate, least, most time.Duration) {
	t.Helper()
	if !e.OK || e.Left < least || e.Left > most {
		t.Errorf("Left = %+v, want from %v to %v", e, least, most)
	}
}

func TestLeft_saysNothingTooEarly(t *testing.T) {
	for _, tt := range []struct {
		name           string
		finished, open int
		want           bool
	}{
		{"nothing has happened", 0, 100, false},
		{"two of four", 2, 2, false},
		{"three of a hundred", 3, 97, true},
		{"three of a thousand", 3, 997, false},
		{"twenty of a thousand", 20, 980, true},
		{"a hundred of a million", 100, 999_900, true},
		{"nothing is left", 0, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, at := after(tt.finished)
			e := f.Left(at, []schedule.KeyState{key("host:a")}, stats(queue.KeyStats{Key: "host:a", Ready: tt.open}), 8)
			if e.OK != tt.want {
				t.Errorf("OK = %v, want %v", e.OK, tt.want)
			}
		})
	}
}

func TestLeft_followsJobsToTheirEnd(t *testing.T) {
	f, at := after(100)
	keys := []schedule.KeyState{key("resolver:a"), key("host:a")}
	keys[0].Cap, keys[0].Widest = 8, 8
	// The table's bound for the host, which has no row yet, is nothing.
	e := f.Left(at, keys, stats(queue.KeyStats{Key: "resolver:a", Ready: 100}), 8)
	between(t, e, 90*time.Second, 120*time.Second)
	if e.Binds != forecast.Key || e.Key != "host:a" {
		t.Errorf("%s %s binds, want host:a", e.Binds, e.Key)
	}
}

func TestLeft_waitsForAGate(t *testing.T) {
	f, at := after(100)
	shut := key("host:a")
	shut.Gate, shut.Reason = 10*time.Minute, "throttled"
	between(t, f.Left(at, []schedule.KeyState{shut}, stats(queue.KeyStats{Key: "host:a", Ready: 5}), 8), 10*time.Minute, 11*time.Minute)
}

func TestLeft_leavesOutWhatIsPaused(t *testing.T) {
	f, at := after(100)
	keys := []schedule.KeyState{key("host:a"), key("host:b"), key("resolver:a")}
	e := f.Left(at, keys, stats(
		queue.KeyStats{Key: "host:a", Ready: 3000, Delayed: 5, Paused: true},
		queue.KeyStats{Key: "host:b", Ready: 20},
		queue.KeyStats{Key: "resolver:a", Ready: 10}, // its jobs go to host:a and stay there
	), 8)
	between(t, e, 15*time.Second, 30*time.Second)
	if e.Paused != 3005 {
		t.Errorf("Paused = %d, want 3005", e.Paused)
	}

	whole := stats(queue.KeyStats{Key: "host:a", Ready: 30})
	whole.Paused = true
	if e := f.Left(at, keys, whole, 8); e.Raw != 0 || e.Paused != 30 {
		t.Errorf("with the queue paused Left = %+v, want nothing left and 30 paused", e)
	}
}

func TestLeft_waitsForRowsToBeTriedAgain(t *testing.T) {
	f, at := after(100)
	for i := range int64(2) {
		f.Observe(forecast.Step{At: at, Job: 1000 + i, Key: "host:a", Next: "host:a", Delay: 4 * time.Minute, Attempt: 2})
	}
	e := f.Left(at, []schedule.KeyState{key("host:a")}, stats(queue.KeyStats{Key: "host:a", Delayed: 2}), 8)
	between(t, e, 3*time.Minute, 5*time.Minute)
	if e.Binds != forecast.Waits {
		t.Errorf("%s binds, want waits", e.Binds)
	}
}

// Rows that an earlier run made to wait are not known by when they are due.
func TestLeft_isToldOfWaitsByTheStoreAlone(t *testing.T) {
	f, at := after(100)
	between(t, f.Left(at, []schedule.KeyState{key("host:a")}, stats(queue.KeyStats{Key: "host:a", Delayed: 20}), 8), 10*time.Second, time.Minute)
}

func TestLeft_growsWithTheQueue(t *testing.T) {
	f, at := after(100)
	keys := []schedule.KeyState{key("host:a")}
	between(t, f.Left(at, keys, stats(queue.KeyStats{Key: "host:a", Ready: 100}), 8), 90*time.Second, 110*time.Second)
	for range 60 {
		at = at.Add(time.Second)
		between(t, f.Left(at, keys, stats(queue.KeyStats{Key: "host:a", Ready: 10_000}), 8), 90*time.Second, 11_000*time.Second)
	}
	between(t, f.Left(at, keys, stats(queue.KeyStats{Key: "host:a", Ready: 10_000}), 8), 9_500*time.Second, 10_500*time.Second)
}

func TestLeft_passesByAKeyThatIsGivenUp(t *testing.T) {
	f, at := after(100)
	down := key("host:a")
	down.Breaker = "down"
	between(t, f.Left(at, []schedule.KeyState{down}, stats(queue.KeyStats{Key: "host:a", Ready: 5000}), 8), 0, time.Second)
}

// What is shown may not jump: it is looked at.
func TestLeft_isSmooth(t *testing.T) {
	for name, load := range scenarios() {
		t.Run(name, func(t *testing.T) {
			took, readings := simulate(load(rand.New(rand.NewPCG(1, 0))))
			for i := 1; i < len(readings); i++ {
				before, now := readings[i-1], readings[i]
				if now.at < took/10 || now.at > took*9/10 {
					continue
				}
				jump := (now.at + now.Left) - (before.at + before.Left)
				if most := max(now.Left/10, 3*time.Second); jump.Abs() > most {
					t.Errorf("at %v of %v the end jumped by %v, want at most %v", now.at, took, jump, most)
				}
			}
		})
	}
}

func TestForecast_isUsedByMany(t *testing.T) {
	f, at := after(10)
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for i := range 1000 {
				f.Observe(forecast.Step{At: at, Job: int64(1000*n + i), Key: "resolver:a", Next: fmt.Sprintf("host:%d-%d", n, i%50), Attempt: 1})
			}
		})
	}
	all.Go(func() {
		for i := range 20 {
			f.Left(at.Add(time.Duration(i)*time.Second), []schedule.KeyState{key("host:a"), key("host:1-1")}, stats(queue.KeyStats{Key: "host:a", Ready: 5}), 8)
		}
	})
	all.Wait()
}

// Keys and ways beyond those that are kept count to their class.
func TestObserve_keepsSoManyKeys(t *testing.T) {
	f, at := forecast.New(), began
	for i := range 70_000 {
		name := fmt.Sprintf("host:%d", i)
		f.Observe(forecast.Step{At: at, Job: int64(i), Key: "resolver:a", Next: name, Attempt: 1})
		f.Observe(forecast.Step{At: at, Job: int64(i), Key: name, Finished: true, Attempt: 1})
	}
	keys := []schedule.KeyState{key("resolver:a"), key("host:69999")}
	keys[0].PerSecond = 10
	keys[0].Cap, keys[0].Widest = 8, 8
	e := f.Left(at, keys, stats(queue.KeyStats{Key: "resolver:a", Ready: 1000}, queue.KeyStats{Key: "host:69999", Ready: 3000}, queue.KeyStats{Key: "host:69998", Ready: 3000}), 32)
	between(t, e, 150*time.Second, 300*time.Second) // 8000 requests of a second in 32 slots
	if f.Known() > 1<<16 {
		t.Errorf("%d keys are kept, want at most %d", f.Known(), 1<<16)
	}
}

// Of more jobs than are followed one by one some are, and stand for all.
func TestObserve_followsSoManyJobs(t *testing.T) {
	f, at := after(1000)
	const hosts, each = 100, 2000
	keys, queued := []schedule.KeyState{key("resolver:a")}, []queue.KeyStats{}
	for i := range hosts {
		keys = append(keys, key(host(i)))
		queued = append(queued, queue.KeyStats{Key: host(i), Ready: each})
	}
	for i := range int64(hosts * each) {
		f.Observe(forecast.Step{At: at, Job: 1000 + i, Key: "resolver:a", Next: host(int(i % hosts)), Attempt: 1})
	}
	between(t, f.Left(at, keys, stats(queued...), 1000), each*time.Second*9/10, each*time.Second*11/10)
	if n := f.Followed(); n > 1<<16 || n < 1<<15 {
		t.Errorf("%d jobs are followed, want at most %d and not much less", n, 1<<16)
	}
}

// Two hosts that sent one job to each other are no circle that none ever leaves.
func TestLeft_believesNoCircleOfOneJob(t *testing.T) {
	f, at := after(200)
	way := []string{"resolver:b", "host:y", "host:z", "host:y"}
	for i, next := range way[1:] {
		f.Observe(forecast.Step{At: at, Job: 1000, Key: way[i], Next: next, Attempt: 1})
	}
	e := f.Left(at, []schedule.KeyState{key("host:y"), key("host:z")}, stats(queue.KeyStats{Key: "host:y", Ready: 1}), 8)
	between(t, e, 0, 10*time.Second)
}

// Jobs that are cancelled tell nothing: they are not followed for ever.
func TestLeft_letsGoOfJobsThatAreNoMore(t *testing.T) {
	f, at := forecast.New(), time.Now()
	for job := range int64(10_000) {
		f.Observe(forecast.Step{At: at, Job: job, Key: "resolver:a", Next: "host:b", Attempt: 1})
	}
	f.Left(at, nil, queue.Stats{Queued: 8000}, 32)
	if n := f.Followed(); n != 10_000 {
		t.Errorf("%d of 10000 jobs are followed while most are there", n)
	}
	f.Left(at, nil, queue.Stats{Queued: 10}, 32)
	if n := f.Followed(); n != 0 {
		t.Errorf("%d jobs are followed, and there are 10", n)
	}
}
