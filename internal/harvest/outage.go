package harvest

import (
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/queue"
)

// diskPause is for how long no file is asked for when storage can't take files, and
// networkPause for how long a key is left alone when the machine has no network: not
// longer than what is left untold of the wait of a key, which may be stretched a bit.
const (
	diskPause    = 10 * time.Second
	networkPause = 5 * time.Second
)

// outage is the time during which storage takes no files (no space, a failing or
// read-only disk, no file descriptors) or there is no network. Jobs wait for its end,
// at no cost to them.
type outage struct {
	mu    sync.Mutex
	since time.Time // zero: there is none
	next  time.Time // then one job may try
}

// left returns how long a job that wants to get a file is to wait. During an outage
// one job goes each diskPause, to see whether it is over: the files of all others
// would be got in vain.
func (o *outage) left(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		return 0
	}
	if now.Before(o.next) {
		return o.next.Sub(now)
	}
	o.next = now.Add(diskPause)
	return 0
}

// begin notes that something failed, and reports whether that is news.
func (o *outage) begin(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next = now.Add(diskPause)
	if !o.since.IsZero() {
		return false
	}
	o.since = now
	return true
}

// end notes that it works, and returns for how long it did not; 0 if that is no news.
func (o *outage) end(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		return 0
	}
	lasted := max(now.Sub(o.since), 1)
	o.since = time.Time{}
	return lasted
}

// noDisk hands the job back when storage fails: that is not the job's fault. The log
// has one line when it begins to fail, whatever many jobs meet it.
func (w walk) noDisk(err error) queue.Outcome {
	w.Leave()
	if w.storage.begin(time.Now()) {
		w.cfg.Log.Error("storage takes no files: jobs wait, and go on by themselves when it does again",
			"artifact_id", w.job.ArtifactID, "next_try", diskPause, "error", err)
	}
	out := w.wait(diskPause)
	out.Error = err.Error()
	return out
}

// ours says what becomes of the job if err is neither its fault nor a host's.
func (w walk) ours(err error) (out queue.Outcome, ours bool) {
	switch {
	case outOfFiles(err):
		return w.noDisk(err), true
	case fetch.Offline(err):
		return w.noNetwork(err), true
	}
	return out, false
}

// noNetwork hands the job back when this machine has no network. The log has one line
// when it goes away.
func (w walk) noNetwork(err error) queue.Outcome {
	if w.network.begin(time.Now()) {
		w.cfg.Log.Error("no network: works wait, and go on by themselves when it is back",
			"artifact_id", w.job.ArtifactID, "next_try", networkPause, "error", err)
	}
	out := w.handBack("network", queue.Signal{Allowance: queue.Allowance{Wait: networkPause}})
	out.Delay, out.Error = networkPause, err.Error()
	return out
}

// connected notes that there is a network.
func (h *Harvest) connected() {
	if lasted := h.network.end(time.Now()); lasted > 0 {
		h.cfg.Log.Info("the network is back: resumed", "after", lasted.Round(time.Second))
	}
}

// recovered notes that storage took a file.
func (w walk) recovered() {
	if lasted := w.storage.end(time.Now()); lasted > 0 {
		w.cfg.Log.Info("storage takes files again: resumed", "after", lasted.Round(time.Second))
	}
}

// wait hands the job back for as long as storage is not asked. Nothing else starts at
// its key meanwhile, or the jobs there would be leased in turn only to be handed back.
func (w walk) wait(left time.Duration) queue.Outcome {
	out := w.handBack("disk", queue.Signal{Allowance: queue.Allowance{Wait: left}})
	out.Delay = left
	return out
}

// outOfFiles reports whether a request failed because this process, or the machine,
// has no file descriptor left: neither host nor job is to blame.
func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
