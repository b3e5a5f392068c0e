package fetch_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/fetch"
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

// TestGuard dials with production defaults where every address answers.
func TestGuard(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	takeEveryAddress(t)
	canary := new(canary)
	for _, port := range []int{80, 8080, 25} {
		canary.start(t, port)
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
	t.Run("in URLs", func(t *testing.T) {
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
	t.Run("behind names", func(t *testing.T) { checkNames(t, canary) })
}

// checkNames asks for names whose addresses are, in part or at times, private.
func checkNames(t *testing.T, canary *canary) {
	names := zone{
		"good.org":        {{"93.184.215.14"}},
		"both.org":        {{"10.0.0.1", "93.184.215.14", "fd00:ec2::254"}},
		"cname.org":       {{"secret.corp.org"}},
		"mapped.org":      {{"::ffff:169.254.169.254"}},
		"rebind.org":      {{"93.184.215.14"}, {"127.0.0.1"}},
		"metadata.org":    {{"169.254.169.254", "fd00:ec2::254"}},
		"servfail.org":    {{"SERVFAIL"}},
		"nothing.org":     {{}},
		"secret.corp.org": {{"192.168.1.1"}},
	}
	names.serve(t)
	c := newClient(t, func(cfg *fetch.Config) { cfg.AllowNetworks = nil })
	for _, tt := range []struct {
		url     string
		want    paper.Class
		reached []string
	}{
		{"http://good.org/", "", []string{"93.184.215.14:80"}},
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

func checkReached(t *testing.T, c *canary, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, c.take()); diff != "" {
		t.Errorf("addresses reached (-want +got):\n%s", diff)
	}
}
