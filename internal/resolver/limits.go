package resolver

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
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
	Burst    int           // starts that may come at once after a rest; 0 if there is nothing to say
	Batch    int           // works that one request may ask for; 0 if there is nothing to say
	Daily    int           // requests in a day of UTC; 0 for any number

	// API says that the hosts are there for programs: robots.txt is not asked,
	// neither at Hosts nor at the host that the key names.
	API bool

	VerifiedOn string // month in which the numbers were last looked up, as 2026-11
	Source     string // where the numbers are from, and which are inferred
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

// limitRow is a row of the table as it is written.
type limitRow struct {
	Key        string   `yaml:"key"`
	Hosts      []string `yaml:"hosts"`
	InFlight   int      `yaml:"in_flight"`
	PerSecond  *float64 `yaml:"per_second"`
	Every      string   `yaml:"every"`
	Burst      *int     `yaml:"burst"`
	Batch      *int     `yaml:"batch"`
	Daily      *int     `yaml:"daily"`
	API        bool     `yaml:"api"`
	VerifiedOn string   `yaml:"verified_on"`
	Source     string   `yaml:"source"`
}

// parseLimits reads the table strictly: fields that are not known, values that
// mean nothing, and keys and hosts that occur twice are errors.
func parseLimits(text []byte) ([]Limit, error) {
	var rows []limitRow
	if err := yaml.UnmarshalWithOptions(text, &rows, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("parse limits: %w", err)
	}
	limits := make([]Limit, 0, len(rows))
	seen := make(map[string]bool)
	for _, r := range rows {
		l, err := r.limit()
		if err != nil {
			return nil, fmt.Errorf("limit of %q: %w", r.Key, err)
		}
		for _, key := range l.names() {
			if seen[key] {
				return nil, fmt.Errorf("limit of %q: %s has a limit already", r.Key, key)
			}
			seen[key] = true
		}
		limits = append(limits, l)
	}
	return limits, nil
}

// names are the keys that a row decides on: its own, and those of the hosts that
// share it.
func (l Limit) names() []string {
	names := []string{l.Key}
	if strings.HasPrefix(l.Key, "host:") {
		for _, host := range l.Hosts {
			names = append(names, "host:"+host)
		}
	}
	return names
}

func (r limitRow) limit() (Limit, error) {
	l := Limit{
		Key: r.Key, Hosts: r.Hosts, InFlight: r.InFlight, API: r.API,
		VerifiedOn: r.VerifiedOn, Source: r.Source,
	}
	kind, name, _ := strings.Cut(r.Key, ":")
	if kind != "host" && kind != "resolver" || name == "" {
		return l, errors.New("key is neither resolver:NAME nor host:NAME")
	}
	for _, text := range append([]string{r.Key}, r.Hosts...) {
		if text == "" || text != strings.ToLower(text) {
			return l, fmt.Errorf("%q is not in lower case", text)
		}
	}
	var err error
	if l.Every, err = r.every(); err != nil {
		return l, err
	}
	if l.InFlight < 1 {
		return l, fmt.Errorf("in_flight is %d, must be at least 1", l.InFlight)
	}
	for _, count := range []struct {
		field string
		from  *int
		to    *int
	}{{"burst", r.Burst, &l.Burst}, {"batch", r.Batch, &l.Batch}, {"daily", r.Daily, &l.Daily}} {
		if count.from == nil {
			continue
		}
		if *count.to = *count.from; *count.from < 1 {
			return l, fmt.Errorf("%s is %d, must be at least 1", count.field, *count.from)
		}
	}
	switch {
	case kind == "host" && l.Batch > 0:
		return l, errors.New("batch is for resolvers")
	case l.Source == "":
		return l, errors.New("source is missing")
	}
	if _, err := time.Parse("2006-01", l.VerifiedOn); err != nil {
		return l, fmt.Errorf("verified_on: %w", err)
	}
	return l, nil
}

// every is the least time between two starts, written in one of two ways.
func (r limitRow) every() (time.Duration, error) {
	switch {
	case (r.PerSecond == nil) == (r.Every == ""):
		return 0, errors.New("there must be one of per_second and every")
	case r.Every != "":
		every, err := time.ParseDuration(r.Every)
		if err == nil && every <= 0 {
			err = fmt.Errorf("%s is not positive", r.Every)
		}
		if err != nil {
			return 0, fmt.Errorf("every: %w", err)
		}
		return every, nil
	case !(*r.PerSecond > 0 && *r.PerSecond <= 1e6): // nor NaN
		return 0, fmt.Errorf("per_second is %v, must be positive and at most a million", *r.PerSecond)
	}
	return time.Duration(float64(time.Second) / *r.PerSecond), nil
}
