// Package bench measures a queue: what its store and the orchestrator do a
// second, and how long things take, beside a bare loop of SQL on the same
// machine in the same minute. Figures of two machines, or of a machine that was
// busy with something else meanwhile, compare by their ratios to that loop.
package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/quire-dev/quire/queue"
)

// Config says what to measure. All numbers must be above 0.
type Config struct {
	Store   string // sqlite:PATH or postgres://…, where no queue may be yet
	Jobs    int    // of each measurement of a rate
	Keys    int    // that they are spread over
	Workers int
	Depth   int               // of the longest queue that is leased from
	Begin   func(name string) // told of each measurement before it begins
}

// Report is what was measured.
type Report struct {
	Store      string   `json:"store"` // the kind
	Durability string   `json:"durability"`
	CPUs       int      `json:"cpus"`
	Jobs       int      `json:"jobs"`
	Keys       int      `json:"keys"`
	Workers    int      `json:"workers"`
	Depth      int      `json:"depth"`
	Figures    []Figure `json:"figures"`
}

// Figure is one of the results.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	About string  `json:"about"`
}

// ErrTaken says that there is something in the store's place already.
var ErrTaken = errors.New("the bench wants a place of its own, and leaves nothing there")

// store is what is measured.
type store interface {
	queue.Store
	queue.Inspector
	queue.KeyNotes
	Close() error
}

// place is where stores are made, one after the other.
type place interface {
	check(ctx context.Context) error                 // ErrTaken if it is not free
	durability(ctx context.Context) (string, error)  // the settings that decide what a loss of power takes
	open(ctx context.Context) (store, error)         // an empty store
	size(ctx context.Context) (int64, error)         // bytes of the store, which is closed
	clear(ctx context.Context) error                 // removes the store, which is closed
	reference(ctx context.Context) (bareLoop, error) // an empty table for the bare loop
	close() error
}

// bench is a measurement under way.
type bench struct {
	Config
	place place
	rep   Report
}

// Run measures everything, one thing after the other, and removes what it made.
func Run(ctx context.Context, cfg Config) (rep Report, err error) {
	at, kind, err := openPlace(ctx, cfg.Store)
	if err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	if err := at.check(ctx); err != nil {
		return rep, err
	}
	b := &bench{Config: cfg, place: at}
	b.rep = Report{
		Store: kind, CPUs: runtime.NumCPU(), Jobs: cfg.Jobs, Keys: cfg.Keys, Workers: cfg.Workers, Depth: cfg.Depth, Figures: []Figure{},
	}
	if b.rep.Durability, err = at.durability(ctx); err != nil {
		return rep, err
	}
	for _, m := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"bare loop", b.bareLoop},
		{"drain", b.drains},
		{"enqueue", b.enqueues},
		{"latency", b.fresh(b.latency)},
		{"blocked key", b.fresh(b.blocked)},
		{"mixed", b.fresh(b.mixed)},
		{"lease", b.fresh(b.leases)},
		{"size", b.size},
	} {
		b.Begin(m.name)
		err := m.do(ctx)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return b.rep, fmt.Errorf("measure %s: %w", m.name, err)
		}
	}
	b.ratio()
	return b.rep, nil
}

// fresh makes a measurement that gets an empty store.
func (b *bench) fresh(do func(context.Context, store) error) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		defer func() { err = errors.Join(err, b.place.clear(context.WithoutCancel(ctx))) }()
		s, err := b.place.open(ctx)
		if err != nil {
			return err
		}
		return errors.Join(do(ctx, s), s.Close())
	}
}

func (b *bench) add(name string, value float64, unit, about string) {
	b.rep.Figures = append(b.rep.Figures, Figure{name, value, unit, about})
}

// ratio compares the two drains: what keys, fences and fair shares cost.
func (b *bench) ratio() {
	var drain, bare float64
	for _, f := range b.rep.Figures {
		switch f.Name {
		case "drain_keyed":
			drain = f.Value
		case "bare_loop":
			bare = f.Value
		}
	}
	if bare > 0 {
		b.add("drain_keyed_ratio", drain/bare, "", "drain_keyed over bare_loop")
	}
}
