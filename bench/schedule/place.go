package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/paper"
)

const contact = "rig@quire-tests.org"

// place is a data directory with a configuration that leads to the rig.
type place struct {
	*world
	dir  string
	port int
}

func (p place) config() string { return filepath.Join(p.dir, "quire.yaml") }
func (p place) data() string   { return filepath.Join(p.dir, "data") }

// Timeouts of the program, before scaling: its own defaults.
const (
	connectTimeout = 10 * time.Second
	answerTimeout  = 30 * time.Second
	retryBase      = time.Minute
	retryMax       = time.Hour
	breaker        = 30 * time.Second
	maxAttempts    = 3
)

// writeConfig writes the program's configuration: the limits of the world, so
// that the bound can be computed from them, and its times scaled.
func (p place) writeConfig(attempts int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "contact: %s\n", contact)
	fmt.Fprintf(&b, "orchestrator: {max_workers: %d, max_per_host: 64, max_per_resolver: {", p.Workers)
	for _, s := range p.Stations[:firstHost] {
		fmt.Fprintf(&b, "%s: %d, ", s.Name, s.Cap)
	}
	fmt.Fprintf(&b, "}}\nretry: {max_attempts: %d, base: %v, max: %v, breaker: %v}\n",
		attempts, p.scaled(retryBase), p.scaled(retryMax), p.scaled(breaker))
	fmt.Fprintf(&b, "limits:\n  default_host: {in_flight: %d, per_second: 1000000}\n", p.cap)
	for _, s := range p.Stations {
		single := "" // one work per request, as the world has it
		if s.Resolver {
			single = ", batch: 1"
		}
		switch {
		case s.Every > 0:
			fmt.Fprintf(&b, "  %s: {in_flight: %d, every: %v%s}\n", s.key(), s.Cap, s.Every, single)
		case s.Resolver:
			fmt.Fprintf(&b, "  %s: {in_flight: %d, per_second: 1000000%s}\n", s.key(), s.Cap, single)
		}
	}
	var order []string
	for _, s := range p.sources() {
		order = append(order, s.Name)
	}
	fmt.Fprintf(&b, "resolvers:\n  order: [%s]\n", strings.Join(order, ", "))
	for _, s := range p.sources() {
		if s.BaseURL != "" {
			fmt.Fprintf(&b, "  %s: {base_url: %s}\n", s.Name, s.BaseURL)
		}
	}
	fmt.Fprintf(&b, "http:\n  timeouts: {connect: %v, header: %v, idle: %v}\n  allow_networks: [127.0.0.0/8]\n  connect_to:\n",
		p.scaled(connectTimeout), p.scaled(answerTimeout), p.scaled(answerTimeout))
	for at, s := range p.Stations {
		fmt.Fprintf(&b, "    - %s:80:%s:%d\n", s.hostname(), address(at), p.port)
	}
	if err := os.WriteFile(p.config(), []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// sources are the resolvers that the program is to ask. Works that are known by
// their URL alone are what landing is for, which makes no request for them.
func (p place) sources() []quire.Source {
	if p.known {
		return []quire.Source{{Name: "landing"}}
	}
	var all []quire.Source
	for _, s := range p.Stations[:firstHost] {
		all = append(all, quire.Source{Name: s.Name, BaseURL: "http://" + s.hostname()})
	}
	return all
}

// queue opens the queue to add jobs to it.
func (p place) queue(ctx context.Context) (*quire.System, error) {
	return quire.Open(ctx, quire.Config{Data: p.data(), Contact: contact, Sources: p.sources()})
}

// add queues jobs in their order.
func (p place) add(ctx context.Context, sys *quire.System, jobs []job) error {
	const batch = 1000
	for len(jobs) > 0 {
		some := jobs[:min(batch, len(jobs))]
		jobs = jobs[len(some):]
		requests := make([]quire.Request, len(some))
		for i, j := range some {
			text, hint := j.doi(), ""
			if p.known {
				text = p.url(j, 0)
			} else {
				hint = p.Stations[j.Ask[0]].Name
			}
			artifact, err := paper.ParseID(text)
			if err != nil {
				return fmt.Errorf("queue job %d: %w", j.N, err)
			}
			requests[i] = quire.Request{Artifact: artifact, Hint: hint}
		}
		if _, err := sys.Add(ctx, requests, quire.AddOptions{Run: some[0].Run}); err != nil {
			return err
		}
	}
	return nil
}
