package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

// asynqCallers is how many goroutines enqueue when many jobs are handed over:
// asynq v0.26 has no call for that.
const asynqCallers = 64

// asynqQueue is asynq on Redis. Finished tasks are deleted, as by default.
type asynqQueue struct {
	o         options
	redis     asynq.RedisClientOpt
	client    *asynq.Client
	inspector *asynq.Inspector
}

func openAsynq(_ context.Context, o options) (system, error) {
	at := asynq.RedisClientOpt{Network: "unix", Addr: o.store}
	if o.fast {
		at.PoolSize = 2 * asynqCallers // in place of 10 per CPU
	}
	return &asynqQueue{o, at, asynq.NewClient(at), asynq.NewInspector(at)}, nil
}

func (a *asynqQueue) enqueue(ctx context.Context, jobs []job) error {
	if len(jobs) == 1 {
		return a.enqueueOne(ctx, jobs[0])
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(asynqCallers)
	for _, j := range jobs {
		group.Go(func() error { return a.enqueueOne(ctx, j) })
	}
	return group.Wait()
}

func (a *asynqQueue) enqueueOne(ctx context.Context, j job) error {
	payload, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("encode job: %w", err)
	}
	var opts []asynq.Option
	if a.o.unique {
		opts = append(opts, asynq.TaskID(j.ID))
	}
	if _, err := a.client.EnqueueContext(ctx, asynq.NewTask("bench", payload), opts...); err != nil {
		return fmt.Errorf("enqueue task: %w", err)
	}
	return nil
}

func (a *asynqQueue) run(ctx context.Context, w work) error {
	cfg := asynq.Config{Concurrency: a.o.workers, LogLevel: asynq.ErrorLevel}
	if a.o.fast {
		cfg.TaskCheckInterval = time.Millisecond
	}
	handle := w.capped()
	server := asynq.NewServer(a.redis, cfg)
	err := server.Start(asynq.HandlerFunc(func(_ context.Context, t *asynq.Task) error {
		var j job
		if err := json.Unmarshal(t.Payload(), &j); err != nil {
			return err
		}
		handle(j)
		return nil
	}))
	if err != nil {
		return fmt.Errorf("start asynq: %w", err)
	}
	<-ctx.Done()
	server.Shutdown() // within 8 seconds
	return nil
}

func (a *asynqQueue) pending(context.Context) (int, error) {
	info, err := a.inspector.GetQueueInfo("default")
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return 0, nil // until the first job
	}
	if err != nil {
		return 0, fmt.Errorf("count pending jobs: %w", err)
	}
	return info.Size, nil
}

// size is the memory of Redis without that of connections and buffers.
func (a *asynqQueue) size(ctx context.Context) (int64, error) {
	client := redis.NewClient(&redis.Options{Network: a.redis.Network, Addr: a.redis.Addr})
	defer client.Close()
	info, err := client.Info(ctx, "memory").Result()
	if err != nil {
		return 0, fmt.Errorf("measure Redis: %w", err)
	}
	var bytes int64
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		sign := map[string]int64{"used_memory": 1, "mem_clients_normal": -1, "mem_aof_buffer": -1}[name]
		if sign == 0 {
			continue
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s of Redis: %w", name, err)
		}
		bytes += sign * n
	}
	return bytes, nil
}

func (a *asynqQueue) close() error { return errors.Join(a.client.Close(), a.inspector.Close()) }
