package harvest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/verdict"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

const (
	// maxResumes is how often a candidate's file is resumed in a round. A host that
	// breaks off each time then costs four requests an attempt, and twelve in three.
	maxResumes = 3

	// maxParts is how many files that broke off are kept open between the steps of
	// their jobs: as many as there are workers by default, since that many can break
	// at once. It bounds file descriptors, and the disk to so many files of
	// Accept.MaxBytes.
	maxParts = 32
)

// part is a file on its way: what has come of it, hashed and judged so far. If it
// breaks off it may be kept until the job's next step, which asks for the rest.
//
// A part lives in memory and no longer than the run. After a crash its file starts
// anew: to go on, the state of hash and judge would have to be saved and synced
// with every file, which costs all of them more than the few that a crash meets.
type part struct {
	job  int64
	url  string
	desk *desk
	out  blob.Writer // nil until the first bytes are wanted
	have int64       // bytes in out
	mark *fetch.Mark // nil: it can't be resumed
	kept bool        // the parts have it, for the next step
}

// parts keeps those that wait for their job's next step.
type parts struct {
	mu   sync.Mutex
	list []*part // oldest first
}

// keep takes p, and drops the oldest if there are too many: its file will be got
// from the first byte.
func (ps *parts) keep(p *part) (dropped *part) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p.kept = true
	if ps.list = append(ps.list, p); len(ps.list) > maxParts {
		dropped = ps.list[0]
		ps.list = slices.Delete(ps.list, 0, 1)
		dropped.kept = false
	}
	return dropped
}

// take gives the job's part back, nil if it has none.
func (ps *parts) take(job int64) *part {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	i := slices.IndexFunc(ps.list, func(p *part) bool { return p.job == job })
	if i < 0 {
		return nil
	}
	p := ps.list[i]
	ps.list = slices.Delete(ps.list, i, i+1)
	p.kept = false
	return p
}

// done drops what is left of a part at the end of a step, unless it is kept.
func (h *Harvest) done(p *part) {
	if p == nil || p.kept || p.desk == nil {
		return
	}
	if p.out != nil {
		if err := p.out.Abort(); err != nil {
			h.cfg.Log.Warn("temporary file not removed", "job", p.job, "error", err)
		}
	}
	h.desks.Put(p.desk)
	p.desk = nil
}

// EndRun drops the files that broke off and are not resumed any more. No step may
// be running.
func (h *Harvest) EndRun() {
	h.parts.mu.Lock()
	left := h.parts.list
	h.parts.list = nil
	h.parts.mu.Unlock()
	for _, p := range left {
		p.kept = false
		h.done(p)
	}
}

// begin makes the answer's file a new part.
func (w walk) begin(ctx context.Context, resp *fetch.Response, p *part) (err error) {
	// The part may outlive this step.
	p.out, err = w.cfg.Blobs.Create(context.WithoutCancel(ctx), fmt.Sprintf("%d-%d", w.job.ID, w.temps.Add(1)))
	st := w.story
	p.desk.judge.Reset(verdict.Expect{
		Format: st.Artifact.Wants(), MD5: st.at().MD5, ContentType: resp.Header.Get("Content-Type"),
		Work: verdict.Work{DOI: st.Artifact.IDs.DOI, ArXiv: st.Artifact.IDs.ArXiv, Title: st.Title},
	})
	return err
}

// resumable reports whether the part in hand is to be resumed after a failure.
func (w walk) resumable(fail *paper.Failure) bool {
	return w.part != nil && w.part.mark != nil && fail.Class == paper.Transient && w.story.at().Resumed < maxResumes
}

// resume has the rest of a file that broke off asked for, as soon as its host is
// ready for another request.
func (w walk) resume(status int, fail *paper.Failure, sig queue.Signal) queue.Outcome {
	st := w.story
	st.hop(paper.Hop{URL: w.part.url, Status: status, Class: fail.Class, Note: fmt.Sprintf("resumed after %d bytes: %s", w.part.have, fail)})
	st.at().Resumed++
	w.keep()
	return w.goOn(sig)
}

// keep keeps the part in hand, if there is one, for the job's next step.
func (w walk) keep() {
	if w.part != nil && w.part.mark != nil {
		w.done(w.parts.keep(w.part))
	}
}

// startOver has a file whose rest did not come asked for from its first byte and
// its candidate's first URL, once: the file is another one by now, or its URL holds
// only for a while.
func (w walk) startOver(resp *fetch.Response, why string, sig queue.Signal) queue.Outcome {
	st, t := w.story, w.story.at()
	t.Resumed, t.Hops = maxResumes, nil
	t.Note = clip(fmt.Sprintf("from its first byte, as it broke off after %d and could not be resumed: %s", w.part.have, why), maxNote)
	st.At.URL, st.Refused = t.URL, 0
	w.cfg.Log.Debug("file not resumed", "artifact_id", w.job.ArtifactID, "url", resp.URL, "why", why)
	return w.goOn(sig)
}

// unwanted returns why an answer to a request for the rest of a file is neither
// that nor the whole file nor something that concerns the host, such as a 429.
func (w walk) unwanted(resp *fetch.Response) (why string, sig queue.Signal) {
	sig = queue.Signal{Kind: queue.OK}
	switch resp.Status {
	case http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable:
		return fmt.Sprintf("status %d with another range or version", resp.Status), sig
	}
	if resp.Redirect != "" {
		return "redirected", sig
	}
	fail := fetch.Classify(resp.Status, resp.Header, nil)
	if fail == nil {
		return "", sig
	}
	switch fail.Class {
	case paper.Transient, paper.Throttled, paper.Challenge:
		return "", sig
	default:
		return fail.Error(), w.signal(fail)
	}
}
