package cli

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/quire-dev/quire/paper"
)

// limitConfig is what the configuration says of one key. A zero field says
// nothing. At most one of Every, PerSecond and PerMinute is set.
type limitConfig struct {
	InFlight  int      `yaml:"in_flight,omitempty" range:"1..64" doc:"requests at once"`
	Every     duration `yaml:"every,omitempty" range:"1us..24h" doc:"least time between the starts of two requests"`
	PerSecond float64  `yaml:"per_second,omitempty" range:"0.00001..1000000" doc:"most requests started per second"`
	PerMinute float64  `yaml:"per_minute,omitempty" range:"0.0005..60000000" doc:"most requests started per minute"`
	Burst     int      `yaml:"burst,omitempty" range:"1..1000" doc:"requests that may start at once after a rest"`
	Batch     int      `yaml:"batch,omitempty" range:"1..1000" doc:"works that one request may ask a resolver for, if it can take as many; not for hosts"`
	Daily     int      `yaml:"daily,omitempty" range:"1..1000000000" doc:"requests in a day of UTC"`
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
		return text, nil // checked when all resolvers are known
	case found && kind == "host":
		return hostKey(name)
	case strings.Contains(text, "."):
		return "", fmt.Errorf("is no key; that of a host is %q", "host:"+text)
	default:
		return "", errUnknownKey
	}
}

// hostKey returns the key of what is written NAME or NAME:PORT. The ports that
// URLs leave out, 80 and 443, are left out.
func hostKey(text string) (string, error) {
	if strings.Contains(text, "*") {
		return "", fmt.Errorf("%q: a limit is for one host; default_host is for all others", text)
	}
	key, err := paper.HostKey("http://" + text)
	if err != nil || strings.ContainsAny(text, "/?#@\\ ") {
		return "", fmt.Errorf("%q is not HOST or HOST:PORT", text)
	}
	return strings.TrimSuffix(key, ":443"), nil
}
