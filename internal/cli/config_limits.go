package cli

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"
)

// limitConfig is what the configuration says of one key. A zero field says
// nothing. At most one of Every, PerSecond and PerMinute is set.
type limitConfig struct {
	InFlight  int      `yaml:"in_flight,omitempty" range:"1..64" doc:"requests at once"`
	Every     duration `yaml:"every,omitempty" range:"1ms..24h" doc:"least time between the starts of two requests"`
	PerSecond float64  `yaml:"per_second,omitempty" range:"0.00001..1000" doc:"most requests started per second"`
	PerMinute float64  `yaml:"per_minute,omitempty" range:"0.0005..60000" doc:"most requests started per minute"`
}

// interval is the least time between two starts, 0 if nothing is said of it.
func (l limitConfig) interval() time.Duration {
	switch {
	case l.PerSecond > 0:
		return time.Duration(math.Round(float64(time.Second) / l.PerSecond))
	case l.PerMinute > 0:
		return time.Duration(math.Round(float64(time.Minute) / l.PerMinute))
	default:
		return time.Duration(l.Every)
	}
}

// limitsConfig holds the limits of keys: what holds for kinds of key, and what
// for single ones.
type limitsConfig struct {
	DefaultHost     limitConfig `yaml:"default_host" doc:"hosts that nothing else is known of"`
	DefaultResolver limitConfig `yaml:"default_resolver" doc:"resolvers that nothing else is known of"`
	Keys            keyLimits   `yaml:",inline"`
}

// keyLimits has keys such as host:arxiv.org and resolver:crossref, in normal form.
type keyLimits map[string]*limitConfig

func (keyLimits) normalKey(text string) (string, error) {
	kind, name, found := strings.Cut(text, ":")
	switch {
	case found && kind == "resolver":
		if err := checkResolver(name); err != nil {
			return "", err
		}
		return text, nil
	case found && kind == "host":
		host, err := normalHost(name)
		return "host:" + host, err
	case strings.Contains(text, "."):
		return "", fmt.Errorf("is no key; that of a host is %q", "host:"+text)
	default:
		return "", errUnknownKey
	}
}

// normalHost returns the one form of a host: lower case, punycode, without a
// final dot, without the ports 80 and 443.
func normalHost(text string) (string, error) {
	host, port := text, ""
	if h, p, err := net.SplitHostPort(text); err == nil {
		host, port = h, p
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return "", fmt.Errorf("%q is no port", port)
		}
		if port = ":" + strconv.FormatUint(n, 10); n == 80 || n == 443 {
			port = ""
		}
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		if ip = ip.Unmap(); ip.Is6() {
			return "[" + ip.String() + "]" + port, nil
		}
		return ip.String() + port, nil
	}
	if strings.Contains(host, "*") {
		return "", fmt.Errorf("%q: a limit is for one host; default_host is for all others", text)
	}
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(host, "."))
	if err != nil || name == "" || strings.Contains("."+name, "..") || strings.ContainsAny(name, "/@:[]% ") {
		return "", fmt.Errorf("%q is no host name", text)
	}
	return name + port, nil
}
