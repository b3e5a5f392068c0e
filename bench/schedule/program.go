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
	go func() { ended <- t.runQueue(ctx) }()
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

// runQueue runs the program to its end, and kills it on the way as often as asked
// for, each time at a random moment of its part of the least time that the work
// takes.
func (t *trial) runQueue(ctx context.Context) error {
	random := rand.New(rand.NewPCG(t.Seed, 1))
	part := t.planned().Least / time.Duration(t.kills+1)
	args := []string{"queue", "run", "--drain"}
	switch {
	case t.rate > 0:
		args = []string{"queue", "run", "--for", refuseFor.String()}
	case t.world.trickle:
		args = []string{"queue", "run"}
	}
	over := time.Now().Add(t.patience)
	for {
		c, err := startClient(t.quire(ctx, args...))
		if err != nil {
			return err
		}
		stop := over
		if t.took.Kills < t.kills {
			stop = time.Now().Add(part/4 + time.Duration(random.Int64N(int64(part))))
		}
		how, err := t.follow(ctx, c, stop)
		if err != nil || how != cut || t.took.Kills == t.kills {
			t.cut = how == cut
			return err
		}
		t.took.Kills++
	}
}

// How a client ended.
type ending int

const (
	byItself ending = iota
	served          // its jobs are served
	cut             // at the time given
)

// follow waits for a client to end by itself, or ends it when its time is up or,
// where there is no other end to wait for, when all that it can do is done.
func (t *trial) follow(ctx context.Context, c *client, stop time.Time) (ending, error) {
	defer func() {
		c.kill()
		t.took.add(c.took())
	}()
	awaited := 0
	for _, j := range t.Jobs {
		if t.awaited(j) {
			awaited++
		}
	}
	for {
		if c.wait(time.After(min(time.Until(stop), 200*time.Millisecond))) {
			return byItself, c.failure(0, 3)
		}
		if ctx.Err() != nil || time.Now().After(stop) {
			return cut, ctx.Err()
		}
		if !t.endless() {
			continue
		}
		var n int
		if err := t.web.ask("served", &n); err != nil || n == awaited {
			return served, err
		}
	}
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
