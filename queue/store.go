package queue

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

var (
	// ErrLeaseLost says that a lease ran out or ended: the job is somebody else's
	// now, or finished. The caller must drop its work without a trace.
	ErrLeaseLost = errors.New("lease lost")
	// ErrNotFound says that no job has the id asked for.
	ErrNotFound = errors.New("no such job")
	// ErrDamaged says that the store's file is not a database of ours or is broken.
	ErrDamaged = errors.New("not a usable quire database")
	// ErrLocked says that another process has kept the store from being used.
	ErrLocked = errors.New("locked by another process")
	// ErrNewer says that a newer version of the program wrote the store.
	ErrNewer = errors.New("database is newer than this program")
	// ErrOlder says that an older version of the program wrote the store, and that it
	// was opened for reading only: whatever writes brings it up to date.
	ErrOlder = errors.New("database is older than this program")
	// ErrInvalid says that the caller's own argument is at fault.
	ErrInvalid = errors.New("invalid")
)

// Limits on what a store accepts, in bytes.
const (
	MaxArtifactID = 1 << 10
	MaxKey        = 512
	MaxPayload    = 1 << 20
)

// MaxFilterIDs is how many artifact ids a [Filter] may name.
const MaxFilterIDs = 10_000

// Store keeps jobs. All methods are safe for concurrent use, by goroutines and
// by processes. A method that writes returns only when what it wrote survives
// a loss of power, except that Lease and Heartbeat may return a moment before, if
// who holds the leases would not survive it either. The store owns the clock:
// callers pass durations.
type Store interface {
	// Enqueue adds the jobs whose ArtifactID is new and leaves the known ones
	// alone, in one transaction: all or none. Invalid jobs are refused with
	// [ErrInvalid].
	Enqueue(ctx context.Context, jobs []NewJob) (Enqueued, error)

	// Lease takes ready jobs for each want and counts one attempt for each: those
	// of the highest priority first, among them by [Job.Rank], then by id. Paused
	// keys give none. A result may be shorter than asked for; its order is not
	// promised. The leases last ttl unless extended. The cost grows with the rows
	// that are returned, not with those that wait. owner is at most MaxKey bytes.
	Lease(ctx context.Context, owner string, wants []Want, ttl time.Duration) ([]Lease, error)

	// Heartbeat makes the leases last ttl from now and returns those that are lost.
	Heartbeat(ctx context.Context, ttl time.Duration, leases ...Lease) (lost []Lease, err error)

	// Settle records what became of leased jobs. errs has one entry per
	// settlement: nil, or [ErrLeaseLost] for a stale token, and one bad settlement
	// does not hurt its neighbours. err is for the store itself: then nothing is
	// known to be written, and settling again is safe. What failed is kept as an
	// [Attempt]. Final outcomes of one call are numbered in its order.
	Settle(ctx context.Context, settlements ...Settlement) (errs []error, err error)

	// Reap returns jobs whose lease ran out to the queue. Those that have used up
	// maxAttempts end as Error with class [ClassCrashed]. Each is kept as an
	// [Attempt].
	Reap(ctx context.Context, maxAttempts int) (Reaped, error)

	// Backlog counts the queued rows of each key that has any, at one moment.
	// until is how long it is to the next delayed row becoming ready, or
	// negative if there is none. Its cost grows with the number of keys only.
	Backlog(ctx context.Context) (keys []KeyBacklog, until time.Duration, err error)

	// Watch calls wake soon after somebody else, in any process, has made jobs
	// ready, paused or resumed keys, or cancelled leased jobs, until ctx ends.
	// arrived names the keys at which rows became ready, and how many, if that is
	// all that happened and is known; nil means that anything may have changed.
	// It may also tell of what happened just before it began. wake must not block,
	// and may be called from several goroutines.
	Watch(ctx context.Context, wake func(arrived []KeyBacklog)) error
}

// Reaped counts what [Store.Reap] did.
type Reaped struct {
	Returned int // back in the queue
	Ended    int // out of attempts
}

// Verb says what becomes of a leased job.
type Verb string

// The verbs of a [Settlement].
const (
	Finish  Verb = "finish"  // terminal: State says which
	Retry   Verb = "retry"   // back in the queue; the attempt stays counted
	Advance Verb = "advance" // on to the next step, at Key; the attempt is given back
	Release Verb = "release" // handed back untried; the attempt is given back
)

// Settlement ends a lease.
type Settlement struct {
	Lease Lease
	Verb  Verb
	State State // of Finish

	Key   string        // of the next step; empty keeps the job's
	Delay time.Duration // not ready before this long from now; of Retry, Advance, Release

	Reason, Class, Error string
	Progress             json.RawMessage // nil keeps what is there, except that Finish clears it
	Result               json.RawMessage // of Finish

	// Record is stored under the job's ArtifactID in the same transaction: what
	// the handler wants remembered of the artifact. nil changes nothing.
	Record json.RawMessage
}
