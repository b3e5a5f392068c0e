package quire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/doctor"
	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

const (
	// lookTime is how long a look at the store may take, unless it is to be deep: a
	// SQLite database of some gigabytes on an SSD is read within it.
	lookTime = 20 * time.Second
	// reachTime is how long a place for files elsewhere may take to answer.
	reachTime = 10 * time.Second
	// askTime is how long all sources together may take: three that share a host, one
	// after the other.
	askTime = 30 * time.Second
)

// ExamineOptions say how [Examine] looks.
type ExamineOptions struct {
	Offline bool // ask no source; what Config names, such as a database server, is asked
	Deep    bool // take the time to read all of the store, see [queue.Examiner]
}

// Check is what [Examine] has found of one thing.
type Check = doctor.Check

// SourceCheck is what has come of asking a source.
type SourceCheck = doctor.Source

// Examination is what [Examine] has found.
type Examination struct {
	Checks  []Check
	Sources []SourceCheck       // in the order of Config; none if offline
	Keys    map[string]KeyState // as runs have noted them
}

// Examine looks whether what a run of cfg needs is there and well, and asks each
// source for one work, within the limits that are in force and unless its key is
// paused, gated or in use by a run. It changes nothing, neither in the data directory nor in the store, and
// what it learns of keys is not noted. It returns soon after ctx ends.
func Examine(ctx context.Context, cfg Config, opt ExamineOptions) Examination {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return Examination{Checks: []Check{{
			Name: "configuration", Status: doctor.Fail, Settings: true, Found: plain(err), Next: "see --store, --artifacts and --help",
		}}}
	}
	cfg.ReadOnly, cfg.still = true, true
	var e Examination
	places := cfg.places()
	if away := doctor.Within(ctx, "data directory", cfg.Data, func() []Check { _, _ = os.Stat(cfg.Data); return nil }); len(away) > 0 {
		e.Checks = away // whatever is there would not answer either
		return e
	}
	stored := e.store(ctx, cfg, opt.Deep)
	places.Jobs = stored.stats.Queued + stored.stats.InProgress
	e.Checks = append(e.Checks, doctor.Within(ctx, "data directory", cfg.Data, func() []Check {
		return append(places.Directories(), places.Disks()...)
	})...)
	e.Checks = append(e.Checks, doctor.OpenFiles(cfg.Workers))
	if strings.HasPrefix(cfg.Artifacts, s3Scheme) {
		e.Checks = append(e.Checks, cfg.reach(ctx))
	}
	if !opt.Offline {
		e.ask(ctx, cfg, stored)
	}
	return e
}

// plain is an error without the word that marks those of the configuration.
func plain(err error) string { return strings.TrimPrefix(err.Error(), ErrConfig.Error()+": ") }

// places are those of cfg.
func (c Config) places() doctor.Places {
	p := doctor.Places{Data: c.Data, Temp: filepath.Join(c.Data, "tmp"), MaxBytes: c.Accept.MaxBytes, Workers: c.Workers}
	if path, ok := strings.CutPrefix(c.Store, sqliteScheme); ok {
		p.Database = path
	}
	if root, ok := strings.CutPrefix(c.Artifacts, fileScheme); ok {
		if _, temp, err := c.artifactDirs(); err == nil {
			p.Files, p.Temp = root, temp
		}
	}
	return p
}

// standing is what the store says of the jobs and keys.
type standing struct {
	stats   queue.Stats
	running bool
}

// store looks at the store.
func (e *Examination) store(ctx context.Context, cfg Config, deep bool) (found standing) {
	if !deep {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lookTime)
		defer cancel()
	}
	name := strings.TrimPrefix(cfg.StoreName(), sqliteScheme)
	s, err := openStore(ctx, cfg)
	if err != nil {
		e.Checks = append(e.Checks, doctor.Unopened(name, err, errors.Is(err, ErrConfig)))
		return found
	}
	at, err := s.Examine(ctx, deep)
	if err == nil {
		e.Checks = append(e.Checks, doctor.Store(name, at)...)
		found.running = at.Running
		found.stats, err = s.Stats(ctx)
	}
	if err == nil {
		sys := &System{cfg: cfg, store: s}
		sys.allowed.Store(cfg.Allowances())
		e.Keys, err = sys.Noted(ctx)
	}
	if err != nil {
		e.Checks = append(e.Checks, doctor.Unopened(name, err, false))
	}
	if err := s.Close(); err != nil {
		e.Checks = append(e.Checks, doctor.Unopened(name, err, false))
	}
	return found
}

