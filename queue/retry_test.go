package queue_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/queue"
)

func TestRetryPolicy_WithDefaults(t *testing.T) {
	tests := map[string]struct{ policy, want queue.RetryPolicy }{
		"zero": {
			want: queue.RetryPolicy{MaxAttempts: 3, Base: time.Minute, Factor: 2, Max: time.Hour},
		},
		"what is set stays": {
			policy: queue.RetryPolicy{MaxAttempts: 1, Factor: 1},
			want:   queue.RetryPolicy{MaxAttempts: 1, Base: time.Minute, Factor: 1, Max: time.Hour},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := tt.policy.WithDefaults()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("WithDefaults (-want +got):\n%s", diff)
			}
			if again := got.WithDefaults(); again != got {
				t.Errorf("WithDefaults twice: %+v, want %+v", again, got)
			}
		})
	}
}

// Backoff is random, so each case looks at many of its answers: none above the
// most, and spread over all that is below. That one of the quarters stays empty
// by chance has a probability of 4·(3/4)⁴⁰⁰⁰, below 10⁻⁴⁹⁹.
func TestRetryPolicy_Backoff(t *testing.T) {
	tests := map[string]struct {
		policy  queue.RetryPolicy
		attempt int
		most    time.Duration
	}{
		"default, first":     {attempt: 1, most: time.Minute},
		"default, second":    {attempt: 2, most: 2 * time.Minute},
		"default, fifth":     {attempt: 5, most: 16 * time.Minute},
		"default, at most":   {attempt: 7, most: time.Hour},
		"no attempt yet":     {attempt: 0, most: time.Minute},
		"very many":          {attempt: 1 << 40, most: time.Hour},
		"own factor":         {queue.RetryPolicy{Base: time.Second, Factor: 3}, 4, 27 * time.Second},
		"fractional factor":  {queue.RetryPolicy{Base: time.Second, Factor: 1.5}, 3, 2250 * time.Millisecond},
		"constant":           {queue.RetryPolicy{Base: time.Second, Factor: 1}, 9, time.Second},
		"base above the max": {queue.RetryPolicy{Base: time.Hour, Max: time.Second}, 1, time.Second},
		"nanoseconds":        {queue.RetryPolicy{Max: 4}, 1, 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var quarters [4]int
			for range 4000 {
				wait := tt.policy.Backoff(tt.attempt)
				if wait < 0 || wait > tt.most {
					t.Fatalf("Backoff(%d) = %v, want 0 to %v", tt.attempt, wait, tt.most)
				}
				quarters[min(3, 4*wait/tt.most)]++
			}
			for i, n := range quarters {
				if n == 0 {
					t.Errorf("no wait of 4000 in quarter %d of 0 to %v: %v", i+1, tt.most, quarters)
				}
			}
		})
	}
}

func TestStep_Last(t *testing.T) {
	step := queue.Step{MaxAttempts: 3}
	for attempts, want := range []bool{false, false, false, true, true} {
		if got := step.Last(queue.Job{Attempts: attempts}); got != want {
			t.Errorf("Last with %d of 3 attempts = %v, want %v", attempts, got, want)
		}
	}
}
