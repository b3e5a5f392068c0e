package fetch

import (
	"context"
	"errors"
	"time"
)

var (
	errTotal = errors.New("total time is up")
	errStall = errors.New("stalled: no body bytes within the idle timeout")
)

// watch ends an exchange that takes too long: one timer for the total time and
// for the waits in between, so that an exchange costs no more than that.
type watch struct {
	end    time.Time // of the total time
	timer  *time.Timer
	cancel context.CancelCauseFunc
	reason func(err error) error // why it ended: the caller's or our own timeout before err
}

// startWatch returns the context of an exchange. Stop must be called.
func startWatch(parent context.Context, total time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(parent)
	w := &watch{end: time.Now().Add(total), cancel: cancel}
	w.timer = time.AfterFunc(total, func() {
		if time.Now().Before(w.end) {
			cancel(errStall)
		} else {
			cancel(errTotal)
		}
	})
	w.reason = func(err error) error {
		if parent.Err() != nil {
			return parent.Err()
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	return ctx, w
}

// expect gives the server at most idle from now, and calm ends that.
func (w *watch) expect(now time.Time, idle time.Duration) { w.timer.Reset(min(idle, w.end.Sub(now))) }
func (w *watch) calm(now time.Time)                       { w.timer.Reset(w.end.Sub(now)) }

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}
