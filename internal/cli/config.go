package cli

import (
	"net/netip"
	"time"
)

// Config is everything that the configuration file can say. It is made of the defaults, the
// file, the environment and the flags, in that order, by loadConfig. A path such
// as orchestrator.max_workers names a value in all four.
//
// The tags of a field say all there is to know of it: range and oneof bound what
// is accepted from anywhere, doc goes into the schema, flag is the flag that sets
// it if it has one, and file:"no" keeps it out of the file.
type Config struct {
	Contact      contact            `yaml:"contact" flag:"contact" doc:"your e-mail address; sources want to know whom to write to"`
	Orchestrator orchestratorConfig `yaml:"orchestrator" doc:"how many jobs run, and how long they are kept"`
	Retry        retryConfig        `yaml:"retry" doc:"how failed attempts are spaced out"`
	Limits       limitsConfig       `yaml:"limits" doc:"what each host and resolver is asked to bear; overrides the shipped table"`
	Resolvers    resolversConfig    `yaml:"resolvers" doc:"where full texts are looked for"`
	Accept       acceptConfig       `yaml:"accept" doc:"which files are kept"`
	HTTP         httpConfig         `yaml:"http" doc:"how the network is used"`
	Robots       robotsConfig       `yaml:"robots" doc:"robots.txt"`
	Works        worksConfig        `yaml:"works" doc:"the tree with a name for each file"`
}

type orchestratorConfig struct {
	MaxWorkers     int         `yaml:"max_workers" flag:"max-workers" range:"1..1024" doc:"requests in flight at once, over all keys"`
	MaxPerHost     int         `yaml:"max_per_host" range:"1..64" doc:"default in-flight cap of a host"`
	MaxPerDomain   int         `yaml:"max_per_domain" range:"1..256" doc:"in-flight cap of all hosts of a domain together, at least max_per_host; not of hosts in the shipped table"`
	MaxPerResolver perResolver `yaml:"max_per_resolver" range:"1..64" doc:"in-flight caps of resolvers, by name"`
	LeaseTTL       duration    `yaml:"lease_ttl" range:"100ms..24h" doc:"how long a job stays taken without a heartbeat"`
	Heartbeat      duration    `yaml:"heartbeat" range:"10ms..12h" doc:"how often leases are extended; under lease_ttl/2"`
	Grace          duration    `yaml:"grace" range:"0s..24h" doc:"how long SIGTERM lets running steps finish"`
}

type retryConfig struct {
	MaxAttempts int      `yaml:"max_attempts" range:"1..100" doc:"tries until a failing job ends in error"`
	Base        duration `yaml:"base" range:"1ms..24h" doc:"the most the first wait can be"`
	Factor      float64  `yaml:"factor" range:"1..10" doc:"growth of the wait per attempt"`
	Max         duration `yaml:"max" range:"1ms..720h" doc:"the most any wait can be"`
	Breaker     duration `yaml:"breaker" range:"1ms..24h" doc:"how long a host or resolver that keeps failing is left alone at first"`
}

type acceptConfig struct {
	Formats  []string `yaml:"formats" oneof:"pdf,xml,source,html,supplement" doc:"what is got of each work that is added, an artifact for each"`
	Versions []string `yaml:"versions" oneof:"published,accepted,submitted" doc:"versions of works"`
	Licenses []string `yaml:"licenses" doc:"licences such as cc-by-4.0, or any"`
	MaxBytes byteSize `yaml:"max_bytes" range:"1B..1TiB" doc:"larger files are not downloaded"`
}

type httpConfig struct {
	Timeouts      timeoutsConfig `yaml:"timeouts" doc:"how long one request may take"`
	ConnectTo     []connectTo    `yaml:"connect_to" doc:"connect elsewhere, as curl's --connect-to: HOST1:PORT1:HOST2:PORT2, empty parts match all"`
	CAFile        filePath       `yaml:"ca_file" doc:"extra trust roots, PEM"`
	AllowNetworks []netip.Prefix `yaml:"allow_networks" doc:"networks such as 10.0.0.0/8 that may be connected to although private"`
	Proxy         proxyURL       `yaml:"proxy" doc:"HTTP proxy that everything goes through by CONNECT, http://HOST:PORT; HTTP_PROXY is not read"`
	HTTP1Only     bool           `yaml:"http1_only" doc:"never speak HTTP/2"`
	UserAgent     userAgent      `yaml:"user_agent" doc:"default: quire/VERSION (+URL; mailto:CONTACT)"`
}

type timeoutsConfig struct {
	Connect duration `yaml:"connect" range:"10ms..10m" doc:"until connected, TLS included"`
	Header  duration `yaml:"header" range:"10ms..1h" doc:"until the answer begins"`
	Idle    duration `yaml:"idle" range:"10ms..1h" doc:"without a byte of the body"`
	Total   duration `yaml:"total" range:"10ms..24h" doc:"for the whole exchange"`
}

type robotsConfig struct {
	Obey bool `yaml:"obey" doc:"do as robots.txt says where it applies"`
}

type worksConfig struct {
	Sidecars bool `yaml:"sidecars" doc:"beside each link a file NAME.json that says where the work's file is from"`
}

// defaultConfig holds for whatever nobody has configured.
func defaultConfig() Config {
	return Config{
		Orchestrator: orchestratorConfig{
			MaxWorkers:     32,
			MaxPerHost:     4,
			MaxPerDomain:   8,
			MaxPerResolver: perResolver{"unpaywall": 2, "crossref": 3},
			LeaseTTL:       duration(10 * time.Minute),
			Heartbeat:      duration(30 * time.Second),
			Grace:          duration(30 * time.Second),
		},
		Retry:     retryConfig{MaxAttempts: 3, Base: duration(time.Minute), Factor: 2, Max: duration(time.Hour), Breaker: duration(30 * time.Second)},
		Limits:    limitsConfig{DefaultHost: limitConfig{PerSecond: 2}, DefaultResolver: limitConfig{PerSecond: 1}, Keys: keyLimits{}},
		Resolvers: defaultResolvers(),
		Accept: acceptConfig{
			Formats:  []string{"pdf"},
			Versions: []string{"published", "accepted", "submitted"},
			Licenses: []string{"any"},
			MaxBytes: 256 << 20,
		},
		HTTP: httpConfig{
			Timeouts: timeoutsConfig{
				Connect: duration(10 * time.Second),
				Header:  duration(30 * time.Second),
				Idle:    duration(30 * time.Second),
				Total:   duration(15 * time.Minute),
			},
			ConnectTo:     []connectTo{},
			AllowNetworks: []netip.Prefix{},
			HTTP1Only:     true,
		},
		Robots: robotsConfig{Obey: true},
		Works:  worksConfig{Sidecars: true},
	}
}
