package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"time"
)

// result is what one run of one design came to. Times are as measured, scaled.
type result struct {
	Workload string
	Design   string
	Seed     uint64

	Jobs     int // whose file can be had
	Done     int // files served
	Requests int
	Refused  int // answered with 429
	Dead     int // requests at a host that never answers, or resets every connection
	Repeated int // requests that gave a job what it had before

	Makespan time.Duration // of all jobs whose file can be had
	Last     string        // station of the last request
	Least    time.Duration // that it could be
	BoundBy  string
	Ratio    float64
	Healthy  float64 // the same ratio for the jobs that need no faulty host

	Hot     string
	HotUse  float64       // share of the hottest key's allowance that was used while a job waited for it
	Turn50  time.Duration // for which a place at the hottest key stayed empty between two requests
	Turn99  time.Duration
	Idle    float64 // share of the workers' time lost while a job waited for a station with room
	Cap     breach
	Gap     breach
	Gate    breach
	Cold99  time.Duration // p99 of the wait at hosts that few need
	Trickle struct {
		N, Late  int // Late: not served when the run was ended
		P50, P99 time.Duration
		Times    float64 // P99 ÷ the P50 of the trickle alone, G0, in the same rig
	}

	Wall  time.Duration // of the client's process
	CPU   time.Duration // per job
	Peak  int64         // bytes
	Kills int
	Cut   bool // ended by the rig's patience
}

func all(job) bool { return true }

// measure makes one run and reads the result from what the servers saw.
func measure(ctx context.Context, c config, w *world, d design, progress io.Writer) (r result, err error) {
	dir, err := os.MkdirTemp(c.store, "rig-")
	if err != nil {
		return r, fmt.Errorf("make data directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	web, err := startWeb(ctx, w.spec)
	if err != nil {
		return r, err
	}
	stopped := false
	defer func() {
		if !stopped {
			err = errors.Join(err, web.stop())
		}
	}()
	t := &trial{
		place: place{w, dir, web.port}, web: web, binary: c.binary, kills: c.kills, patience: c.patience, progress: progress,
	}
	if err := d.run(t, ctx); err != nil {
		return r, fmt.Errorf("%s on %s: %w", d.name, w.name, err)
	}
	truth, err := web.truth(w)
	if err != nil {
		return r, err
	}
	stopped = true
	if err := web.stop(); err != nil {
		return r, fmt.Errorf("server: %w", err)
	}
	r = truth.result(t)
	r.Design = d.name
	return r, nil
}

// result computes everything that is printed.
func (t *truth) result(tr *trial) result {
	r := result{
		Workload: t.name, Seed: t.Seed, Jobs: len(t.obtain()), Done: t.done(), Requests: len(t.log),
		Wall: tr.took.Wall, Peak: tr.took.Peak, Kills: tr.took.Kills, Cut: tr.cut,
		CPU: tr.took.CPU / time.Duration(max(1, len(t.Jobs))),
	}
	if len(t.log) == 0 {
		return r
	}
	type place struct{ job, station int }
	seen := map[place]bool{}
	for _, q := range t.log {
		at := place{q.Job, q.Station}
		switch {
		case q.Status == http.StatusTooManyRequests:
			r.Refused++
		case t.Stations[q.Station].fault.dead():
			r.Dead++
		case q.useful() && seen[at]:
			r.Repeated++
		case q.useful():
			seen[at] = true
		}
	}
	for at := range t.Stations {
		r.Cap = r.Cap.plus(t.overCap(at))
		r.Gap = r.Gap.plus(t.tooSoon(at))
		r.Gate = r.Gate.plus(t.whileGated(at))
	}
	if !t.trickle && !t.mixed && t.rate == 0 {
		b := t.bound(t.obtainable)
		took, last := t.makespan(t.obtainable)
		well, _ := t.makespan(t.healthy)
		r.Makespan, r.Last, r.Least, r.BoundBy = took, t.Stations[last].Name, b.Least, b.By
		r.Ratio = float64(took) / float64(b.Least)
		r.Healthy = float64(well) / float64(t.bound(t.healthy).Least)
	}
	hot := t.hottest()
	r.Hot, r.HotUse, r.Idle = t.Stations[hot].Name, finite(t.use(hot)), finite(t.idle())
	if t.rate > 0 {
		r.HotUse = float64(r.Done) / (t.rate * refuseFor.Seconds())
	}
	turns := t.turns(hot)
	r.Turn50, r.Turn99 = percentile(turns, 50), percentile(turns, 99)
	r.Cold99 = percentile(t.coldWaits(), 99)
	t.sojourns(&r, tr.enqueued)
	return r
}

// sojourns fills in how long jobs of the trickle were on their way, from being
// queued to the end of their file. Those not served count as longest.
func (t *truth) sojourns(r *result, enqueued map[int]int64) {
	var took []time.Duration
	for _, path := range t.needed(func(j job) bool { return j.Run == trickle }) {
		r.Trickle.N++
		took = append(took, time.Duration(1<<62))
		if k := len(path) - 1; k >= 0 && path[k].Status == http.StatusOK && !t.Stations[path[k].Station].Resolver {
			took[len(took)-1] = time.Duration(path[k].End - enqueued[path[k].Job])
		} else {
			r.Trickle.Late++
		}
	}
	r.Trickle.P50, r.Trickle.P99 = percentile(took, 50), percentile(took, 99)
}

// finite makes a share of nothing 1: JSON has no word for it.
func finite(f float64) float64 {
	if math.IsNaN(f) {
		return 1
	}
	return f
}

// compare sets the trickles of G beside the one of G0 with the same design and
// seed, if that was run.
func compare(results []result) {
	for i := range results {
		r := &results[i]
		for _, alone := range results {
			if alone.Workload == "G0" && alone.Design == r.Design && alone.Seed == r.Seed && alone.Trickle.P50 > 0 {
				r.Trickle.Times = float64(r.Trickle.P99) / float64(alone.Trickle.P50)
			}
		}
	}
}
