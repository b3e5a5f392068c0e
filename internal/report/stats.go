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

// KeyStats is the JSON shape of one key. What only a running process knows, the
// gate and the breaker, is as for a key at rest.
type KeyStats struct {
	Key         string   `json:"key"`
	Ready       int      `json:"ready"`
	Delayed     int      `json:"delayed"`
	InFlight    int      `json:"in_flight"`
	Cap         int      `json:"cap"`
	PerSecond   *float64 `json:"per_second"` // null: no limit
	GateSeconds float64  `json:"gate_seconds"`
	Breaker     string   `json:"breaker"`
	Paused      bool     `json:"paused"`
}

// NewStats makes the shape. limit gives a key's cap and least time between two
// starts.
func NewStats(s queue.Stats, limit func(key string) (inFlight int, every time.Duration)) Stats {
	v := Stats{
		Queued: s.Queued, InProgress: s.InProgress, Done: s.Done, Skipped: s.Skipped, Error: s.Error,
		Total: s.Total(), Ready: s.Ready, Delayed: s.Delayed, OldestReadySeconds: s.OldestReady.Seconds(),
		Keys: []KeyStats{}, Reasons: map[string]int{}, Classes: map[string]int{}, Paused: s.Paused,
	}
	for _, k := range s.Keys {
		row := KeyStats{Key: k.Key, Ready: k.Ready, Delayed: k.Delayed, InFlight: k.InFlight, Breaker: "closed", Paused: k.Paused}
		inFlight, every := limit(k.Key)
		row.Cap = inFlight
		if every > 0 {
			perSecond := float64(time.Second) / float64(every)
			row.PerSecond = &perSecond
		}
		v.Keys = append(v.Keys, row)
	}
	maps.Copy(v.Reasons, s.Reasons)
	maps.Copy(v.Classes, s.Classes)
	return v
}
