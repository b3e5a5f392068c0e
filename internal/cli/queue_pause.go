package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/queue"
)

func newPause(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "pause [KEY]",
		Short: "Start no more jobs, at a key or at all, until resumed",
		Long: `Start no more jobs at a key, such as host:journals.plos.org, or at all if none is
given, until queue resume. Running steps go on to their end. The pause holds for
every process and across restarts. Jobs can be queued meanwhile; a run with
--drain ends when only paused jobs are left.

The queue and each key are paused and resumed independently of each other.`,
		Example: `  quire queue pause host:journals.plos.org
  quire queue pause`,
		Args: oneKeyAtMost,
		RunE: func(c *cobra.Command, args []string) error { return a.setPaused(c.Context(), args, true) },
	}
}

func newResume(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "resume [KEY]",
		Short: "End a pause, of a key or of the queue",
		Long: `End what queue pause began: of a key, or of the queue as a whole if none is given.
Keys that were paused by name stay paused when the queue is resumed.`,
		Example: `  quire queue resume host:journals.plos.org`,
		Args:    oneKeyAtMost,
		RunE:    func(c *cobra.Command, args []string) error { return a.setPaused(c.Context(), args, false) },
	}
}

func oneKeyAtMost(c *cobra.Command, args []string) error {
	switch {
	case len(args) > 1:
		return usage("%s takes one KEY at most, got %d", c.CommandPath(), len(args))
	case len(args) == 1 && args[0] == "":
		return usage("%s: the key is empty; for the whole queue leave it out", c.CommandPath())
	case len(args) == 1:
		return checkKey("the key", args[0])
	}
	return nil
}

// pauseState is what pause and resume tell.
type pauseState struct {
	Key    *string `json:"key"` // null: the whole queue
	Paused bool    `json:"paused"`
	Jobs   int     `json:"jobs"` // queued there
}

func (a *app) setPaused(ctx context.Context, args []string, paused bool) error {
	tell := pauseState{Paused: paused}
	key := ""
	if len(args) > 0 {
		key, tell.Key = args[0], &args[0]
	}
	return a.change(ctx, func(sys *quire.System) error {
		set := sys.Queue().Resume
		if paused {
			set = sys.Queue().Pause
		}
		if err := set(ctx, key); errors.Is(err, queue.ErrInvalid) {
			return usage("%w", err)
		} else if err != nil {
			return err
		}
		stats, err := sys.Queue().Stats(ctx)
		if err != nil {
			return fmt.Errorf("count jobs: %w", err)
		}
		tell.Jobs = stats.Queued
		if key != "" {
			tell.Jobs = waitingAt(stats, key)
		}
		return tell.print(a, stats)
	})
}

// waitingAt counts the queued jobs at a key.
func waitingAt(stats queue.Stats, key string) int {
	for _, k := range stats.Keys {
		if k.Key == key {
			return k.Ready + k.Delayed
		}
	}
	return 0
}

func (s pauseState) print(a *app, stats queue.Stats) error {
	if a.json {
		return a.printJSON(s)
	}
	what, state := "the queue", "not paused"
	if s.Key != nil {
		what = printable(*s.Key)
	}
	if s.Paused {
		state = "paused"
	}
	jobs := fmt.Sprintf("%d queued jobs", s.Jobs)
	switch {
	case s.Jobs == 1:
		jobs = "1 queued job"
	case s.Jobs == 0 && s.Key != nil:
		jobs = "no job is queued at this key now"
	}
	a.printf("%s is %s: %s\n", what, state, jobs)
	switch {
	case s.Paused && s.Key != nil:
		a.tip("end the pause: %s queue resume %s", a.self(), shellWord(*s.Key))
	case s.Paused:
		a.tip("end the pause: %s queue resume", a.self())
	case stats.Paused:
		a.note("the queue as a whole is still paused: %s queue resume", a.self())
	default:
		a.tipRun(s.Jobs)
	}
	return nil
}
