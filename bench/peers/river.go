package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
)

// riverUnfinished selects the jobs of River that are not done. It names states
// so that the index on them serves it.
const riverUnfinished = `select count(*) from river_job
	where state in ('available', 'pending', 'retryable', 'running', 'scheduled')`

// riverArgs is a job as River wants it.
type riverArgs job

// Kind names the sort of job.
func (riverArgs) Kind() string { return "bench" }

// riverWorker handles jobs.
type riverWorker struct {
	river.WorkerDefaults[riverArgs]
	handle func(job)
}

// Work handles one job.
func (w *riverWorker) Work(_ context.Context, j *river.Job[riverArgs]) error {
	w.handle(job(j.Args))
	return nil
}

// riverQueue is River on any of its drivers. Finished jobs stay, as River keeps
// them for 24 hours.
type riverQueue[T any] struct {
	o      options
	driver riverdriver.Driver[T]
	client *river.Client[T] // inserts
}

// openRiver makes the schema and the inserting half.
func openRiver[T any](ctx context.Context, driver riverdriver.Driver[T], o options) (*riverQueue[T], error) {
	if o.fresh {
		migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return nil, fmt.Errorf("make migrator of River: %w", err)
		}
		if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return nil, fmt.Errorf("make schema of River: %w", err)
		}
	}
	client, err := river.NewClient(driver, &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("make client of River: %w", err)
	}
	return &riverQueue[T]{o, driver, client}, nil
}

func (r *riverQueue[T]) enqueue(ctx context.Context, jobs []job) error {
	opts := &river.InsertOpts{}
	if r.o.unique {
		opts.UniqueOpts = river.UniqueOpts{ByArgs: true}
	}
	if len(jobs) == 1 {
		if _, err := r.client.Insert(ctx, riverArgs(jobs[0]), opts); err != nil {
			return fmt.Errorf("insert job: %w", err)
		}
		return nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		params[i] = river.InsertManyParams{Args: riverArgs(j), InsertOpts: opts}
	}
	var err error
	if r.o.unique {
		_, err = r.client.InsertMany(ctx, params)
	} else {
		_, err = r.client.InsertManyFast(ctx, params) // by COPY; it can't meet a known id
	}
	if err != nil {
		return fmt.Errorf("insert jobs: %w", err)
	}
	return nil
}

func (r *riverQueue[T]) run(ctx context.Context, w work) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, &riverWorker{handle: w.capped()})
	cfg := &river.Config{
		Logger:  slog.New(slog.DiscardHandler),
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: r.o.workers}},
		Workers: workers,
	}
	if r.o.fast {
		cfg.FetchCooldown, cfg.FetchPollInterval = time.Millisecond, 2*time.Millisecond
	}
	client, err := river.NewClient(r.driver, cfg)
	if err != nil {
		return fmt.Errorf("make client of River: %w", err)
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start River: %w", err)
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if err := client.Stop(stopping); err != nil {
		return fmt.Errorf("stop River: %w", err)
	}
	return nil
}
