package fetch_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/quire-dev/quire/internal/fetch"
	"github.com/quire-dev/quire/paper"
)

// newClient returns a client that may reach loopback.
func newClient(t testing.TB, change func(*fetch.Config)) *fetch.Client {
	t.Helper()
	cfg := fetch.Config{
		Contact:       "you@university.edu",
		Version:       "1.2",
		AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	if change != nil {
		change(&cfg)
	}
	c, err := fetch.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestClient_CheckURL(t *testing.T) {
	const ok, gone, policy = "", paper.Gone, paper.PolicySkipped
	tests := map[string]struct {
		url  string
		want paper.Class
	}{
		"plain":                             {"https://journals.plos.org/article?id=10.1371/x#y", ok},
		"C 60: scheme in capitals":          {"HTTP://Example.ORG", ok},
		"port 8443":                         {"https://example.org:8443/", ok},
		"C 84: default port with zeros":     {"http://example.org:080/", ok},
		"C 83: trailing dot":                {"https://example.org./", ok},
		"public address":                    {"https://93.184.215.14/", ok},
		"public IPv6 address":               {"https://[2606:4700::1111]/", ok},
		"C 85: international name":          {"https://раypal.com/", ok},
		"underscore in name":                {"https://my_repo.example.org/", ok},
		"C 93: odd path":                    {"https://example.org/../../x;y//z?a=%zz", ok},
		"C 92: many parameters":             {"https://example.org/?" + strings.Repeat("a&", 4000), ok},
		"encoded slash":                     {"https://doi.org/10.1000%2Fx", ok},
		"C 55: file":                        {"file:///etc/passwd", policy},
		"C 56: gopher":                      {"gopher://example.org/", policy},
		"C 57: javascript":                  {"javascript:alert(1)", policy},
		"C 58: data":                        {"data:application/pdf;base64,AAAA", policy},
		"C 59: ftp":                         {"ftp://example.org/x", policy},
		"C 60: blob":                        {"blob:https://example.org/1", policy},
		"C 60: about":                       {"about:blank", policy},
		"C 61: no scheme":                   {"//example.org/x", gone},
		"C 61: relative":                    {"x/y", gone},
		"empty":                             {"", gone},
		"no host":                           {"http:///x", gone},
		"opaque":                            {"http:example.org", gone},
		"C 62: user":                        {"http://user:pw@example.org/", policy},
		"C 63: user that looks like a host": {"http://example.org@127.0.0.1/", policy},
		"C 63: host in the fragment":        {"http://127.0.0.1#@example.org/", policy},
		"C 63: backslash":                   {`http://example.org\@127.0.0.1/`, gone},
		"C 64: loopback":                    {"http://127.0.0.1/", policy},
		"C 64: loopback, other":             {"http://127.8.9.1/", policy},
		"C 65: loopback v6":                 {"http://[::1]/", policy},
		"C 66: mapped":                      {"http://[::ffff:127.0.0.1]/", policy},
		"C 66: mapped in hex":               {"http://[::ffff:7f00:1]/", policy},
		"C 67: decimal":                     {"http://2130706433/", gone},
		"C 68: hex and short":               {"http://0x7f.1/", gone},
		"C 68: hex":                         {"http://0x7f000001/", gone},
		"C 68: hex last":                    {"http://127.0.0.0x1/", gone},
		"C 69: octal":                       {"http://0177.0.0.1/", gone},
		"C 70: short":                       {"http://127.1/", gone},
		"C 71: zero":                        {"http://0/", gone},
		"C 71: unspecified":                 {"http://0.0.0.0/", policy},
		"C 71: unspecified v6":              {"http://[::]/", policy},
		"C 72: metadata":                    {"http://169.254.169.254/latest/meta-data/", policy},
		"C 72: metadata name":               {"http://metadata.google.internal/", policy},
		"C 73: metadata, shared space":      {"http://100.100.100.200/", policy},
		"C 74: metadata v6":                 {"http://[fd00:ec2::254]/", policy},
		"C 74: link local":                  {"http://[fe80::1]/", policy},
		"C 74: zone":                        {"http://[fe80::1%25eth0]/", gone},
		"C 75: private 10":                  {"http://10.0.0.1/", policy},
		"C 75: private 172":                 {"http://172.31.0.1/", policy},
		"C 75: private 192":                 {"http://192.168.1.1/", policy},
		"C 75: protocol assignments":        {"http://192.0.0.1/", policy},
		"documentation":                     {"http://192.0.2.1/", policy},
		"documentation v6":                  {"http://[2001:db8::1]/", policy},
		"C 75: benchmark":                   {"http://198.18.0.1/", policy},
		"C 75: multicast":                   {"http://224.0.0.1/", policy},
		"multicast v6":                      {"http://[ff02::1]/", policy},
		"C 75: reserved":                    {"http://240.0.0.1/", policy},
		"C 75: broadcast":                   {"http://255.255.255.255/", policy},
		"C 76: NAT64":                       {"http://[64:ff9b::7f00:1]/", policy},
		"C 76: NAT64, local":                {"http://[64:ff9b:1::7f00:1]/", policy},
		"C 76: 6to4":                        {"http://[2002:7f00:1::]/", policy},
		"C 76: Teredo":                      {"http://[2001:0:7f00:1::]/", policy},
		"site local":                        {"http://[fec0::1]/", policy},
		"C 77: localhost":                   {"http://localhost/", policy},
		"C 77: localhost with dot":          {"http://LOCALHOST./", policy},
		"C 77: below localhost":             {"http://foo.localhost/", policy},
		"C 77: local":                       {"http://printer.local/", policy},
		"C 77: internal":                    {"http://repo.internal/", policy},
		"C 77: single label":                {"http://intranet/", policy},
		"C 86: punycode, broken":            {"http://xn--a.com/", gone},
		"C 86: empty label":                 {"http://a..b/", gone},
		"only a dot":                        {"http://./", gone},
		"C 86: long label":                  {"http://" + strings.Repeat("a", 64) + ".com/", gone},
		"C 86: long host":                   {"http://" + strings.Repeat("abcdefgh.", 29) + "com/", gone},
		"C 87: port 0":                      {"http://example.org:0/", gone},
		"C 87: port 65536":                  {"http://example.org:65536/", gone},
		"C 87: port -1":                     {"http://example.org:-1/", gone},
		"C 87: port 22":                     {"http://example.org:22/", policy},
		"C 87: port 25":                     {"http://example.org:25/", policy},
		"C 87: port 6379":                   {"http://example.org:6379/", policy},
		"C 88: NUL":                         {"http://example.org/%00", gone},
		"C 88: space":                       {"http://example.org/a b", gone},
		"C 88: CRLF":                        {"http://example.org/\r\nHost: x", gone},
		"C 88: tab":                         {"http://example.org/\t", gone},
		"C 90: bad escape":                  {"http://example.org/%zz", gone},
		"C 90: lone percent":                {"http://example.org/%", gone},
		"C 89: 100 kB":                      {"http://example.org/" + strings.Repeat("a", 100_000), gone},
		"bracket":                           {"http://[::1/", gone},
		"unicode dots in IPv4 address":      {"http://127。0。0。1/", policy},
		"full-width digits":                 {"http://１２７.0.0.1/", policy},
	}
	strict := newClient(t, func(cfg *fetch.Config) { cfg.AllowNetworks = nil })
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkClass(t, strict.CheckURL(tt.url), tt.want)
		})
	}
}

