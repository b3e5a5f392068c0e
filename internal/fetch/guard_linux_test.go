package fetch_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/internal/testnet"
	"github.com/quire-dev/quire/paper"
)

// privateAddresses are one or more of each kind that is never to be dialled.
var privateAddresses = []string{
	"127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "0.0.0.1", "::", "::127.0.0.1",
	"169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fc00::1", "fe80::1", "fec0::1",
	"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1", "192.0.0.192",
	"192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.255", "2001:db8::1", "3fff::1", "100::1",
	"224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "ff02::1",
	"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:7f00:1::1",
	"::ffff:10.0.0.1", "::ffff:a9fe:a9fe",
}

// TestGuard dials with production defaults where every address answers: cases C 63
// to 82 of what a URL, a name or an answer of DNS can hide.
func TestGuard(t *testing.T) {
	if !testnet.InNamespace(t) {
		return
	}
	testnet.TakeEveryAddress(t)
	canary := new(testnet.Canary)
	for _, port := range []int{80, 8080, 25} {
		canary.Start(t, port)
	}
	defaults := func(cfg *fetch.Config) { cfg.AllowNetworks = nil }

	t.Run("public addresses answer", func(t *testing.T) {
		c := newClient(t, defaults)
		for _, host := range []string{"93.184.215.14", "[2606:4700::1111]:8080"} {
			if body, err := open(t, c, "http://"+host); err != nil || string(body) != "canary" {
				t.Errorf("%s: %q, %v", host, body, err)
			}
		}
		checkReached(t, canary, "93.184.215.14:80", "[2606:4700::1111]:8080")
	})
	t.Run("C 64-76, in URLs", func(t *testing.T) {
		c := newClient(t, defaults)
		for _, text := range privateAddresses {
			for _, port := range []string{"80", "8080"} {
				_, err := open(t, c, "http://"+net.JoinHostPort(text, port))
				checkClass(t, err, paper.PolicySkipped)
			}
		}
		for _, host := range []string{
			"2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "127.1", "0", "[fe80::1%25lo]", "localhost", "localhost.",
			"a.localhost", "metadata.google.internal", "printer.local", "intranet", "good.org@127.0.0.1", "127.0.0.1#@good.org",
		} {
			if _, err := open(t, c, "http://"+host+"/"); err == nil {
				t.Errorf("%s: no error", host)
			}
		}
		checkReached(t, canary)
	})
	t.Run("behind connect-to rules", func(t *testing.T) {
		for _, text := range privateAddresses {
			addr := netip.MustParseAddr(text)
			for _, port := range []string{"80", ""} {
				c := newClient(t, func(cfg *fetch.Config) {
					cfg.AllowNetworks = nil
					cfg.ConnectTo = []string{fmt.Sprintf("good.org:80:[%s]:%s", addr, port)}
				})
				_, err := open(t, c, "http://good.org/")
				checkClass(t, err, paper.PolicySkipped)
			}
		}
		checkReached(t, canary)
	})
	t.Run("for APIs and robots.txt", func(t *testing.T) { checkSockets(t, canary) })
	names := names()
	names.Serve(t)
	t.Run("behind names", func(t *testing.T) { checkNames(t, canary) })
	t.Run("C 94, behind a proxy", func(t *testing.T) { checkProxied(t, canary) })
	t.Run("D 121, odd answers of DNS", func(t *testing.T) { checkDNS(t, canary) })
}

// checkSockets tries the other ways to open one: whatever the program connects to
// goes through a Client.
func checkSockets(t *testing.T, canary *testnet.Canary) {
	c := newClient(t, func(cfg *fetch.Config) { cfg.AllowNetworks = nil })
	robots := fetch.NewRobots(c)
	for _, text := range privateAddresses {
		url := "http://" + net.JoinHostPort(text, "80") + "/robots.txt"
		_, err := c.Get(t.Context(), url, nil)
		checkClass(t, err, paper.PolicySkipped)
		_, err = c.Post(t.Context(), url, nil, []byte("{}"))
		checkClass(t, err, paper.PolicySkipped)
		_, err = robots.Load(t.Context(), url)
		checkClass(t, err, paper.PolicySkipped)
		_, err = c.Do(t.Context(), fetch.Ask{URL: url, Cookies: fetch.Cookies{{URL: url, Set: "a=b"}}})
		checkClass(t, err, paper.PolicySkipped)
	}
	checkReached(t, canary)
}

