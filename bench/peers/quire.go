package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/quire-dev/quire/orchestrator"
	quirepg "github.com/quire-dev/quire/postgres"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// quireStore is what all of Quire's stores are.
type quireStore interface {
	orchestrator.Store
	Close() error
}

// quire is Quire's queue on any of its stores. It is always durable, and ids are
// always unique.
type quire struct {
	o     options
	store quireStore
	bytes func(ctx context.Context) (int64, error)
}

func openQuireSQLite(ctx context.Context, o options) (system, error) {
	store, err := sqlite.Open(ctx, sqlitePath(o.store), sqlite.Options{Create: o.fresh})
	if err != nil {
		return nil, err
	}
	return &quire{o, store, func(ctx context.Context) (int64, error) { return sqliteSize(ctx, o.store) }}, nil
}

func openQuirePostgres(ctx context.Context, o options) (system, error) {
	store, err := quirepg.Open(ctx, o.store, quirepg.Options{Create: o.fresh})
	if err != nil {
		return nil, err
	}
	return &quire{o, store, func(ctx context.Context) (int64, error) { return postgresSize(ctx, o.store) }}, nil
}

func (q *quire) enqueue(ctx context.Context, jobs []job) error {
	rows := make([]queue.NewJob, len(jobs))
	for i, j := range jobs {
		payload, err := json.Marshal(j)
		if err != nil {
			return fmt.Errorf("encode job: %w", err)
		}
		rows[i] = queue.NewJob{ArtifactID: j.ID, Key: j.Key, Payload: payload}
	}
	_, err := q.store.Enqueue(ctx, rows)
	return err
}

func (q *quire) run(ctx context.Context, w work) error {
	o, err := orchestrator.New(q.store, quireHandler{w.handle}, orchestrator.Config{
		Owner:   "bench",
		Workers: q.o.workers,
		Limit: func(key string) orchestrator.Limit {
			return orchestrator.Limit{InFlight: cmp.Or(w.caps[key], q.o.keyCap)}
		},
	})
	if err != nil {
		return err
	}
	_, err = o.Run(ctx)
	return err
}

// quireHandler runs each job in one step.
type quireHandler struct{ handle func(job) }

// Step decodes and handles the jobs of one step.
func (h quireHandler) Step(_ context.Context, s queue.Step) []queue.Outcome {
	outcomes := make([]queue.Outcome, len(s.Jobs))
	for i, row := range s.Jobs {
		var j job
		if err := json.Unmarshal(row.Payload, &j); err != nil {
			outcomes[i] = queue.Outcome{Verb: queue.Finish, State: queue.Error, Class: "payload", Error: err.Error()}
			continue
		}
		h.handle(j)
		outcomes[i] = queue.Outcome{Verb: queue.Finish, State: queue.Done, Reason: "done"}
	}
	return outcomes
}

func (q *quire) pending(ctx context.Context) (int, error) {
	stats, err := q.store.Stats(ctx)
	return stats.Queued + stats.InProgress, err
}

func (q *quire) size(ctx context.Context) (int64, error) { return q.bytes(ctx) }

func (q *quire) close() error { return q.store.Close() }
