// Package report shows jobs and records to people and programs: the JSON shape
// of a job, the manifest of finished artifacts, and the story of one work.
package report

import (
	"encoding/json"
	"time"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Job is the JSON shape of a job. Unknown is null.
type Job struct {
	ID          int64       `json:"id"`
	ArtifactID  string      `json:"artifact_id"`
	State       queue.State `json:"state"`
	Reason      *string     `json:"reason"`
	Class       *string     `json:"class"`
	Attempts    int         `json:"attempts"`
	Priority    int         `json:"priority"`
	Run         *string     `json:"run"`
	Key         *string     `json:"key"`          // of the next step; null when finished
	AvailableAt *Time       `json:"available_at"` // of a queued job
	Resolver    *string     `json:"resolver"`
	URL         *string     `json:"url"`
	Path        *string     `json:"path"`
	SHA256      *string     `json:"sha256"`
	Bytes       *int64      `json:"bytes"`
	MediaType   *string     `json:"media_type"`
	Verdict     *string     `json:"verdict"`
	License     *string     `json:"license"`
	Version     *string     `json:"version"`
	CreatedAt   Time        `json:"created_at"`
	UpdatedAt   Time        `json:"updated_at"`
	LastError   *string     `json:"last_error"`
	RecheckAt   *Time       `json:"recheck_at"`     // when it is worth looking for its file again
	Pages       *int        `json:"pages"`          // of a PDF
	Identity    *string     `json:"identity"`       // confirmed or contradicted by what the file says of itself
	Flaw        *string     `json:"verdict_reason"` // why the verdict is not ok
}

// Time is an instant as RFC 3339 in UTC with milliseconds.
type Time time.Time

// MarshalJSON writes the instant.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Time) UnmarshalJSON(doc []byte) error { return (*time.Time)(t).UnmarshalJSON(doc) }

func (t Time) String() string { return time.Time(t).UTC().Format("2006-01-02T15:04:05.000Z") }

// NewJob makes the shape of a job.
func NewJob(j queue.Job) Job {
	v := Job{
		ID: j.ID, ArtifactID: j.ArtifactID, State: j.State, Reason: known(j.Reason), Class: known(j.Class),
		Attempts: j.Attempts, Priority: j.Priority, Run: known(j.Run), LastError: known(j.LastError),
		CreatedAt: Time(j.CreatedAt), UpdatedAt: Time(j.UpdatedAt),
	}
	if !j.State.Terminal() {
		v.Key = known(j.Key)
	}
	if j.State == queue.Queued {
		at := Time(j.AvailableAt)
		v.AvailableAt = &at
	}
	if at := RecheckAt(j); !at.IsZero() {
		t := Time(at)
		v.RecheckAt = &t
	}
	var f paper.File
	if j.State != queue.Done && !putAside(j) || len(j.Result) == 0 || json.Unmarshal(j.Result, &f) != nil {
		return v
	}
	v.Resolver, v.URL, v.Path, v.SHA256, v.Bytes = known(f.Resolver), known(f.URL), known(f.Path), known(f.SHA256), &f.Bytes
	v.MediaType, v.Verdict, v.License, v.Version = known(f.MediaType), known(f.Verdict), known(f.License), known(string(f.Version))
	v.Pages, v.Identity, v.Flaw = f.Pages, known(f.Identity), known(f.Reason)
	return v
}

// putAside reports whether a job ended with a file that is not believed to be the
// work's, and was kept for a human to look at.
func putAside(j queue.Job) bool { return j.State == queue.Error && j.Class == string(paper.WrongWork) }

// RecheckAt returns when it is worth looking again for the file of a job that ended
// without, or the zero time if it is not.
func RecheckAt(j queue.Job) time.Time {
	var missed paper.Missed
	if j.State != queue.Skipped && j.State != queue.Error || len(j.Result) == 0 || json.Unmarshal(j.Result, &missed) != nil || missed.Recheck == nil {
		return time.Time{}
	}
	return *missed.Recheck
}

// known is nil for a zero value, which says nothing.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
