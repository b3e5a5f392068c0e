package queue

import (
	"context"
	"time"
)

// Examiner looks at the store itself rather than at the jobs in it.
type Examiner interface {
	// Examine tells how the store is. It changes nothing and nobody has to wait for
	// it. Damage inside the store is no error but a fault that is reported; an error
	// says that the store could not be looked at.
	//
	// Looking for damage reads the whole store, as far as the store does not do it by
	// itself. With deep it also compares what is kept twice, which takes several
	// times as long. If ctx ends first, Examine returns what it knows by then, and
	// Unchecked says so.
	Examine(ctx context.Context, deep bool) (Examination, error)
}

// Examination is what [Examiner].Examine found.
type Examination struct {
	Engine string // and its version: SQLite 3.53.4, PostgreSQL 17.2
	Needs  string // the oldest engine that will do, if this one is older

	Schema int   // version of it
	Bytes  int64 // size of all that is stored
	Log    int64 // bytes of a write-ahead log beside it, if it has one of its own

	Faults    []string // what is damaged, a line each, the first few of them
	Unchecked string   // why nobody knows whether more is; empty: it was looked for

	RoundTrip time.Duration // what a question to the server takes; 0 without a server
	Ahead     time.Duration // its clock is ahead of ours by so much

	Running bool   // somebody holds the right to run jobs
	Runner  string // who; empty: not known
}
