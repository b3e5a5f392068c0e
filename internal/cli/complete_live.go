package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// What a shell is told of the queue is bounded, in number by what fits on a
// screen, and in time by how long somebody who has pressed TAB waits gladly. A
// server far away may need longer: QUIRE_COMPLETE_WITHIN says how long it may.
const (
	mostCompletions = 50
	completeWithin  = 300 * time.Millisecond
)

// live returns what find says of the queue. It is silent if there is none, if
// that takes too long or if anything goes wrong: there is nobody to tell.
func (a *app) live(ctx context.Context, find func(context.Context, *quire.System) []cobra.Completion) []cobra.Completion {
	within, err := time.ParseDuration(a.getenv("QUIRE_COMPLETE_WITHIN", ""))
	if err != nil {
		within = completeWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	found := make(chan []cobra.Completion, 1)
	// Opening a database may wait for a lock or a server longer than ctx lasts. The
	// goroutine then ends with the program, which is now.
	go func() {
		sys, err := a.peek(ctx, quire.Config{})
		if err != nil {
			found <- nil
			return
		}
		all := find(ctx, sys)
		_ = sys.Close() // it was only looked at
		found <- all
	}()
	select {
	case all := <-found:
		return all
	case <-ctx.Done():
		return nil
	}
}

// offer is a word with what is to be said of it, or nothing if a shell would have to
// quote the word: of several that begin alike, bash puts the common beginning on
// the command line as it is, and runs what it finds there at the next TAB.
// Identifiers, keys and names of runs are other people's words.
func offer(word, about string) []cobra.Completion {
	if word == "" || shellWord(word) != word {
		return nil
	}
	return []cobra.Completion{cobra.CompletionWithDesc(word, printable(about))}
}

// completeIDs offers identifiers of jobs in some states, in the spelling in which
// one has been begun.
func (a *app) completeIDs(states ...queue.State) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.live(c.Context(), func(ctx context.Context, sys *quire.System) (found []cobra.Completion) {
			for _, prefix := range spellings(text) {
				jobs, err := sys.Queue().Jobs(ctx, queue.Filter{Prefix: prefix, States: states, Limit: mostCompletions - len(found)})
				if err != nil {
					return found
				}
				for _, j := range jobs {
					word := text + j.ArtifactID[len(prefix):]
					if a, err := paper.ParseID(word); err == nil && a.ID == j.ArtifactID && !slices.Contains(args, word) {
						found = append(found, offer(word, fateOf(j))...)
					}
				}
				if len(found) > 0 {
					break
				}
			}
			return found
		}), wordsOnly
	}
}

// spellings returns what an id that somebody has begun with text may begin with:
// ids begin with their kind, people seldom do.
func spellings(text string) []string {
	low := strings.ToLower(text)
	switch {
	case strings.HasPrefix(low, "10."):
		return []string{"doi:" + low}
	case low != "" && low[0] >= '0' && low[0] <= '9':
		return []string{"arxiv:" + low, "doi:" + low}
	case strings.HasPrefix(low, "pmc") && !strings.HasPrefix(low, "pmci"):
		return []string{low, "pmcid:PMC" + low[3:]}
	case low != text:
		return []string{text, low}
	}
	return []string{text}
}

func fateOf(j queue.Job) string {
	if j.State.Terminal() && j.Reason != "" {
		return string(j.State) + ", " + j.Reason
	}
	return string(j.State)
}

// completeKeys offers keys: of the table of limits and of jobs, or those that are
// paused.
func (a *app) completeKeys(paused bool) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, text string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
		about := make(map[string]string)
		if !paused {
			for _, key := range (quire.Config{}).Allowances().Named() {
				about[key] = ""
			}
		}
		inQueue := a.live(c.Context(), func(ctx context.Context, sys *quire.System) (keys []cobra.Completion) {
			stats, err := sys.Queue().Stats(ctx)
			if err != nil {
				return nil
			}
			for _, k := range stats.Keys {
				if k.Key != "" && (k.Paused || !paused) {
					keys = append(keys, offer(k.Key, standingOf(k))...)
				}
			}
			return keys
		})
		for _, key := range inQueue {
			word, description, _ := strings.Cut(key, "\t")
			about[word] = description
		}
		for _, key := range keysUnder(about, text) {
			if !slices.Contains(args, key) && len(found) < 2*mostCompletions { // the table alone has some fifty
				found = append(found, cobra.CompletionWithDesc(key, about[key]))
			}
		}
		return found, wordsOnly
	}
}

func standingOf(k queue.KeyStats) string {
	about := fmt.Sprintf("%d ready, %d delayed", k.Ready, k.Delayed)
	if k.Paused {
		about += ", paused"
	}
	return about
}

// completeRuns offers names of runs.
func (a *app) completeRuns(c *cobra.Command, _ []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.live(c.Context(), func(ctx context.Context, sys *quire.System) (found []cobra.Completion) {
		runs, err := sys.Queue().Runs(ctx, text, mostCompletions)
		if err != nil {
			return nil
		}
		for _, run := range runs {
			found = append(found, offer(run, "")...)
		}
		return found
	}), wordsOnly
}
