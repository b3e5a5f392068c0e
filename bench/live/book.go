package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/quire-dev/quire/internal/forecast"
)

// reading is what could be said of the rest at an instant.
type reading struct {
	at time.Duration
	forecast.Estimate
	naive time.Duration // what went by, times jobs left over jobs finished
	bound time.Duration // the least, as the key table knows it
}

// book keeps the readings of a run.
type book struct {
	zero     time.Time
	forecast *forecast.Forecast
	readings []reading
	over     time.Duration // when the last step ended
	cost     time.Duration // of all forecasts
}

func newBook() *book { return &book{zero: time.Unix(0, 0), forecast: forecast.New()} }

func (b *book) observe(s step) {
	b.over = max(b.over, s.At)
	b.forecast.Observe(forecast.Step{
		At: b.zero.Add(s.At), Job: s.Job, Key: s.Key, Next: s.Next, Finished: s.Finished, Delay: s.Delay, Attempt: s.Attempt,
	})
}

func (b *book) look(s snapshot) reading {
	began := time.Now()
	r := reading{at: s.At, Estimate: b.forecast.Left(b.zero.Add(s.At), s.Keys, s.Stats, s.Slots), bound: s.Bound}
	b.cost += time.Since(began)
	finished := s.Stats.Done + s.Stats.Skipped + s.Stats.Error
	r.naive = time.Duration(float64(s.At) * float64(s.Stats.Total()-finished) / float64(max(finished, 1)))
	b.readings = append(b.readings, r)
	return r
}

const (
	// near is how far an estimate may be from the truth, of the time left.
	near = 0.2
	// from is the part of a run after which it should be near.
	from = 0.2
	// until is the part up to which that is looked at by the time left; what is left
	// then is a few requests, of which nobody can tell how long they take.
	until = 0.95
)

// write prints a table of twenty rows and a line that sums up.
func (b *book) write(out io.Writer) error {
	if len(b.readings) == 0 {
		return errors.New("the run was over before anything could be foretold")
	}
	fmt.Fprintf(out, "%6s %8s %16s %16s %16s %16s  %s\n", "run", "left", "foretold", "unsmoothed", "naive", "bound", "binds")
	row := 0
	for _, r := range b.readings {
		part := float64(r.at) / float64(b.over)
		if part < float64(row)/20 || r.at >= b.over {
			continue
		}
		row = int(part*20) + 1
		truth := b.over - r.at
		fmt.Fprintf(out, "%4.0f %% %6.0f s", 100*part, truth.Seconds())
		for i, d := range []time.Duration{r.Left, r.Raw, r.naive, r.bound} {
			if i < 2 && !r.OK { // nothing was foretold
				fmt.Fprintf(out, " %16s", "-")
				continue
			}
			fmt.Fprintf(out, " %6.0f s %+6.0f %%", d.Seconds(), 100*off(d, truth))
		}
		fmt.Fprintf(out, "  %s %s\n", r.Binds, r.Key)
	}
	return b.sum(out)
}

// off is how far an estimate is from the truth, as a part of it.
func off(estimate, truth time.Duration) float64 { return float64(estimate-truth) / float64(truth) }

// sum says how often each estimate was near, and how far off it was at worst.
func (b *book) sum(out io.Writer) error {
	for _, kind := range []struct {
		name string
		of   func(reading) time.Duration
	}{
		{"foretold", func(r reading) time.Duration { return r.Left }},
		{"naive", func(r reading) time.Duration { return r.naive }},
		{"bound", func(r reading) time.Duration { return r.bound }},
	} {
		var all, good int
		var worst, mean, ofAll float64
		for _, r := range b.readings {
			part := float64(r.at) / float64(b.over)
			if part < from || part > until || !r.OK {
				continue
			}
			truth := b.over - r.at
			o := math.Abs(off(kind.of(r), truth))
			ofAll = max(ofAll, math.Abs(float64(kind.of(r)-truth))/float64(b.over))
			all, mean, worst = all+1, mean+o, max(worst, o)
			if o <= near {
				good++
			}
		}
		_, err := fmt.Fprintf(out, "%s: from %.0f to %.0f %% of the run %.0f %% of the estimates were within %.0f %% of the time left; off by %.0f %% of it on average and %.0f %% at worst, %.0f %% of the whole run at worst\n",
			kind.name, 100*from, 100*until, 100*float64(good)/float64(max(all, 1)), 100*near, 100*mean/float64(max(all, 1)), 100*worst, 100*ofAll)
		if err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "a forecast took %s\n\n", (b.cost / time.Duration(len(b.readings))).Round(time.Microsecond))
	return err
}