func TestClient_CheckURL_exceptions(t *testing.T) {
	const ok, policy = "", paper.PolicySkipped
	c := newClient(t, func(cfg *fetch.Config) {
		cfg.AllowNetworks = append(cfg.AllowNetworks, netip.MustParsePrefix("64:ff9b::/96"))
		cfg.ConnectTo = []string{"repo.internal:9000:10.1.2.3:", "old.org::[::1]:22", ":2222::", "::127.0.0.1:8443"}
	})
	tests := map[string]struct {
		url  string
		want paper.Class
	}{
		"exempt address":                {"http://127.0.0.1:34567/", ok},
		"privileged port":               {"http://127.0.0.1:22/", policy},
		"other private address":         {"http://10.0.0.1/", policy},
		"localhost is loopback":         {"http://localhost:34567/", ok},
		"other private names are not":   {"http://metadata.google.internal/", policy},
		"unprivileged port":             {"http://example.org:9000/", ok},
		"named by a rule":               {"http://repo.internal:9000/", ok},
		"same name, other port":         {"http://repo.internal/", policy},
		"named, any port":               {"http://old.org:22/", ok},
		"port named by a rule":          {"http://example.org:2222/", ok},
		"port named, address private":   {"http://10.0.0.1:2222/", policy},
		"NAT64 of a public address":     {"http://[64:ff9b::5db8:d70e]/", ok},
		"NAT64 of an exempt address":    {"http://[64:ff9b::7f00:1]/", ok},
		"NAT64 of a private address":    {"http://[64:ff9b::a00:1]/", policy},
		"rule for all names names none": {"http://intranet/", policy},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkClass(t, c.CheckURL(tt.url), tt.want)
		})
	}
}

