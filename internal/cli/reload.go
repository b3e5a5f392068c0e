package cli

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/quire-dev/quire"
)

// follower keeps the limits of a run as the configuration says when it is told to
// read it again.
type follower struct {
	*app
	flags  map[string]string
	began  *loaded // what the run began with
	now    *loaded // the limits are as here
	reload <-chan struct{}
}

// follow reads the configuration for a command that makes requests.
func (a *app) follow(flags map[string]string) (*follower, error) {
	reload := a.env.Reload() // first: from now on SIGHUP does not end the program
	l, err := a.readForNetwork(flags)
	if err != nil {
		return nil, err
	}
	return &follower{app: a, flags: flags, began: l, now: l, reload: reload}, nil
}

// start changes the limits of sys whenever it is told to, until the function that
// it returns is called. A nil follower does nothing.
func (f *follower) start(ctx context.Context, sys *quire.System, log *slog.Logger) (stop func()) {
	if f == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-f.reload:
				f.again(ctx, sys, log)
			}
		}
	})
	return func() {
		cancel()
		following.Wait()
	}
}

// again reads the configuration again. One that is bad changes nothing.
func (f *follower) again(ctx context.Context, sys *quire.System, log *slog.Logger) {
	l, err := f.load(f.flags)
	if err != nil {
		log.WarnContext(ctx, "SIGHUP: the limits stay as they are: "+printable(strings.ReplaceAll(err.Error(), "\n", "; ")))
		return
	}
	limits, _ := differences(f.now, l)
	_, others := differences(f.began, l)
	if len(limits) > 0 {
		sys.SetLimits(l.Config.library())
	}
	f.now = l
	if f.logFormat == "json" {
		log.InfoContext(ctx, "limits", "changed", limits, "at_next_run", others)
		return
	}
	text := "no limit has changed"
	if len(limits) > 0 {
		text = "limits changed: " + some(limits)
	}
	if len(others) > 0 {
		text += "; at the next run only: " + some(others)
	}
	log.InfoContext(ctx, "SIGHUP: "+printable(text))
}

// some lists as many as a line has room for.
func some(texts []string) string {
	const most = 8
	if more := len(texts) - most; more > 0 {
		texts = append(slices.Clone(texts[:most]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, ", ")
}

// differences tells what is different in after: limits with their values, and the
// paths of all else.
func differences(before, after *loaded) (limits, others []string) {
	limits, others = []string{}, []string{} // not null in the log
	was, is := before.values(), after.values()
	var paths []string
	for _, l := range []*loaded{before, after} {
		for _, o := range l.Origins() {
			paths = append(paths, o.Path)
		}
	}
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		old, now := was[path], is[path]
		switch {
		case old.IsValid() && now.IsValid() && reflect.DeepEqual(old.Interface(), now.Interface()):
		case isLimit(path):
			limits = append(limits, fmt.Sprintf("%s %s → %s", path, shownIf(old), shownIf(now)))
		default:
			others = append(others, path)
		}
	}
	return limits, others
}

// values holds the settings by path.
func (l *loaded) values() map[string]reflect.Value {
	out := make(map[string]reflect.Value)
	walk(reflect.ValueOf(l.Config), "", func(path string, v reflect.Value) { out[path] = v })
	return out
}

func shownIf(v reflect.Value) string {
	if !v.IsValid() {
		return "not set"
	}
	return show(v)
}

// isLimit reports whether a setting is one of those that System.SetLimits puts in force.
func isLimit(path string) bool {
	switch path {
	case "orchestrator.max_per_host", "orchestrator.max_per_domain", "retry.breaker":
		return true
	}
	return strings.HasPrefix(path, "limits.") || strings.HasPrefix(path, "orchestrator.max_per_resolver.")
}
