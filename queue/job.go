package queue

import (
	"encoding/json"
	"time"
)

// State is where a job stands.
type State string

// The states of a job. Done, Skipped and Error are terminal.
const (
	Queued     State = "queued"      // waits for a lease, now or after AvailableAt
	InProgress State = "in_progress" // leased
	Done       State = "done"        // finished with a result
	Skipped    State = "skipped"     // finished: there was nothing to get, or a policy forbids it
	Error      State = "error"       // finished without a result; a requeue may bring it back
)

// States lists all states in the order of a job's life.
func States() []State { return []State{Queued, InProgress, Done, Skipped, Error} }

// Terminal reports whether a job in this state is finished.
func (s State) Terminal() bool { return s == Done || s == Skipped || s == Error }

// NewJob asks for one artifact. ArtifactID is the idempotence key: the store
// keeps at most one job for it, for ever.
type NewJob struct {
	ArtifactID string          // not empty, at most 1 KiB
	Key        string          // where the first step happens; not empty
	Run        string          // names the batch it came with; may be empty
	Priority   int             // higher is sooner, within a key
	Delay      time.Duration   // not before this long from now
	Payload    json.RawMessage // what the handler needs; the queue only keeps it
}

// Enqueued counts what [Store.Enqueue] did with its jobs.
type Enqueued struct {
	Added int // new rows
	Known int // ArtifactIDs that had a job already, left as it was
}

// Job is one row of the queue.
type Job struct {
	ID         int64
	ArtifactID string
	Key        string // of the next step, or of the last one when terminal
	Run        string
	State      State
	Priority   int

	// Rank orders the jobs of one key and priority, so that runs share a key
	// fairly however many jobs each has there. It is given when the job arrives at
	// the key (enqueued, requeued, or advanced to it) and kept as long as it stays.
	// By start-time fair queueing (Goyal, Vin, Cheng: SIGCOMM 1996) it is the
	// greater of two numbers: one more than the rank that the job's run got last
	// at this key, 0 if it got none yet; and the rank of what is being served,
	// which is the greatest that was ever leased at this key, but neither more than
	// that of the first ready job of this key and priority, if one is ready, nor more
	// than one less than that. So a run that comes to a backlog is served next.
	Rank int64

	// Attempts counts the tries that failed or broke off, and the one under way.
	// It grows when the job is leased and is given back by a step that advances
	// or hands the job back, so a worker that dies costs its job one attempt.
	Attempts int

	Payload  json.RawMessage // as enqueued
	Progress json.RawMessage // as the last step left it
	Result   json.RawMessage // as the last final outcome left it

	Reason    string // why it is in its state, a short stable word
	Class     string // failure class of the last failure; empty if none
	LastError string

	AvailableAt    time.Time // of a queued job: not leased before
	Owner          string    // of a leased job
	LeaseExpiresAt time.Time // of a leased job
	CreatedAt      time.Time
	UpdatedAt      time.Time // of a terminal job: when it finished; with FinishSeq it tells its outcome from any other

	// FinishSeq orders final outcomes: each gets a number greater than all before
	// it in this store. It is 0 until the job first finishes.
	FinishSeq int64
}

// Lease is the right to run a job for a while. Token grows with every lease of
// the job and fences writes: those with a stale token get [ErrLeaseLost].
type Lease struct {
	Job   Job
	Token int64
}

// Want asks for up to N ready jobs at Key.
type Want struct {
	Key string
	N   int
}

// KeyBacklog counts the queued rows of one key.
type KeyBacklog struct {
	Key     string
	Ready   int  // 0 if the key or the queue is paused
	Delayed int  // AvailableAt is in the future
	Paused  bool // the key or the whole queue
}
