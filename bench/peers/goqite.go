package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"maragu.dev/goqite"
	"maragu.dev/goqite/jobs"
)

// goqiteSchema is schema_sqlite.sql of goqite v0.4.0, which does not export it.
const goqiteSchema = `
create table goqite (
  id text primary key default ('m_' || lower(hex(randomblob(16)))),
  created text not null default (strftime('%Y-%m-%dT%H:%M:%fZ')),
  updated text not null default (strftime('%Y-%m-%dT%H:%M:%fZ')),
  queue text not null,
  body blob not null,
  timeout text not null default (strftime('%Y-%m-%dT%H:%M:%fZ')),
  received integer not null default 0,
  priority integer not null default 0
) strict;

create trigger goqite_updated_timestamp after update on goqite begin
  update goqite set updated = strftime('%Y-%m-%dT%H:%M:%fZ') where id = old.id;
end;

create index goqite_queue_priority_created_idx on goqite (queue, priority desc, created);`

// goqiteQueue is goqite with its job runner.
type goqiteQueue struct {
	o     options
	db    *sql.DB
	queue *goqite.Queue
}

func openGoqite(ctx context.Context, o options) (system, error) {
	db, err := openSQLite(o, 1)
	if err != nil {
		return nil, err
	}
	if o.fresh {
		if _, err := db.ExecContext(ctx, goqiteSchema); err != nil {
			return nil, fmt.Errorf("make schema of goqite: %w", err)
		}
	}
	return &goqiteQueue{o, db, goqite.New(goqite.NewOpts{DB: db, Name: "bench"})}, nil
}

func (g *goqiteQueue) enqueue(ctx context.Context, batch []job) error {
	tx, err := g.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after the commit
	for _, j := range batch {
		body, err := json.Marshal(j)
		if err != nil {
			return fmt.Errorf("encode job: %w", err)
		}
		if _, err := jobs.CreateTx(ctx, tx, g.queue, "bench", goqite.Message{Body: body}); err != nil {
			return fmt.Errorf("send message: %w", err)
		}
	}
	return tx.Commit()
}

func (g *goqiteQueue) run(ctx context.Context, w work) error {
	opts := jobs.NewRunnerOpts{Limit: g.o.workers, Queue: g.queue}
	if g.o.fast {
		opts.PollInterval = time.Millisecond
	}
	runner := jobs.NewRunner(opts)
	handle := w.capped()
	runner.Register("bench", func(_ context.Context, body []byte) error {
		var j job
		if err := json.Unmarshal(body, &j); err != nil {
			return err
		}
		handle(j)
		return nil
	})
	runner.Start(ctx)
	return nil
}

func (g *goqiteQueue) pending(ctx context.Context) (int, error) {
	return count(ctx, g.db, "select count(*) from goqite")
}

func (g *goqiteQueue) size(ctx context.Context) (int64, error) { return sqliteSize(ctx, g.o.store) }

func (g *goqiteQueue) close() error { return g.db.Close() }