// checkProxied wants the proxy to be asked for public addresses only. It is itself
// at a private one, as proxies are.
func checkProxied(t *testing.T, canary *testnet.Canary) {
	p := &tunnels{to: "127.0.0.1:80"}
	url := serve(t, p.ServeHTTP)
	for _, tt := range []struct {
		host, asked string
		want        paper.Class
	}{
		{"good.org", "CONNECT 93.184.215.14:80", ""},
		{"both.org", "CONNECT 93.184.215.14:80", ""},
		{"cname.org", "", paper.PolicySkipped},
		{"mapped.org", "", paper.PolicySkipped},
		{"metadata.org", "", paper.PolicySkipped},
		{"good.org:25", "", paper.PolicySkipped},
		{"missing.org", "", paper.Gone},
	} {
		p.asked = nil
		c := newClient(t, func(cfg *fetch.Config) { cfg.AllowNetworks, cfg.Proxy = nil, url })
		_, err := open(t, c, "http://"+tt.host+"/")
		checkClass(t, err, tt.want)
		if got := strings.Join(p.asked, ", "); got != tt.asked {
			t.Errorf("%s: the proxy was asked %q, want %q", tt.host, got, tt.asked)
		}
	}
	canary.Take() // the proxy's own connections
}

// checkDNS wants answers that are too much, too little or too late to cost no more
// than the time to connect.
func checkDNS(t *testing.T, canary *testnet.Canary) {
	c := newClient(t, func(cfg *fetch.Config) { cfg.AllowNetworks, cfg.Timeouts.Connect = nil, 2*time.Second })
	for host, want := range map[string]paper.Class{
		"flood.org": paper.PolicySkipped, "silence.org": paper.Transient, "junk.org": paper.Transient, "loop.org": paper.Transient,
		strings.Repeat("a.", 1000) + "org": paper.Gone, strings.Repeat("a.", 120) + "org": paper.Gone,
	} {
		start := time.Now()
		_, err := open(t, c, "http://"+host+"/")
		if checkClass(t, err, want); t.Failed() {
			t.Fatalf("at %.30s", host)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%.30s took %v", host, took)
		}
	}
	checkReached(t, canary)
}

// names have addresses that are, in part or at times, private.
func names() testnet.Zone {
	return testnet.Zone{
		"good.org":        {{"93.184.215.14"}},
		"both.org":        {{"10.0.0.1", "93.184.215.14", "fd00:ec2::254"}},
		"cname.org":       {{"secret.corp.org"}},
		"mapped.org":      {{"::ffff:169.254.169.254"}},
		"rebind.org":      {{"93.184.215.14"}, {"127.0.0.1"}},
		"metadata.org":    {{"169.254.169.254", "fd00:ec2::254"}},
		"servfail.org":    {{"SERVFAIL"}},
		"nothing.org":     {{}},
		"secret.corp.org": {{"192.168.1.1"}},
		"flood.org":       {{"FLOOD"}},
		"silence.org":     {{"SILENCE"}},
		"junk.org":        {{"JUNK"}},
		"loop.org":        {{"LOOP"}},
	}
}

func checkNames(t *testing.T, canary *testnet.Canary) {
	c := newClient(t, func(cfg *fetch.Config) { cfg.AllowNetworks = nil })
	for _, tt := range []struct { // C 78 to 82
		url     string
		want    paper.Class
		reached []string
	}{
		{"http://good.org/", "", []string{"93.184.215.14:80"}},
		{"http://GOOD.org.:80/", "", nil}, // C 83, C 84: the connection is there already
		{"http://good.org:25/", paper.PolicySkipped, nil},
		{"http://both.org/", "", []string{"93.184.215.14:80"}},
		{"http://cname.org/", paper.PolicySkipped, nil},
		{"http://mapped.org/", paper.PolicySkipped, nil},
		{"http://metadata.org/", paper.PolicySkipped, nil},
		{"http://rebind.org/", "", []string{"93.184.215.14:80"}},
		{"http://rebind.org:8080/", paper.PolicySkipped, nil}, // a new connection, so it asks again
		{"http://servfail.org/", paper.Transient, nil},
		{"http://missing.org/", paper.Gone, nil},
		{"http://nothing.org/", paper.Gone, nil},
	} {
		_, err := open(t, c, tt.url)
		if checkClass(t, err, tt.want); t.Failed() {
			t.Fatalf("at %s", tt.url)
		}
		checkReached(t, canary, tt.reached...)
	}
}

func checkReached(t *testing.T, c *testnet.Canary, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, c.Take()); diff != "" {
		t.Errorf("addresses reached (-want +got):\n%s", diff)
	}
}
