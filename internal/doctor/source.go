package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
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

// judge says what an answer means, or that there was none.
func (p Probe) judge(ctx context.Context, s *Source, way *line, err error) {
	s.Host, s.HTTP, s.Latency, s.ahead = way.host, way.status, way.latency, way.ahead
	s.Fields, s.Announced = limitFields(way.header), way.announced
	fail, _ := errors.AsType[*paper.Failure](err)
	if fail != nil && s.HTTP == 0 {
		s.HTTP = fail.Status
	}
	if err == nil {
		s.Status, s.Found = OK, fmt.Sprintf("%d in %s", s.HTTP, span(s.Latency))
		p.compare(s)
		return
	}
	s.Found = p.brief(err, way.host)
	switch class := classOf(fail); {
	case errors.Is(ctx.Err(), context.Canceled):
		s.Status, s.Found = Skipped, "interrupted"
	case class == paper.Throttled, class == paper.BudgetExhausted:
		s.Status, s.Found = Warn, fmt.Sprintf("%d: it asks for fewer requests", s.HTTP)
		if fail.RetryAfter > 0 {
			s.Found = fmt.Sprintf("%d: it wants to be left alone for %s", s.HTTP, span(fail.RetryAfter))
		}
		s.Next = "a run waits as long and goes on elsewhere; look whether others use this address or key"
	case s.HTTP == http.StatusUnauthorized, s.HTTP == http.StatusForbidden && (p.HasKey || p.TakesKey):
		s.Status, s.Settings, s.Next = Fail, true, "see the key: resolvers."+p.Name+".api_key_file; or leave the source out"
	case class == paper.Config && s.HTTP > 0:
		s.Status, s.Settings, s.Next = Fail, true, "see contact and resolvers."+p.Name+": it does not take what it is told of you"
	case class == paper.Config:
		s.Status, s.Settings, s.Next = Fail, true, "see http in the configuration: ca_file, proxy"
	case s.HTTP >= 500:
		s.Status, s.Next = Warn, "it has trouble of its own; a run goes on with the others and asks it again"
	case s.HTTP == 0:
		s.Status = Fail
		s.Next = "see network, name server, firewall, http.proxy and resolvers." + p.Name + ".base_url"
	case class == paper.Challenge, class == paper.Forbidden:
		s.Status, s.Next = Fail, "it shuts this address out; ask the service, or leave it out: resolvers."+p.Name+".enabled: false"
	default:
		s.Status, s.Next = Warn, "it does not answer as it is documented: see resolvers."+p.Name+".base_url"
	}
}

// brief is an error without what its row says already, and with the host in place of
// the whole address.
func (p Probe) brief(err error, host string) string {
	text := strings.TrimPrefix(err.Error(), "ask "+p.Name+": ")
	for _, start := range []string{"get http", "post http"} {
		if address, why, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(address, start) {
			return host + ": " + why
		}
	}
	return text
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

func classOf(f *paper.Failure) paper.Class {
	if f == nil {
		return ""
	}
	return f.Class
}

// compare says whether a key announces less than what is in force, or more.
func (p Probe) compare(s *Source) {
	a := s.Announced
	whole := time.Duration(float64(a.Every) * fetch.PaceShare) // as it was announced
	const same = 1.01                                          // the share is no exact number
	switch {
	case a.Wait > 0:
		s.Status, s.Found = Warn, fmt.Sprintf("%s; its quota is used up for %s", s.Found, span(a.Wait))
		s.Next = "a run waits as long and goes on elsewhere"
	case float64(whole) > float64(p.Rule.Every)*same:
		s.Status = Warn
		s.Found = fmt.Sprintf("%s; announces %s, less than the %s in force", s.Found, rate(whole), rate(p.Rule.Every))
		s.Next = fmt.Sprintf("a run keeps to that from its first answer on; to begin with it: limits: {%s: {every: %s}}", p.Key, roundUp(whole))
	case a.InFlight > 0 && (p.Rule.InFlight == 0 || a.InFlight < p.Rule.InFlight):
		s.Status = Warn
		s.Found = fmt.Sprintf("%s; announces %d at once, less than the %d in force", s.Found, a.InFlight, p.Rule.InFlight)
		s.Next = fmt.Sprintf("a run keeps to that from its first answer on; to begin with it: limits: {%s: {in_flight: %d}}", p.Key, a.InFlight)
	case whole > 0 && float64(whole)*same < float64(p.Rule.Every):
		s.Found = fmt.Sprintf("%s; announces more: %s", s.Found, rate(whole))
	}
}

// rate writes the least time between two starts as people think of it.
func rate(every time.Duration) string {
	switch {
	case every <= 0:
		return "any number"
	case every < time.Second:
		return strings.TrimSuffix(strconv.FormatFloat(float64(time.Second)/float64(every), 'f', 1, 64), ".0") + "/s"
	}
	return "one every " + every.Round(10*time.Millisecond).String()
}

// roundUp makes an interval one that is nice to write, and no shorter.
func roundUp(d time.Duration) time.Duration {
	const to = time.Millisecond
	return (d + to - 1).Truncate(to)
}
