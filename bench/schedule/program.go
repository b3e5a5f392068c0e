package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"time"

	"github.com/quire-dev/quire"
)

// design runs the jobs of a world against its server.
type design struct {
	name string
	run  func(t *trial, ctx context.Context) error
}

func designs() []design {
	return []design{{"quire", (*trial).program}, {"blocking", (*trial).blocking}}
}

// trial is one run of one design.
type trial struct {
	place
	web      *web
	binary   string
	kills    int
	patience time.Duration // for the client to end
	progress io.Writer

	took     usage
	enqueued map[int]int64 // when jobs of the trickle were queued, by number, in Unix nanoseconds
	cut      bool          // the client did not end in time
}

// program drains the queue with the real program.
func (t *trial) program(ctx context.Context) error {
	if err := t.writeConfig(maxAttempts + t.kills); err != nil {
		return err
	}
	sys, err := t.queue(ctx)
	if err != nil {
		return fmt.Errorf("open queue: %w", err)
	}
	defer sys.Close()
	bulk, late := t.split()
	if err := t.add(ctx, sys, bulk); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	run := t.drain
	switch {
	case len(late) > 0:
		run = t.serveTrickle
	case t.rate > 0:
		run = t.forAMinute
	}
	go func() { ended <- run(ctx) }()
	if err := t.trickle(ctx, sys, late); err != nil {
		cancel()
		return errors.Join(err, <-ended)
	}
	return <-ended
}

// split returns the jobs that are there from the start, and those that come.
func (t *trial) split() (bulk, late []job) {
	for i, j := range t.Jobs {
		if j.Run == trickle {
			return t.Jobs[:i], t.Jobs[i:]
		}
	}
	return t.Jobs, nil
}

// quire is the program with arguments, not yet started.
func (t *trial) quire(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, t.binary, append([]string{"--data", t.data(), "--config", t.config(), "--progress", "none"}, args...)...)
}

// drain runs the program until the queue is drained, and kills it on the way as
// often as asked for, each time at a random moment of its part of the least time
// that the work takes.
func (t *trial) drain(ctx context.Context) error {
	random := rand.New(rand.NewPCG(t.Seed, 1))
	part := t.planned().Least / time.Duration(t.kills+1)
	over := time.After(t.patience)
	for {
		c, err := startClient(t.quire(ctx, "queue", "run", "--drain"))
		if err != nil {
			return err
		}
		stop := over
		if t.took.Kills < t.kills {
			stop = time.After(part/4 + time.Duration(random.Int64N(int64(part))))
		}
		if c.wait(stop) {
			t.took.add(c.took())
			return c.failure(0, 3)
		}
		c.kill()
		t.took.add(c.took())
		if t.took.Kills == t.kills {
			t.cut = true
			return nil
		}
		t.took.Kills++
	}
}

// forAMinute runs the program for as long as R measures.
func (t *trial) forAMinute(ctx context.Context) error {
	c, err := startClient(t.quire(ctx, "queue", "run", "--for", refuseFor.String()))
	if err != nil {
		return err
	}
	c.wait(time.After(2 * refuseFor))
	c.kill()
	t.took.add(c.took())
	return c.failure(0, 3)
}

// serveTrickle runs the program until all jobs of the trickle are served.
func (t *trial) serveTrickle(ctx context.Context) error {
	c, err := startClient(t.quire(ctx, "queue", "run"))
	if err != nil {
		return err
	}
	err = t.untilServed(ctx, c)
	c.kill()
	t.took.add(c.took())
	return err
}

// untilServed waits until the server has served the trickle.
func (t *trial) untilServed(ctx context.Context, c *client) error {
	over := time.Now().Add(t.patience)
	_, late := t.split()
	for served := 0; served < len(late); {
		if c.wait(time.After(200 * time.Millisecond)) {
			return c.failure(0)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if t.cut = time.Now().After(over); t.cut {
			return nil
		}
		if err := t.web.ask("served", &served); err != nil {
			return err
		}
	}
	return nil
}

// trickle queues jobs when they arrive.
func (t *trial) trickle(ctx context.Context, sys *quire.System, late []job) error {
	t.enqueued = make(map[int]int64, len(late))
	start := time.Now()
	for len(late) > 0 {
		if !pause(ctx, time.Until(start.Add(late[0].After))) {
			return nil // the client has ended, and says why
		}
		n := 0
		for n < len(late) && late[n].After <= time.Since(start) {
			t.enqueued[late[n].N] = time.Now().UnixNano()
			n++
		}
		if err := t.add(ctx, sys, late[:n]); err != nil {
			return err
		}
		late = late[n:]
	}
	return nil
}
