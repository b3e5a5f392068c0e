package report

import (
	"maps"
	"time"

	"github.com/quire-dev/quire/queue"
)

// Stats is the JSON shape of the queue's counts.
type Stats struct {
	Queued             int            `json:"queued"`
	InProgress         int            `json:"in_progress"`
	Done               int            `json:"done"`
	Skipped            int            `json:"skipped"`
	Error              int            `json:"error"`
	Total              int            `json:"total"`
	Ready              int            `json:"ready"`
	Delayed            int            `json:"delayed"`
	OldestReadySeconds float64        `json:"oldest_ready_seconds"`
	Keys               []KeyStats     `json:"keys"`
	Reasons            map[string]int `json:"reasons"`
	Classes            map[string]int `json:"classes"`
	Paused             bool           `json:"paused"` // the whole queue
}

// KeyStats is the JSON shape of one key. What only a running process knows is as
// it was when the run noted it last.
type KeyStats struct {
	Key         string   `json:"key"`
	Ready       int      `json:"ready"`
	Delayed     int      `json:"delayed"`
	InFlight    int      `json:"in_flight"` // jobs
	Cap         int      `json:"cap"`       // requests at once; 0: no cap
	PerSecond   *float64 `json:"per_second"`
	GateSeconds float64  `json:"gate_seconds"`
	Breaker     string   `json:"breaker"`
	Paused      bool     `json:"paused"`

	RateFrom       string   `json:"rate_from"` // configured, announced or learnt
	GateReason     *string  `json:"gate_reason"`
	HeadAgeSeconds float64  `json:"head_age_seconds"`
	ServiceSeconds *float64 `json:"service_seconds"` // what a request takes
	LeftSeconds    float64  `json:"left_seconds"`    // what all these jobs take at least
	Today          *int     `json:"today"`           // requests since midnight UTC
	Batch          int      `json:"batch"`           // jobs that a request may take
}

// KeyNow is what is in force at a key.
type KeyNow struct {
	Cap       int     // requests at once; 0 for no cap
	PerSecond float64 // 0 for any number
	RateFrom  string
	Batch     int // jobs that a request may take; 0 counts as 1
	Gate      time.Duration
	Reason    string // why the gate is closed
	Breaker   string
	Service   time.Duration // what a request takes; 0 if that is not known
	Daily     bool          // requests are counted by day
	Today     int
}

// NewStats makes the shape. now tells what is in force at a key.
func NewStats(s queue.Stats, now func(key string) KeyNow) Stats {
	v := Stats{
		Queued: s.Queued, InProgress: s.InProgress, Done: s.Done, Skipped: s.Skipped, Error: s.Error,
		Total: s.Total(), Ready: s.Ready, Delayed: s.Delayed, OldestReadySeconds: s.OldestReady.Seconds(),
		Keys: []KeyStats{}, Reasons: map[string]int{}, Classes: map[string]int{}, Paused: s.Paused,
	}
	for _, k := range s.Keys {
		v.Keys = append(v.Keys, newKeyStats(k, now(k.Key)))
	}
	maps.Copy(v.Reasons, s.Reasons)
	maps.Copy(v.Classes, s.Classes)
	return v
}

func newKeyStats(k queue.KeyStats, now KeyNow) KeyStats {
	v := KeyStats{
		Key: k.Key, Ready: k.Ready, Delayed: k.Delayed, InFlight: k.InFlight, Paused: k.Paused,
		Cap: now.Cap, Breaker: now.Breaker, RateFrom: now.RateFrom, Batch: max(now.Batch, 1),
		GateSeconds: now.Gate.Seconds(), HeadAgeSeconds: k.HeadAge.Seconds(), LeftSeconds: now.left(k.Ready + k.Delayed + k.InFlight),
		PerSecond: known(now.PerSecond), GateReason: known(now.Reason), ServiceSeconds: known(now.Service.Seconds()),
	}
	if now.Daily {
		v.Today = &now.Today
	}
	return v
}

// left is how many seconds the requests for so many jobs take at least, by cap or
// by pace, whichever takes longer, once the gate has opened.
func (n KeyNow) left(jobs int) float64 {
	if jobs == 0 || n.Breaker == "down" {
		return 0
	}
	batch := max(n.Batch, 1)
	requests := float64((jobs + batch - 1) / batch)
	left := requests * n.Service.Seconds() / float64(max(n.Cap, 1))
	if n.PerSecond > 0 {
		left = max(left, requests/n.PerSecond)
	}
	return left + n.Gate.Seconds()
}

// Bound is the key, of those that are not paused, whose work takes longest; nil if
// there is nothing to do anywhere.
func (s Stats) Bound() *KeyStats {
	var bound *KeyStats
	for i, k := range s.Keys {
		if !s.Paused && !k.Paused && k.LeftSeconds > 0 && (bound == nil || k.LeftSeconds > bound.LeftSeconds) {
			bound = &s.Keys[i]
		}
	}
	return bound
}
