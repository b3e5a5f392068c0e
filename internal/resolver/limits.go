package resolver

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/goccy/go-yaml"
)

//go:embed limits.yaml
var limitsYAML []byte

// Limit is what a service allows, as far as we know.
type Limit struct {
	Key      string        // resolver:crossref or host:arxiv.org
	Hosts    []string      // of a host key: other hosts that share it; of a resolver key: those of its API
	InFlight int           // requests at once
	Every    time.Duration // least time between two starts

	// API says that the hosts are there for programs: robots.txt is not asked,
	// neither at Hosts nor at the host that the key names.
	API bool

	VerifiedOn string // month in which the number was last looked up, as 2026-11
	Source     string // where the number is from
}

// Limits returns the shipped table. Hosts and keys are in lower case and occur
// once each among the host keys.
func Limits() []Limit {
	limits, err := parseLimits(limitsYAML)
	if err != nil {
		panic("embedded limits.yaml: " + err.Error()) // a broken build; tests read the table
	}
	return limits
}

// parseLimits reads the table strictly: a key that is not known is an error.
func parseLimits(text []byte) ([]Limit, error) {
	var rows []struct {
		Key        string   `yaml:"key"`
		Hosts      []string `yaml:"hosts"`
		InFlight   int      `yaml:"in_flight"`
		PerSecond  float64  `yaml:"per_second"`
		Every      string   `yaml:"every"`
		API        bool     `yaml:"api"`
		VerifiedOn string   `yaml:"verified_on"`
		Source     string   `yaml:"source"`
	}
	if err := yaml.UnmarshalWithOptions(text, &rows, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("parse limits: %w", err)
	}
	limits := make([]Limit, 0, len(rows))
	for _, r := range rows {
		l := Limit{
			Key: r.Key, Hosts: r.Hosts, InFlight: r.InFlight, API: r.API,
			VerifiedOn: r.VerifiedOn, Source: r.Source,
		}
		switch {
		case r.PerSecond > 0:
			l.Every = time.Duration(float64(time.Second) / r.PerSecond)
		case r.Every != "":
			every, err := time.ParseDuration(r.Every)
			if err != nil {
				return nil, fmt.Errorf("limit of %s: every: %w", r.Key, err)
			}
			l.Every = every
		}
		limits = append(limits, l)
	}
	return limits, nil
}
