package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/queue"
)

// A checker that never finds anything is worth nothing: forged histories show
// what it finds. Events happen one after the other, a millisecond each, unless
// they say when.
func TestLawful(t *testing.T) {
	enqueue := event{what: added, ok: true}
	lease := func(token int64) event { return event{what: leased, token: token, ttl: time.Second, ok: true} }
	beat := func(token int64, ok bool) event { return event{what: beaten, token: token, ttl: time.Second, ok: ok} }
	settle := func(token int64, state queue.State, ok bool) event {
		return event{what: settled, token: token, state: state, ok: ok}
	}
	change := func(w what, ok bool) event { return event{what: w, ok: ok} }
	look := func(state queue.State) event { return event{what: looked, state: state, ok: state != ""} }
	at := func(e event, call, ret time.Duration) event {
		e.call, e.ret = call, ret
		return e
	}
	tests := map[string]struct {
		events []event
		ok     bool
	}{
		"a plain life": {[]event{
			look(""), enqueue, change(added, false), look(queue.Queued), lease(1), look(queue.InProgress), beat(1, true),
			settle(1, queue.Queued, true), lease(2), settle(1, queue.Done, false), settle(2, queue.Done, true), look(queue.Done),
		}, true},
		"cancelled and requeued": {[]event{
			enqueue, lease(1), change(cancelled, true), beat(1, false), settle(1, queue.Done, false), change(cancelled, false),
			look(queue.Skipped), change(requeued, true), lease(2), settle(2, queue.Error, true),
		}, true},
		"a lease that ran out": {[]event{enqueue, lease(1), at(lease(2), 0, 2*time.Second), settle(1, queue.Done, false)}, true},
		"at the same time":     {[]event{enqueue, at(lease(1), 1e9, 2e9), at(settle(1, queue.Done, true), 1e9, 2e9), at(look(queue.Done), 1e9, 2e9)}, true},

		"added twice":                {[]event{enqueue, enqueue}, false},
		"leased before it was there": {[]event{lease(1), enqueue}, false},
		"two live leases":            {[]event{enqueue, lease(1), lease(2)}, false},
		"two live leases, one extended": {[]event{
			enqueue, lease(1), at(beat(1, true), 9e8, 9e8), at(lease(2), 15e8, 15e8),
		}, false},
		"two leases at the same time": {[]event{enqueue, at(lease(1), 1e6, 9e6), at(lease(2), 1e6, 9e6)}, false},
		"a token that stays":          {[]event{enqueue, lease(1), settle(1, queue.Queued, true), lease(1)}, false},
		"a token that falls":          {[]event{enqueue, lease(2), settle(2, queue.Queued, true), lease(1)}, false},
		"a stale token settles":       {[]event{enqueue, lease(1), settle(1, queue.Queued, true), lease(2), settle(1, queue.Done, true)}, false},
		"a stale token extends":       {[]event{enqueue, lease(1), settle(1, queue.Queued, true), lease(2), beat(1, true)}, false},
		"settled twice":               {[]event{enqueue, lease(1), settle(1, queue.Done, true), settle(1, queue.Error, true)}, false},
		"a live lease is lost":        {[]event{enqueue, lease(1), settle(1, queue.Done, false)}, false},
		"a finished job is leased":    {[]event{enqueue, lease(1), settle(1, queue.Done, true), lease(2)}, false},
		"an outcome changes":          {[]event{enqueue, lease(1), settle(1, queue.Done, true), look(queue.Error)}, false},
		"an outcome is cancelled":     {[]event{enqueue, lease(1), settle(1, queue.Done, true), change(cancelled, true)}, false},
		"a cancelled lease settles":   {[]event{enqueue, lease(1), change(cancelled, true), settle(1, queue.Done, true)}, false},
		"a queued job is requeued":    {[]event{enqueue, change(requeued, true)}, false},
		"a job vanishes":              {[]event{enqueue, look("")}, false},
		"an acknowledged job is new":  {[]event{enqueue, lease(1), settle(1, queue.Done, true), look(queue.Queued)}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for i := range tt.events {
				if e := &tt.events[i]; e.ret == 0 {
					e.call, e.ret = time.Duration(i)*time.Millisecond, time.Duration(i)*time.Millisecond+500*time.Microsecond
				}
			}
			err := lawful(tt.events)
			if (err == nil) != tt.ok {
				t.Errorf("got %v, want lawful to be %v", err, tt.ok)
			}
			if err != nil && !strings.Contains(err.Error(), "illegal") {
				t.Errorf("got %v, want the verdict first", err)
			}
		})
	}
}
