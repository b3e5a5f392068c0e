package postgres

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/quire-dev/quire/queue"
)

const (
	channel = "quire"
	// maxNotice bounds the payload of a notification, which must be shorter than
	// 8000 bytes (https://www.postgresql.org/docs/current/sql-notify.html).
	maxNotice = 7000
	// announceEvery is how long the announcer rests between two announcements, so
	// that a busy queue makes few of them.
	announceEvery = 10 * time.Millisecond
	// announceWait is for how long an announcement is tried. Who misses it looks
	// by itself before long.
	announceWait = 5 * time.Second
)

// notice is what an announcement says.
type notice struct {
	By   string     `json:"by"`
	Came []keyCount `json:"came,omitempty"` // none: anything may have changed
}

type keyCount struct {
	Key string `json:"k"`
	N   int    `json:"n"`
}

// announcer tells other processes what has been committed. It does so after the
// commit and in a transaction of its own: one that notifies holds a lock that all
// such transactions of the server want until it is durable.
type announcer struct {
	mu     sync.Mutex
	due    bool
	came   arrivals // with due; nil: anything
	busy   bool
	closed bool
}

// tell wakes the watchers of this store, and those of others soon. nil came
// stands for anything.
func (s *Store) tell(came arrivals) {
	if came != nil && len(came) == 0 {
		return
	}
	s.wake(came.list())
	s.tellOthers(came)
}

// tellOthers wakes the watchers of other stores soon.
func (s *Store) tellOthers(came arrivals) {
	if came != nil && len(came) == 0 {
		return
	}
	a := &s.announce
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return
	case a.due && (a.came == nil || came == nil):
		a.came = nil
	case a.due:
		for key, k := range came {
			a.came.add(key, k.Ready)
		}
	default:
		a.due, a.came = true, came
	}
	if !a.busy {
		a.busy = true
		s.work.Go(s.announceAll)
	}
}

// announceAll announces until there is nothing more to say.
func (s *Store) announceAll() {
	const query = `SELECT nextval('quire.announced'), pg_notify($1::text, $2::text)`
	for {
		text, ok := s.announce.next(s.id)
		if !ok {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), announceWait)
		_ = s.exec(ctx, query, channel, text) // who misses it looks by itself
		cancel()
		time.Sleep(announceEvery)
	}
}

func (a *announcer) next(by string) (text string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.due {
		a.busy = false
		return "", false
	}
	n := notice{By: by}
	for _, k := range a.came {
		n.Came = append(n.Came, keyCount{k.Key, k.Ready})
	}
	a.due, a.came = false, nil
	doc, err := json.Marshal(n)
	if err != nil || len(doc) > maxNotice {
		doc, _ = json.Marshal(notice{By: by}) // two strings
	}
	return string(doc), true
}

// close makes later announcements void. One that is due is still made.
func (a *announcer) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
}

func (a arrivals) list() (keys []queue.KeyBacklog) {
	for _, k := range a {
		keys = append(keys, k)
	}
	return keys
}