// reach looks whether the place for files in S3 answers. The connection wants a
// directory for temporary files, which is not made in the data directory.
func (c Config) reach(ctx context.Context) Check {
	check := Check{Name: "artifacts", Subject: c.ArtifactsName(), Status: doctor.Fail}
	err := c.reachS3(ctx)
	switch {
	case err == nil:
		check.Status, check.Found = doctor.OK, "lets us in"
	case errors.Is(err, ErrConfig), errors.Is(err, blob.ErrRefused):
		check.Found, check.Settings, check.Next = plain(err), true, "see the bucket's name and rights, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
	default:
		check.Found, check.Next = err.Error(), "see endpoint and network; a run waits for it, job by job"
	}
	return check
}

func (c Config) reachS3(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	temp, err := os.MkdirTemp("", "quire-doctor-*")
	if err != nil {
		return fmt.Errorf("temporary directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	s3, err := c.openS3(temp)
	if err != nil {
		return err
	}
	return errors.Join(s3.Check(ctx), s3.Close())
}

// ask asks the sources, and compares the clocks.
func (e *Examination) ask(ctx context.Context, cfg Config, stored standing) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	client, err := fetch.New(cfg.fetch())
	if err != nil {
		e.Checks = append(e.Checks, Check{Name: "network", Status: doctor.Fail, Settings: true, Found: err.Error(), Next: "see contact and http in the configuration"})
		return
	}
	defer client.Close()
	dumps, err := cfg.openDumps(ctx)
	if err != nil {
		e.Checks = append(e.Checks, Check{
			Name: "dump", Status: doctor.Fail, Settings: true, Found: plain(err), Next: "make it with quire sources import-unpaywall",
		})
	}
	var probes []doctor.Probe
	for _, source := range cfg.Sources {
		probes = append(probes, cfg.probe(ctx, source, dumps, e.Keys, stored))
	}
	sources, ahead := doctor.Ask(ctx, client, probes)
	e.Sources = sources
	e.Checks = append(e.Checks, doctor.Network(sources), doctor.Clock(ahead))
	if err := dumps.close(); err != nil {
		e.Checks = append(e.Checks, Check{Name: "dump", Status: doctor.Warn, Found: err.Error()})
	}
}

// probe says how a source is asked, and whether.
func (c Config) probe(ctx context.Context, s Source, dumps dumps, keys map[string]KeyState, stored standing) doctor.Probe {
	key, address, hosts := "resolver:"+s.Name, "", newHostKeys()
	if r, err := s.resolver(c.Contact, nil, nil); err == nil {
		if address = doctor.Address(ctx, r, hosts.exempt); address != "" {
			key = hosts.of(address)
		}
	}
	rule, noted := c.Allowances().Of(key).Limit, keys[key]
	if noted.Key != "" {
		if noted.PerSecond > 0 {
			rule.Every = max(rule.Every, time.Duration(float64(time.Second)/noted.PerSecond))
		}
		if noted.Cap > 0 {
			rule.InFlight = noted.Cap
		}
	}
	return doctor.Probe{
		Name: s.Name, Key: key, Rule: rule, Wait: noted.Next, Skip: s.unasked(key, dumps, noted, stored),
		TakesKey: s.Custom == nil && resolver.CapabilitiesOf(s.Name).Key, HasKey: s.APIKey != "",
		Address: address,
		Make:    func(get paper.Getter) (paper.Resolver, error) { return s.resolver(c.Contact, get, nil) },
	}
}

// unasked says why a source is not to be asked now; empty if it may be.
func (s Source) unasked(key string, dumps dumps, noted KeyState, stored standing) string {
	if stored.stats.Paused {
		return "the queue is paused: quire queue resume"
	}
	for _, k := range stored.stats.Keys {
		switch {
		case k.Key != key:
		case k.Paused:
			return "paused: quire queue resume " + key
		case stored.running && k.Ready+k.InFlight > 0:
			return "a run is asking it: see quire queue stats"
		}
	}
	switch {
	case noted.Gate > 0:
		until := time.Now().Add(noted.Gate)
		return fmt.Sprintf("%s, not to be asked for %s, until %s", noted.Reason, noted.Gate.Round(time.Second), until.Format(time.DateTime))
	case dumps[s.Name] != nil:
		return "answers from " + s.Dump + ", without a request"
	}
	return ""
}
