package main

import (
	"context"
	"fmt"
)

// job is the work of every system. As JSON it has about 200 bytes, and every
// handler gets it decoded.
type job struct {
	ID   string `json:"id" river:"unique"` // the unique id, where the system has such
	Key  string `json:"key"`
	Sent int64  `json:"sent"` // when the call that enqueued it began, in Unix nanoseconds
	Note string `json:"note"`
}

// newJobs returns n jobs with the ids from first on, spread evenly over keys.
func newJobs(first, n, keys int) []job {
	jobs := make([]job, n)
	for i := range jobs {
		jobs[i] = newJob(first+i, fmt.Sprintf("host:h%d.example", (first+i)%keys))
	}
	return jobs
}

func newJob(n int, key string) job {
	return job{
		ID:   fmt.Sprintf("doi:10.1371/journal.pone.%07d", n),
		Key:  key,
		Note: "what a harvest needs to know of a work: its title, its identifiers, its first step",
	}
}

// work says how a system is to run its jobs.
type work struct {
	handle func(job)      // called from many goroutines at once
	caps   map[string]int // handlers at once of a key; a key without an entry has no cap
}

// capped returns a handler that keeps the caps with semaphores. Inside the
// handler is the one place where a system that knows no keys can do that.
func (w work) capped() func(job) {
	slots := make(map[string]chan struct{}, len(w.caps))
	for key, n := range w.caps {
		slots[key] = make(chan struct{}, n)
	}
	return func(j job) {
		if slot, ok := slots[j.Key]; ok {
			slot <- struct{}{}
			defer func() { <-slot }()
		}
		w.handle(j)
	}
}

// system is a queue under measurement, on a store of its own.
type system interface {
	// enqueue stores jobs by one call, or one transaction. It may be called from
	// many goroutines at once, and while jobs run.
	enqueue(ctx context.Context, jobs []job) error
	// run works jobs until ctx ends, then waits for the handlers it began. It is
	// called once.
	run(ctx context.Context, w work) error
	// pending counts the jobs whose success is not stored yet.
	pending(ctx context.Context) (int, error)
	// size is how many bytes the store takes.
	size(ctx context.Context) (int64, error)
	close() error
}

// options says how to open a system.
type options struct {
	store   string // a directory, the settings of a PostgreSQL connection, or a Redis socket
	fresh   bool   // the store is empty: make the schema
	unique  bool   // refuse a job whose id is known, if the system can
	fast    bool   // the fastest documented settings in place of the default ones
	full    bool   // what is acknowledged survives a loss of power
	workers int    // handlers at once
	keyCap  int    // handlers at once of every key, if the system can; 0 for no cap
}
