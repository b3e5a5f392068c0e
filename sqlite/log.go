package sqlite

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
)

// maxUnsynced bounds how many transactions may wait for their sync.
const maxUnsynced = 16

// syncer makes transactions durable. SQLite writes a commit to its log and would
// sync it there and then (synchronous=FULL), while the writer waits. The syncer
// does that beside it: callers are told after the sync, as they must, but the
// next transaction is under way meanwhile, and one sync serves all commits that
// came before it. Two operating system handles of a file share what there is to
// sync, so it has one of its own.
//
// The log stays the same file as long as the database is open. SQLite itself
// still syncs it when it begins anew, and before its pages go to the database
// (synchronous=NORMAL).
type syncer struct {
	path string // of the database
	work chan committed
	done chan struct{} // closed when the loop has ended

	mu      sync.Mutex
	changed sync.Cond
	begun   int64 // commits that may have become visible
	synced  int64 // of these, the ones known to be durable or to have failed
	broken  error // of the last sync; until the writer has mended it
}

// committed is the end of a transaction: whom to tell, and what if not success.
type committed struct {
	ops []*op
	err error
}

// added reports whether a call of Enqueue has added jobs.
func (c committed) added() bool {
	return c.err == nil && slices.ContainsFunc(c.ops, func(o *op) bool { return o.enqueue != nil && o.enqueue.added.rows > 0 })
}

func newSyncer(path string) *syncer {
	s := &syncer{path: path, work: make(chan committed, maxUnsynced), done: make(chan struct{})}
	s.changed.L = &s.mu
	return s
}

// begin must be called before each commit, and followed by a send to work.
func (s *syncer) begin() {
	s.mu.Lock()
	s.begun++
	s.mu.Unlock()
}

// loop ends when work is closed.
func (s *syncer) loop() {
	defer close(s.done)
	var log *os.File
	defer func() {
		if log != nil {
			_ = log.Close()
		}
	}()
	for first := range s.work {
		all := s.gather(first)
		var err error
		if log == nil {
			log, err = os.OpenFile(s.path+"-wal", os.O_RDWR, 0)
		}
		if err == nil {
			err = log.Sync()
		}
		s.tell(all, err)
	}
}

// gather returns first and those behind it.
func (s *syncer) gather(first committed) []committed {
	all := []committed{first}
	for {
		select {
		case c, ok := <-s.work:
			if !ok {
				return all
			}
			all = append(all, c)
		default:
			return all
		}
	}
}

// tell answers the callers of transactions after their sync.
func (s *syncer) tell(all []committed, err error) {
	if err != nil {
		err = fmt.Errorf("sync the log: %w", err)
	}
	s.mu.Lock()
	s.synced += int64(len(all))
	if err != nil {
		s.broken = err
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	if err == nil && slices.ContainsFunc(all, committed.added) {
		ring(runFile(s.path))
	}
	for _, c := range all {
		for _, o := range c.ops {
			o.answer <- errors.Join(c.err, err)
		}
	}
}

// wait returns when all that is visible now is durable, or the sync has failed.
func (s *syncer) wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for seen := s.begun; s.synced < seen; {
		s.changed.Wait()
	}
}

// failure returns the error of the last sync, if the log may have a hole.
func (s *syncer) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// mended says that everything committed is safe in the database itself.
func (s *syncer) mended() {
	s.mu.Lock()
	s.broken = nil
	s.mu.Unlock()
}
