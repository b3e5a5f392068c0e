package queue

import (
	"context"
	"encoding/json"
	"time"
)

// Inspector looks at the jobs of a store.
type Inspector interface {
	// Job returns the job of an artifact, or [ErrNotFound].
	Job(ctx context.Context, artifactID string) (Job, error)
	// Jobs returns the jobs that match f in the order of their ids.
	Jobs(ctx context.Context, f Filter) ([]Job, error)
	// Attempts returns what is kept of the failed attempts of an artifact's job,
	// oldest first: at least the last 20. It is empty for a job that never failed,
	// and [ErrNotFound] if there is no job.
	Attempts(ctx context.Context, artifactID string) ([]Attempt, error)
	// Stats counts the jobs, from one snapshot. Its cost grows with the number of
	// keys, reasons and classes, not with that of jobs.
	Stats(ctx context.Context) (Stats, error)
	// Runs returns the names of runs that begin with prefix, at most limit of them,
	// in the order of their bytes. It may name runs whose jobs have all been pruned.
	Runs(ctx context.Context, prefix string, limit int) ([]string, error)
}

// Controller changes the jobs of a store from outside. Methods that take a
// [Filter] work through many jobs in transactions of bounded size, in the order
// of their ids: a crash between two of them leaves each job as it was or as it
// should be, and the count returned beside an error says how many changed.
type Controller interface {
	// Requeue makes terminal jobs that match f Queued again, ready now, at the
	// key they were enqueued with, with no attempts and no progress; what is kept
	// of their attempts stays. It returns how many. It never touches queued or
	// leased jobs.
	Requeue(ctx context.Context, f Filter) (int, error)
	// Cancel ends queued and leased jobs that match f as Skipped, with the reason
	// [ReasonCancelled]. The lease of a leased one is lost: its worker hears of it
	// at the next heartbeat, or when it settles. It returns how many.
	Cancel(ctx context.Context, f Filter) (int, error)
	// Prune deletes terminal jobs that match f with their attempts, and returns
	// how many. A pruned artifact is unknown to Enqueue; its record is kept.
	Prune(ctx context.Context, f Filter) (int, error)
	// Pause stops leases at a key, or of the whole queue if key is empty, until
	// Resume, across restarts. Leased jobs go on. Pausing the queue and a key are
	// independent: a paused key stays paused when the queue resumes.
	Pause(ctx context.Context, key string) error
	// Resume ends a Pause. What is not paused stays as it is.
	Resume(ctx context.Context, key string) error
}

// ReasonCancelled is the reason of a job that [Controller].Cancel has ended.
const ReasonCancelled = "cancelled"

// Filter selects jobs. A zero field selects all.
type Filter struct {
	ArtifactIDs []string // any of these; at most MaxFilterIDs
	Prefix      string   // of the artifact id; at most MaxArtifactID bytes
	States      []State
	Class, Key  string
	Run         string
	Older       time.Duration // last changed at least this long ago
	After       int64         // ids greater than this: the last id of the page before
	AfterSeq    int64         // if not 0: FinishSeq greater than this, in its order; -1 for all that ever finished
	Limit       int           // at most this many; 0 means no limit

	// Changed, which may be nil, is told by the methods of [Controller] now and then
	// how many jobs they have changed since they were called. It must not block.
	Changed func(sum int)
}

// Tell tells Changed, if there is one.
func (f Filter) Tell(sum int) {
	if f.Changed != nil {
		f.Changed(sum)
	}
}

// Stats counts jobs. Queued + InProgress + Done + Skipped + Error is the number
// of rows.
type Stats struct {
	Queued, InProgress, Done, Skipped, Error int

	Ready, Delayed int            // parts of Queued; jobs at paused keys count as if they were not paused
	OldestReady    time.Duration  // how long the oldest ready job has been ready, to a second or better
	Paused         bool           // the whole queue
	Keys           []KeyStats     // with queued or leased jobs, or paused; by name
	Reasons        map[string]int // of the terminal jobs
	Classes        map[string]int // of the terminal jobs that have one
}

// Total is the number of jobs.
func (s Stats) Total() int { return s.Queued + s.InProgress + s.Done + s.Skipped + s.Error }

// KeyStats counts the unfinished jobs of one key.
type KeyStats struct {
	Key                      string
	Ready, Delayed, InFlight int
	Paused                   bool // this key, whatever holds for the queue

	// HeadAge is how long the job that Lease would give next has been ready, to a
	// millisecond or better, as if nothing were paused; 0 if it would give none.
	HeadAge time.Duration
}

// KeyNotes keeps what runs learn about keys, for the runs after them.
type KeyNotes interface {
	// SaveKeyNotes replaces the notes of the keys named, in one transaction: all or
	// none. An empty Doc deletes; the last of several notes of one key counts. A key
	// need not have jobs. Invalid notes are refused with [ErrInvalid]. It wakes no
	// [Store].Watch by itself.
	SaveKeyNotes(ctx context.Context, notes ...KeyNote) error
	// KeyNotes returns all notes, in the order of the bytes of their keys.
	KeyNotes(ctx context.Context) ([]KeyNote, error)
}

// MaxKeyNote is how long the Doc of a [KeyNote] may be, in bytes.
const MaxKeyNote = 4 << 10

// KeyNote is what a run remembers of a key.
type KeyNote struct {
	Key string          // not empty, at most MaxKey bytes
	Doc json.RawMessage // valid JSON
	Age time.Duration   // since it was saved, by the store's clock; not used by SaveKeyNotes
}

// Attempt is a try that failed or broke off: it ended in a Retry, a Finish as
// Error, a settlement with a class, or not at all before its lease ran out.
type Attempt struct {
	Number  int    // the job's Attempts while it ran
	Token   int64  // of its lease
	Key     string // where it happened
	Owner   string // of its lease
	Reason  string
	Class   string
	Error   string
	Started time.Time // when it was leased
	Ended   time.Time
}