// checkClass checks that err is a failure of the wanted class, or nil for "".
func checkClass(t *testing.T, err error, want paper.Class) {
	t.Helper()
	if err == nil && want == "" {
		return
	}
	failure, ok := errors.AsType[*paper.Failure](err)
	if !ok || failure == nil {
		t.Errorf("got %T %v, want class %q", err, err, want)
		return
	}
	if failure.Class != want {
		t.Errorf("got class %q (%v), want %q", failure.Class, err, want)
	}
	if text := err.Error(); len(text) > 600 || strings.ContainsAny(text, "\r\n\x00\x1b") {
		t.Errorf("message of %d bytes is not for a log line: %.200q", len(text), text)
	}
}

func TestNew_refuses(t *testing.T) {
	tests := map[string]fetch.Config{
		"no contact":               {},
		"no address":               {Contact: "nobody"},
		"display name":             {Contact: "You <you@university.edu>"},
		"two addresses":            {Contact: "a@b.org, c@d.org"},
		"CRLF in contact":          {Contact: "you@university.edu\r\nX-Evil: 1"},
		"encoded LF in contact":    {Contact: "\"you\n\"@university.edu"},
		"parenthesis in contact":   {Contact: "you)@university.edu"},
		"CRLF in user agent":       {Contact: "a@b.org", UserAgent: "x\r\nX-Evil: 1"},
		"rule of three parts":      {Contact: "a@b.org", ConnectTo: []string{"a:1:b"}},
		"rule of five parts":       {Contact: "a@b.org", ConnectTo: []string{"a:1:b:2:3"}},
		"rule with bad port":       {Contact: "a@b.org", ConnectTo: []string{"a:x:b:2"}},
		"rule with bare IPv6":      {Contact: "a@b.org", ConnectTo: []string{"::1:80:b:80"}},
		"rule with unclosed IPv6":  {Contact: "a@b.org", ConnectTo: []string{"[::1:80:b:80"}},
		"rule with joined IPv6":    {Contact: "a@b.org", ConnectTo: []string{"[::1]80:b:80:1"}},
		"CA file that is missing":  {Contact: "a@b.org", CAFile: "testdata/nothing.pem"},
		"CA file that is a folder": {Contact: "a@b.org", CAFile: "."},
		"CA file that is no PEM":   {Contact: "a@b.org", CAFile: "fetch.go"},
	}
	for name, cfg := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := fetch.New(cfg); err == nil {
				t.Error("no error")
			} else if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("message of more than one line: %q", err)
			}
		})
	}
}
