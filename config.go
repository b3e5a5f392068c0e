package quire

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/blob"
	"github.com/quire-dev/quire/internal/dump"
	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/harvest"
	"github.com/quire-dev/quire/internal/resolver"
	"github.com/quire-dev/quire/orchestrator"
	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// ErrConfig says that the configuration, not the work, is at fault.
var ErrConfig = errors.New("configuration")

// Accept is the policy on what may be stored.
type Accept = harvest.Accept

// Source is a resolver to ask.
type Source struct {
	Name    string
	BaseURL string // empty: the service's own
	APIKey  string

	// Dump is the path of an index that ImportUnpaywall has made: unpaywall, and no
	// other, then answers from it without a request.
	Dump string

	// Custom makes it a source of your own, of any name that is not taken; BaseURL
	// and APIKey are then not used. Its key is resolver:NAME, like that of any other.
	Custom *CustomSource
}

// CustomSource describes a source of your own, as Zotero's custom PDF resolvers do.
type CustomSource = resolver.Custom

// HTTP says how the network is reached.
type HTTP = fetch.Config

// Config describes a System. Zero fields have the default named.
type Config struct {
	Data      string // directory; "quire-data"
	Store     string // sqlite:PATH or postgres://…; "sqlite:DATA/quire.db"
	Artifacts string // file:DIR or s3://BUCKET/PREFIX?endpoint=URL&region=NAME; "file:DATA/artifacts"
	Contact   string // e-mail address that hosts and sources are told; without one nothing is fetched
	ReadOnly  bool   // create and change nothing
	still     bool   // with ReadOnly: as sqlite.Options.Still

	Workers             int            // requests at once over all keys; 32
	MaxPerHost          int            // requests at once at one host; 4, of which a host that is not known starts with 2
	MaxPerDomain        int            // the same for all hosts of a domain together, if they are not known; 8, at least MaxPerHost
	MaxPerResolver      map[string]int // the same for resolvers, by name
	LeaseTTL, Heartbeat time.Duration  // as in orchestrator.Config
	Grace               time.Duration
	Retry               queue.RetryPolicy
	Breaker             time.Duration // how long a key that keeps failing is left alone at first; 30 s

	// Limits override the shipped table, by key. "default_host" and
	// "default_resolver" hold for keys that neither names; 2 starts a second if
	// nothing is said. See Allowances for what comes of it.
	Limits map[string]Limit

	Sources      []Source // in the order in which they are asked; nil: those built in, but for openaire and core
	Accept       Accept
	HTTP         HTTP
	IgnoreRobots bool // do not ask robots.txt
	NoSidecars   bool // write no file beside each link in works/ that says what it is

	Log        *slog.Logger   // discarded if nil
	Observe    func(Event)    // told of each step, from many goroutines; may be nil
	ObserveKey func(KeyState) // told when a key's gate, breaker, cap or pace has changed, in the same way
	Trace      func(Trace)    // told of what is decided of each job, in the same way; nil costs nothing
}

// Event tells what became of one step of a job.
type Event = orchestrator.Event

// Trace tells of a moment in a job's step.
type Trace = orchestrator.Trace

// KeyState is how a key stands.
type KeyState = orchestrator.KeyState

func (c Config) withDefaults() (Config, error) {
	c.Data = cmp.Or(c.Data, "quire-data")
	c.Store = cmp.Or(c.Store, sqliteScheme+filepath.Join(c.Data, "quire.db"))
	c.Artifacts = cmp.Or(c.Artifacts, "file:"+filepath.Join(c.Data, "artifacts"))
	c.Workers = cmp.Or(c.Workers, 32)
	c.MaxPerHost = cmp.Or(c.MaxPerHost, 4)
	c.MaxPerDomain = cmp.Or(c.MaxPerDomain, perDomain)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Sources == nil {
		for _, name := range resolver.Names() {
			if !resolver.Scarce(name) {
				c.Sources = append(c.Sources, Source{Name: name})
			}
		}
	}
	if err := checkStore(c.Store); err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := checkArtifacts(c.Artifacts); err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return c, nil
}

func (c Config) fetch() fetch.Config {
	h := c.HTTP
	h.Contact, h.Version = c.Contact, Version
	h.MaxBytes = c.Accept.MaxBytes
	return h
}

// noContact is told to nobody: it stands for an address where none is needed.
const noContact = "unset@quire.invalid"

func (c Config) harvest(web *fetch.Client, blobs blob.Store, links *blob.Links, owners *harvest.Owners, dumps dumps) (*harvest.Harvest, error) {
	var sources []paper.Resolver
	// Planning needs the sources but asks none of them, so it needs no contact.
	contact := cmp.Or(c.Contact, noContact)
	for _, s := range c.Sources {
		r, err := s.resolver(contact, web, dumps[s.Name])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
		sources = append(sources, r)
	}
	keys := newHostKeys()
	cfg := harvest.Config{
		Resolvers: sources, Fetch: web, Blobs: blobs, BlobDir: c.blobDir(), Links: links, Owners: owners,
		Sidecars: !c.NoSidecars, Version: Version,
		HostKey: keys.of, Exempt: keys.exempt, Accept: c.Accept, Log: c.Log,
	}
	if !c.IgnoreRobots && web != nil {
		cfg.Robots = fetch.NewRobots(web)
	}
	return harvest.New(cfg)
}

func (s Source) resolver(contact string, web paper.Getter, from *dump.Index) (paper.Resolver, error) {
	switch {
	case s.Custom != nil:
		return resolver.NewCustom(s.Name, *s.Custom, web)
	case from != nil:
		return resolver.NewUnpaywallDump(from.Get), nil
	default:
		return resolver.New(s.Name, resolver.Config{BaseURL: s.BaseURL, Contact: contact, APIKey: s.APIKey}, web)
	}
}

// hostKeys maps URLs to keys. Hosts that belong to one service share its key.
type hostKeys struct {
	shared map[string]string
	api    map[string]bool // keys of documented APIs, to which robots.txt does not apply
}

func newHostKeys() hostKeys {
	k := hostKeys{shared: make(map[string]string), api: make(map[string]bool)}
	for _, l := range resolver.Limits() {
		if strings.HasPrefix(l.Key, "host:") {
			for _, host := range l.Hosts {
				k.shared["host:"+host] = l.Key
			}
		}
		if l.API {
			k.api[l.Key] = true
		}
	}
	return k
}

func (k hostKeys) of(rawURL string) string {
	key, err := paper.HostKey(rawURL)
	if err != nil {
		return "host:invalid"
	}
	return k.service(key)
}

// service returns the key that a host's key stands for: its own, or that of the
// service it belongs to.
func (k hostKeys) service(key string) string {
	if service, ok := k.shared[key]; ok {
		return service
	}
	return key
}

func (k hostKeys) exempt(rawURL string) bool { return k.api[k.of(rawURL)] }
