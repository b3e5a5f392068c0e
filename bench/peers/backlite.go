package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/mikestefanello/backlite"
)

// backliteTask is a job as backlite wants it.
type backliteTask job

// Config says how the queue treats its tasks. Finished ones are deleted.
func (backliteTask) Config() backlite.QueueConfig {
	return backlite.QueueConfig{Name: "bench", MaxAttempts: 3, Backoff: 5 * time.Second, Timeout: time.Minute}
}

// backliteQueue is backlite. It wakes itself, so it has no interval to set.
type backliteQueue struct {
	o      options
	db     *sql.DB
	client *backlite.Client
	handle func(job) // set by run, before the client starts
}

func openBacklite(_ context.Context, o options) (system, error) {
	conns := 0
	if o.fast {
		conns = 1 // more only wait for each other, by sleeping
	}
	db, err := openSQLite(o, conns)
	if err != nil {
		return nil, err
	}
	b := &backliteQueue{o: o, db: db}
	b.client, err = backlite.NewClient(backlite.ClientConfig{DB: db, NumWorkers: o.workers, ReleaseAfter: 10 * time.Minute})
	if err != nil {
		return nil, fmt.Errorf("make client of backlite: %w", err)
	}
	b.client.Register(backlite.NewQueue(func(_ context.Context, t backliteTask) error {
		b.handle(job(t))
		return nil
	}))
	if o.fresh {
		if err := b.client.Install(); err != nil {
			return nil, fmt.Errorf("make schema of backlite: %w", err)
		}
	}
	return b, nil
}

func (b *backliteQueue) enqueue(ctx context.Context, jobs []job) error {
	tasks := make([]backlite.Task, len(jobs))
	for i, j := range jobs {
		tasks[i] = backliteTask(j)
	}
	if _, err := b.client.Add(tasks...).Ctx(ctx).Save(); err != nil {
		return fmt.Errorf("save tasks: %w", err)
	}
	return nil
}

func (b *backliteQueue) run(ctx context.Context, w work) error {
	b.handle = w.capped()
	starting, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	b.client.Start(starting)
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	b.client.Stop(stopping) // it may miss that its workers are free, so abort has the last word
	return nil
}

func (b *backliteQueue) pending(ctx context.Context) (int, error) {
	return count(ctx, b.db, "select count(*) from backlite_tasks")
}

func (b *backliteQueue) size(ctx context.Context) (int64, error) { return sqliteSize(ctx, b.o.store) }

func (b *backliteQueue) close() error { return b.db.Close() }
