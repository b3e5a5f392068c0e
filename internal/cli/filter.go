package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// filter is the flags that select jobs, as many of them as a command has.
type filter struct {
	states          []string
	class, key, run string
	older           time.Duration
	limit           int
}

// add declares the flags that every command on jobs has. allowed are the states
// that --state takes, all if there are none.
func (f *filter) add(c *cobra.Command, allowed ...queue.State) {
	flags := c.Flags()
	if len(allowed) > 0 {
		flags.StringSliceVar(&f.states, "state", nil, "only in this `STATE`: "+words(allowed))
	}
	flags.StringVar(&f.class, "class", "", "only with this failure `CLASS`, such as transient")
	flags.StringVar(&f.key, "key", "", "only at this `KEY`, such as host:arxiv.org")
	flags.StringVar(&f.run, "run", "", "only of the batch with this `NAME`")
	flags.DurationVar(&f.older, "older", 0, "only those whose state has not changed for `DUR`, such as 24h")
	flags.IntVar(&f.limit, "limit", 0, "at most `N`, in the order of queueing (default: all)")
}

// filter checks the flags and returns what they select among jobs in the allowed
// states.
func (f *filter) filter(allowed ...queue.State) (queue.Filter, error) {
	selected := queue.Filter{States: allowed, Class: f.class, Key: f.key, Run: f.run, Older: f.older, Limit: f.limit}
	if err := checkClass(f.class); err != nil {
		return selected, err
	}
	if f.limit < 0 || f.older < 0 {
		return selected, usage("--limit and --older must not be negative")
	}
	if len(f.states) > 0 {
		selected.States = nil
	}
	for _, s := range f.states {
		if !slices.Contains(allowed, queue.State(s)) {
			return selected, usage("--state %q: must be one of %s", s, words(allowed))
		}
		selected.States = append(selected.States, queue.State(s))
	}
	return selected, nil
}

// artifacts returns the ids of artifacts in their one form.
func artifacts(texts []string) ([]string, error) {
	var ids []string
	for _, text := range texts {
		artifact, err := paper.ParseID(text)
		if err != nil {
			return nil, usage("%w%s", err, asFile(text, "quire queue import"))
		}
		ids = append(ids, artifact.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// eachPart calls do for f with so many of the ids at a time as a filter may name,
// and once for f as it is if there are none. do returns how many jobs it found;
// the sum keeps to f's limit.
func eachPart(f queue.Filter, ids []string, do func(queue.Filter) (int, error)) (sum int, err error) {
	if len(ids) == 0 {
		return do(f)
	}
	limit := f.Limit
	for part := range slices.Chunk(ids, queue.MaxFilterIDs) {
		f.ArtifactIDs, f.Limit = part, max(limit-sum, 0)
		n, err := do(f)
		sum += n
		if err != nil || limit > 0 && sum >= limit {
			return sum, err
		}
	}
	return sum, nil
}

// checkClass refuses a class that does not exist.
func checkClass(class string) error {
	if class == "" || slices.Contains(paper.Classes(), paper.Class(class)) {
		return nil
	}
	return usage("--class %q: must be one of %s", class, words(paper.Classes()))
}

// words lists words with commas.
func words[S ~string](all []S) string {
	list := make([]string, len(all))
	for i, word := range all {
		list[i] = string(word)
	}
	return strings.Join(list, ", ")
}
