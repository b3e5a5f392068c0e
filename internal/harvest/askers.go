package harvest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// askers are the jobs of a step that are to ask the source of its key.
type askers struct {
	source paper.Resolver
	all    []asker
}

type asker struct {
	walk
	place int // among the step's jobs
}

func (as *askers) join(place int, w walk, r paper.Resolver) {
	as.source = r
	as.all = append(as.all, asker{w, place})
}

// resolve makes the one request of the step and puts the outcomes of the askers
// in their places.
func (as *askers) resolve(ctx context.Context, outs []queue.Outcome) {
	if len(as.all) == 0 {
		return
	}
	together, rest := as.pick()
	for _, a := range rest {
		outs[a.place] = queue.Outcome{Verb: queue.Release}
	}
	artifacts := make([]paper.Artifact, len(together))
	for i, a := range together {
		artifacts[i] = a.story.Artifact
		artifacts[i].Cursor = a.story.Cursor
	}
	r := as.source
	var answers []paper.Answer
	var err error
	heard := hearing(together[0].sending(ctx, together[0].Step), func(ctx context.Context) { answers, err = r.Resolve(ctx, artifacts) })
	if err == nil {
		err = check(r, answers, len(artifacts))
	}
	for i, a := range together {
		if err != nil {
			outs[a.place] = a.unresolved(ctx, r, err)
		} else {
			outs[a.place] = a.heard(r, answers[i])
		}
		outs[a.place].Signal.Allowance = outs[a.place].Signal.Allowance.Stricter(heard)
	}
}

// check holds a source to what its answers must be for the jobs to get on.
func check(r paper.Resolver, answers []paper.Answer, n int) error {
	if len(answers) != n {
		return &paper.Failure{Class: paper.Transient, Err: fmt.Errorf("%s gave %d answers to %d questions", r.Name(), len(answers), n)}
	}
	if !slices.ContainsFunc(answers, func(ans paper.Answer) bool { return ans.Again < n }) {
		return &paper.Failure{Class: paper.Transient, Err: fmt.Errorf("%s wants %d questions asked again", r.Name(), n)}
	}
	return nil
}

// pick chooses the jobs of the request: the one that the queue has first, so that
// none is left out for ever, and those that may be asked for with as many others
// as it. The halves of a failed request so stay apart from each other's jobs.
func (as *askers) pick() (together, rest []asker) {
	slices.SortStableFunc(as.all, func(a, b asker) int {
		return cmp.Or(cmp.Compare(b.job.Priority, a.job.Priority), cmp.Compare(a.job.Rank, b.job.Rank), cmp.Compare(a.job.ID, b.job.ID))
	})
	most := as.all[0].most(as.source)
	for _, a := range as.all {
		if len(together) < most && a.most(as.source) == most {
			together = append(together, a)
		} else {
			rest = append(rest, a)
		}
	}
	return together, rest
}

// afterCrash is by how much smaller a request is to be after each crash of a
// process that was asking for the job: who crashes it is soon found, and who was
// there by chance is not among so many the next time.
const afterCrash = 8

// most is how many artifacts a request for this one may hold.
func (w walk) most(r paper.Resolver) int {
	most := r.Batch()
	if p := w.story.Party; p != nil && p.Resolver == r.Name() {
		most = min(most, p.Most)
	}
	for range w.job.Attempts - 1 - w.story.Rounds {
		most /= afterCrash
	}
	return max(1, most)
}

// heard goes on with an answer, or has the job asked for again.
func (w walk) heard(r paper.Resolver, ans paper.Answer) queue.Outcome {
	sig := queue.Signal{Kind: queue.OK}
	if ans.Again == 0 {
		w.story.hear(r.Name(), ans)
		return w.goOn(sig)
	}
	if ans.Again < w.most(r) {
		w.story.Party = &party{Resolver: r.Name(), Most: ans.Again}
	}
	if ans.Class != "" { // the service's trouble or an artifact's? Those asked for alone will tell
		sig.Kind = queue.None
	}
	return w.handBack("", sig)
}
