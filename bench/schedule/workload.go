package main

import (
	"fmt"
	"slices"
	"time"
)

// What the requests of a workload take before scaling: medians and the sigma of
// a lognormal distribution.
const (
	fileMedian = 1200 * time.Millisecond
	fileSigma  = 0.8
	askMedian  = 250 * time.Millisecond
	askSigma   = 0.5
)

const (
	askTwice = 0.5  // share of jobs whose first source does not know the work
	lacking  = 0.12 // share of jobs whose first host lacks the file

	slowFactor = 8.0 // of the slow host in C and E
	dumpFactor = 4.0 // of the host that G's dump is for

	// Ranks of the special hosts, by popularity from 0. With Zipf 1.0 over 200
	// hosts and 4,000 jobs they have 136, 85 and 68 jobs, so that none of them,
	// served as fast as it allows, takes longer than the most popular one.
	hangRank     = 4
	throttleRank = 7
	slowRank     = 9
	pacedRank    = 7

	throttleRate  = 0.5             // starts a second that the refusing host bears
	pacedEvery    = 3 * time.Second // as arXiv asks of everybody
	crossrefEvery = time.Second / 3 // Crossref's list queries, on one connection

	// Ranks of the hosts of X that are neither well nor one of those above.
	resetRank      = 4
	waitRank       = 7
	waitDateRank   = 10
	redirectRank   = 12
	robotsDownRank = 14
	robotsNoRank   = 15

	announced      = 40.0 // requests a second that Crossref allows in X at first
	announcedLater = 10.0 // and later, after a third of its requests

	trickleRate = 4.0               // jobs a second
	trickleFor  = 600 * time.Second // before scaling
	dumpShare   = 0.02              // of G2's trickle that needs the dumped host
)

// workload is one row of the table in README.md.
type workload struct {
	name    string
	about   string
	zipf    float64 // exponent of the hosts' popularity; 0: all the same
	cap     int     // requests at once at a host
	sorted  bool    // by host; otherwise shuffled
	coldest bool    // sorted the other way round
	known   bool    // the file's URL is known
	slow    bool
	faulty  bool    // one host hangs, one refuses above its rate
	paced   bool    // an arXiv-like host and Crossref on one connection
	dump    bool    // a bulk dump of half the jobs on one host comes first
	trickle bool    // jobs that arrive one by one
	needs   bool    // some of which need the dumped host
	mixed   bool    // a host of each fault, a quarter of the jobs
	rate    float64 // the only host refuses above so many starts a second, unscaled; 0: no such host
	extra   bool    // only when asked for by name
}

func workloads() []workload {
	return []workload{
		{name: "A", about: "uniform over hosts", cap: 4},
		{name: "B", about: "Zipf 1.0", zipf: 1, cap: 4},
		{name: "C", about: "B, one host 8 times as slow", zipf: 1, cap: 4, slow: true},
		{name: "D", about: "B sorted by host, the most popular first", zipf: 1, cap: 4, sorted: true},
		{name: "D2", about: "B sorted by host, the most popular last", zipf: 1, cap: 4, sorted: true, coldest: true, extra: true},
		{name: "E", about: "C, one host that hangs, one that refuses above 0.5/s", zipf: 1, cap: 4, slow: true, faulty: true},
		{name: "F", about: "B, a host with 1 per 3 s, Crossref at 3/s, one connection each", zipf: 1, cap: 4, paced: true},
		{name: "H", about: "Zipf 1.2, cap 2", zipf: 1.2, cap: 2},
		{name: "P", about: "B with URLs known", zipf: 1, cap: 4, known: true},
		{name: "G0", about: "a trickle of 4 jobs/s for 600 s alone", cap: 4, trickle: true},
		{name: "G", about: "the same trickle behind a dump on one slow host", cap: 4, dump: true, trickle: true},
		{name: "G2", about: "G, 2 % of the trickle needs the dumped host", cap: 4, dump: true, trickle: true, needs: true},
		{name: "X", about: "B with slow, resetting, waiting and redirecting hosts, robots.txt that fails or forbids, a limit that drops", zipf: 1, cap: 4, slow: true, mixed: true},
		{name: "R0.33", about: "one host that refuses above 0.33/s and does not say so, a minute", cap: 4, known: true, rate: 0.33, extra: true},
		{name: "R1", about: "the same above 1/s", cap: 4, known: true, rate: 1, extra: true},
		{name: "R3", about: "the same above 3/s", cap: 4, known: true, rate: 3, extra: true},
		{name: "R10", about: "the same above 10/s", cap: 4, known: true, rate: 10, extra: true},
	}
}

func findWorkload(name string) (workload, error) {
	all := workloads()
	if i := slices.IndexFunc(all, func(w workload) bool { return w.name == name }); i >= 0 {
		return all[i], nil
	}
	return workload{}, fmt.Errorf("no workload %q", name)
}

// spec names a workload so that driver, server and baseline, which are processes
// of their own, make the same world of it.
type spec struct {
	Workload string
	Seed     uint64
	Jobs     int     // of the batch; the trickle's number follows from its rate
	Hosts    int     // their number
	Scale    float64 // all times are divided by it
	Workers  int
}

// scaled is a time of the workload's description in the time of the rig.
func (s spec) scaled(d time.Duration) time.Duration { return time.Duration(float64(d) / s.Scale) }

// station is a server: a resolver or a host, with its key's allowance.
type station struct {
	Name     string // of the resolver, or of the host without its domain
	Resolver bool
	Cap      int
	Every    time.Duration // least time between two starts, scaled; 0: none
	slow     float64
	fault    fault
	rate     float64 // of refuses: starts a second, scaled
}

// hostname is what URLs call it. Each host is a domain of its own.
func (s station) hostname() string { return s.Name + ".example" }

// key is what the program calls it.
func (s station) key() string {
	if s.Resolver {
		return "resolver:" + s.Name
	}
	return "host:" + s.hostname()
}

// job is one work to get and the way there.
type job struct {
	N     int
	Ask   []int // resolvers by station, in the order asked: the last one knows the work
	Hosts []int // hosts by station, in the order tried: the last one has the file
	Hops  bool  // the source names the first host alone, and each one redirects to the next
	Page  bool  // the source names a page at the first host, not a file
	Run   string
	After time.Duration // arrives so long after the start, scaled
}

const (
	bulk    = "bulk"
	trickle = "trickle"
)

// stops are the stations of a job in the order it comes there.
func (j job) stops() []int { return slices.Concat(j.Ask, j.Hosts) }

func (j job) doi() string { return fmt.Sprintf("10.5555/rig.%d", j.N) }

// url is the file's, or what leads there, at the host of that place in Hosts.
func (w *world) url(j job, place int) string {
	if j.Page {
		return fmt.Sprintf("http://%s/page/rig.%d", w.Stations[j.Hosts[place]].hostname(), j.N)
	}
	return fmt.Sprintf("http://%s/%d.pdf", w.Stations[j.Hosts[place]].hostname(), j.N)
}
