package orchestrator

import (
	"context"
	"errors"
	"time"

	"github.com/quire-dev/quire/internal/schedule"
	"github.com/quire-dev/quire/queue"
)

const (
	// noteAhead is how far into the future a key's pace must reach for its start to be
	// noted before the request goes out. What is nearer the next run waits out.
	noteAhead = time.Second
	// noteEvery is how often what was learnt of keys is noted apart from that.
	noteEvery = 10 * time.Second
	// noteKeep is for how long a note is worth anything.
	noteKeep = 30 * 24 * time.Hour
)

// recall tells the table what earlier runs have learnt of keys.
func (o *Orchestrator) recall() error {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	notes, err := o.store.KeyNotes(ctx)
	if err != nil {
		return err
	}
	var recent, old []queue.KeyNote
	for _, n := range notes {
		if n.Age < noteKeep {
			recent = append(recent, n)
		} else {
			old = append(old, queue.KeyNote{Key: n.Key})
		}
	}
	if err := o.table.Recall(time.Now(), recent); err != nil {
		o.cfg.Log.Warn("not all that was learnt of keys can be read", "error", err)
	}
	return o.store.SaveKeyNotes(ctx, old...)
}

// note saves what has just been learnt of a key.
func (r *run) note(key string) {
	if n, ok := r.table.Note(time.Now(), key); ok {
		r.save(n)
	}
}

// save writes notes. What can't be saved is not lost to this run.
func (r *run) save(notes ...queue.KeyNote) {
	if len(notes) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	if err := r.store.SaveKeyNotes(ctx, notes...); err != nil && !errors.Is(err, context.Canceled) {
		r.cfg.Log.Warn("what was learnt of keys is not saved", "keys", len(notes), "error", err)
	}
}

// takeNotes saves what was learnt every so often, and at the end.
func (r *run) takeNotes() {
	every := time.NewTicker(noteEvery)
	defer every.Stop()
	for {
		select {
		case <-r.ctx.Done():
			r.save(r.table.Notes(time.Now())...)
			return
		case <-every.C:
			r.save(r.table.Notes(time.Now())...)
		}
	}
}

// observeKey tells the observer how a key stands after it has changed.
func (r *run) observeKey(key string) {
	if s, ok := r.table.Key(time.Now(), key); ok {
		r.cfg.ObserveKey(s)
	}
}

// Noted is the state of a key as a note tells it: that of a run in another process,
// or of one that has ended. l is the key's configured allowance.
func Noted(n queue.KeyNote, l Limit) (KeyState, error) { return schedule.Noted(n, l, time.Now()) }
