package doctor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/limit"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// patience is how long a probe waits for the pace of its key.
const patience = 5 * time.Second

// Probe describes a source that is to be asked.
type Probe struct {
	Name, Key string
	Make      func(paper.Getter) (paper.Resolver, error) // that asks in this way
	Rule      limit.Rule                                 // in force at the key
	Wait      time.Duration                              // until its pace allows a request
	Skip      string                                     // why it is not to be asked; empty: it is
	TakesKey  bool                                       // the service gives out keys
	HasKey    bool                                       // and there is one
	Address   string                                     // what is asked of a source that makes no request, see [Address]
}

// Source is what came of asking a source.
type Source struct {
	Check // named as the source, its Subject the key

	Host      string
	HTTP      int           // status; 0: no answer
	Latency   time.Duration // of the answer
	Fields    map[string]string
	Announced queue.Allowance // rates at [fetch.PaceShare]

	ahead *time.Duration
}

// Ask asks each source for one work, side by side but for those of one host, and
// returns what came of it in their order, and by how much the clocks of the hosts
// are ahead.
func Ask(ctx context.Context, client *fetch.Client, probes []Probe) (sources []Source, ahead []time.Duration) {
	sources = make([]Source, len(probes))
	var turns hosts
	var asking sync.WaitGroup
	for i, p := range probes {
		asking.Go(func() { sources[i] = p.ask(ctx, client, &turns) })
	}
	asking.Wait()
	heard := make(map[string]bool)
	for _, s := range sources {
		if s.ahead != nil && !heard[s.Host] {
			heard[s.Host] = true
			ahead = append(ahead, *s.ahead)
		}
	}
	return sources, ahead
}

func (p Probe) ask(ctx context.Context, client *fetch.Client, turns *hosts) Source {
	s := Source{Check: Check{Name: p.Name, Subject: p.Key, Status: Skipped}}
	way := &line{client: client, hosts: turns, pace: p.Rule.Every}
	r, err := p.Make(way)
	switch {
	case err != nil:
		s.Status, s.Settings, s.Found, s.Next = Fail, true, err.Error(), "mend resolvers."+p.Name+" in the configuration"
		return s
	case p.Skip != "":
		s.Found = p.Skip
		return s
	case p.Wait > patience:
		s.Found = fmt.Sprintf("its pace allows the next request in %s", span(p.Wait))
		return s
	}
	work, ok := workFor(r)
	if !ok {
		s.Found = "there is no work to ask it about"
		return s
	}
	if r.Local() && p.Address == "" {
		s.Status, s.Found = OK, "makes addresses without a request"
		return s
	}
	err = pause(ctx, p.Wait)
	switch {
	case err != nil:
	case r.Local():
		err = p.open(ctx, way)
	default:
		_, err = r.Resolve(ctx, []paper.Artifact{work})
	}
	p.judge(ctx, &s, way, err)
	return s
}

// Address returns the first address, of those that a source makes up without a
// request, that is there for programs; empty if there is none.
func Address(ctx context.Context, r paper.Resolver, program func(url string) bool) string {
	work, ok := workFor(r)
	if !ok || !r.Local() {
		return ""
	}
	answers, err := r.Resolve(ctx, []paper.Artifact{work})
	if err != nil || len(answers) == 0 {
		return ""
	}
	for _, c := range answers[0].Candidates {
		if program(c.URL) {
			return c.URL
		}
	}
	return ""
}

// open asks for p.Address. A redirect, or that there is no such thing, is an answer.
func (p Probe) open(ctx context.Context, way *line) error {
	reply, err := way.open(ctx, p.Address)
	if err != nil || reply.Status >= 300 && reply.Status < 400 {
		return err
	}
	if f := fetch.Classify(reply.Status, reply.Header, nil); f != nil && f.Class != paper.Gone {
		return f
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Network says whether any source answered. If none did, what to do is the same for
// all of them, and their own rows no longer say it.
func Network(sources []Source) Check {
	asked, answered := 0, 0
	for _, s := range sources {
		if s.Host != "" {
			asked++
		}
		if s.HTTP > 0 {
			answered++
		}
	}
	c := Check{Name: "network", Status: OK, Found: fmt.Sprintf("%d of %d sources answered", answered, asked)}
	switch {
	case asked == 0:
		c.Status, c.Found = Skipped, "no source was asked"
	case answered == 0:
		c.Status, c.Next = Fail, "see network, name server, firewall and http.proxy"
		for i := range sources {
			if sources[i].Status == Fail && sources[i].Host != "" {
				sources[i].Next = ""
			}
		}
	}
	return c
}
