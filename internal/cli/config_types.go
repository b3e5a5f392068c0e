package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/quire-dev/quire/internal/fetch"
)

// The types of settings that have a form of their own. Each reads itself from
// text, wherever that comes from, and its error says only what is wrong.

// duration is written with its unit: 90s, 10m, 1h30m.
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		if _, err := strconv.ParseFloat(string(text), 64); err == nil {
			return fmt.Errorf("%q has no unit; write %ss, %sm or %sh", text, text, text, text)
		}
		return fmt.Errorf("%q is not a duration such as 30s, 10m or 1h30m", text)
	}
	*d = duration(parsed)
	return nil
}

func (d duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String leaves out the zero parts at the end: 10m, not 10m0s.
func (d duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// byteSize is a number of bytes, written with a unit: 256MiB, 1GB.
type byteSize int64

func (s *byteSize) UnmarshalText(text []byte) error {
	number := strings.TrimRight(string(text), "BKMGTikmgtb")
	unit, known := sizeUnit(strings.ToLower(string(text)[len(number):]))
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !known || math.IsNaN(n) {
		return fmt.Errorf("%q is not a size such as 500kB, 256MiB or 1GiB", text)
	}
	if n *= unit; n < 0 || n > math.MaxInt64/2 {
		return fmt.Errorf("%q is out of range", text)
	}
	*s = byteSize(n)
	return nil
}

func sizeUnit(unit string) (bytes float64, known bool) {
	switch unit {
	case "", "b":
		return 1, true
	case "kb", "k":
		return 1e3, true
	case "mb", "m":
		return 1e6, true
	case "gb", "g":
		return 1e9, true
	case "tb", "t":
		return 1e12, true
	case "kib":
		return 1 << 10, true
	case "mib":
		return 1 << 20, true
	case "gib":
		return 1 << 30, true
	case "tib":
		return 1 << 40, true
	}
	return 0, false
}

func (s byteSize) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String uses the largest unit that leaves no remainder.
func (s byteSize) String() string {
	for _, unit := range []struct {
		name  string
		shift int
	}{{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}} {
		if s != 0 && s%(1<<unit.shift) == 0 {
			return strconv.FormatInt(int64(s>>unit.shift), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// secret is a text that is shown to nobody by accident.
type secret struct{ text string }

func (s *secret) UnmarshalText(text []byte) error {
	if err := checkHeader(string(text)); err != nil {
		return errors.New("has characters that no key has") // without showing them
	}
	s.text = string(text)
	return nil
}

// reveal returns the secret itself.
func (s secret) reveal() string { return s.text }

func (s secret) String() string {
	if s.text == "" {
		return ""
	}
	return "***"
}

// Format makes every verb of fmt print the mask.
func (s secret) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(s.String())) }
func (s secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
func (s secret) LogValue() slog.Value         { return slog.StringValue(s.String()) }
func (s secret) IsZero() bool                 { return s.text == "" }

// filePath is the path of a file; in the configuration file, it is relative to
// that file's directory.
type filePath string

// baseURL is the address of an API, without a slash at the end.
type baseURL string

func (b *baseURL) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a URL", text)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("%q is not an http or https URL", text)
	case u.User != nil:
		return errors.New("a URL with a password in it is not accepted")
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%q has a query or a fragment; only scheme, host and path are used", text)
	}
	*b = baseURL(strings.TrimRight(string(text), "/"))
	return nil
}

// proxyURL is the address of a proxy: http://HOST:PORT, or empty for none.
type proxyURL string

func (p *proxyURL) UnmarshalText(text []byte) error {
	*p = proxyURL(text)
	return fetch.CheckProxy(string(text))
}

// userAgent is sent as it is in the header of that name.
type userAgent string

func (u *userAgent) UnmarshalText(text []byte) error {
	*u = userAgent(text)
	return checkHeader(string(text))
}

// checkHeader refuses what cannot stand in an HTTP header (RFC 9110, 5.5), and
// what needs no more room than a header should take.
func checkHeader(text string) error {
	if len(text) > 500 {
		return errors.New("is longer than 500 characters")
	}
	for _, r := range text {
		if r < ' ' || r > '~' {
			return fmt.Errorf("%q has a character that is not printable ASCII", text)
		}
	}
	return nil
}

// connectTo is HOST1:PORT1:HOST2:PORT2: what goes to the first pair is connected
// to the second. Empty parts match all, or keep what is there. IPv6 addresses
// stand in brackets.
type connectTo string

func (c *connectTo) UnmarshalText(text []byte) error {
	part := `(\[[0-9A-Fa-f:.]+\]|[^\s\[\]:/@]*):(\d*)`
	m := regexp.MustCompile("^" + part + ":" + part + "$").FindSubmatch(text)
	if m == nil {
		return fmt.Errorf("%q is not HOST1:PORT1:HOST2:PORT2", text)
	}
	for _, port := range []string{string(m[2]), string(m[4])} {
		if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
			return fmt.Errorf("%q is no port", port)
		}
	}
	*c = connectTo(text)
	return nil
}
