package paper_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/quire-dev/quire/paper"
)

func TestNormalizeURL(t *testing.T) {
	query := "?" + strings.Repeat("a&", 4000)
	tests := map[string]struct{ raw, want string }{
		"as it is":                {"https://example.org/a/b.pdf?c=d", "https://example.org/a/b.pdf?c=d"},
		"spaces around":           {" \thttps://example.org/a\r\n", "https://example.org/a"},
		"scheme and host case":    {"HTTP://Example.ORG/A", "http://example.org/A"},
		"empty path":              {"https://example.org", "https://example.org/"},
		"empty path, query":       {"https://example.org?q", "https://example.org/?q"},
		"empty query":             {"https://example.org/?", "https://example.org/?"},
		"default port":            {"http://example.org:80/", "http://example.org/"},
		"default port, zero":      {"http://example.org:080/", "http://example.org/"},
		"default port, https":     {"https://example.org:443", "https://example.org/"},
		"empty port":              {"https://example.org:/", "https://example.org/"},
		"other port":              {"http://example.org:443/", "http://example.org:443/"},
		"trailing dot":            {"https://example.org./a", "https://example.org/a"},
		"user":                    {"http://user:pw@example.org/a", "http://example.org/a"},
		"user, @ in it":           {"http://a@good.example@evil.example/", "http://evil.example/"},
		"@ in the fragment":       {"http://evil.example#@good.example/", "http://evil.example/"},
		"@ in the query":          {"http://evil.example?@good.example/", "http://evil.example/?@good.example/"},
		"fragment":                {"https://example.org/a#b?c", "https://example.org/a"},
		"IDN":                     {"https://Bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"},
		"IDN homograph":           {"https://раypal.example/", "https://xn--ypal-43d9g.example/"},
		"punycode":                {"https://XN--Bcher-KVA.example/", "https://xn--bcher-kva.example/"},
		"ideographic dot":         {"https://example。org/", "https://example.org/"},
		"underscore":              {"https://my_host.example.org/", "https://my_host.example.org/"},
		"dashes":                  {"https://r3---sn-a.example.org/", "https://r3---sn-a.example.org/"},
		"IPv4":                    {"http://127.0.0.1:8080/", "http://127.0.0.1:8080/"},
		"IPv4, dot":               {"http://127.0.0.1./", "http://127.0.0.1/"},
		"IPv6":                    {"http://[2001:DB8:0::1]:80/", "http://[2001:db8::1]/"},
		"IPv6, port":              {"http://[::1]:8080/", "http://[::1]:8080/"},
		"IPv6, mapped":            {"http://[::ffff:7f00:1]/", "http://[::ffff:127.0.0.1]/"},
		"path not cleaned":        {"https://example.org/../../x;a//b/./c", "https://example.org/../../x;a//b/./c"},
		"escapes kept":            {"https://example.org/a%2Fb%2fc%7E", "https://example.org/a%2Fb%2fc%7E"},
		"escapes kept with a bad": {"https://example.org/a%2Fb<c", "https://example.org/a%2Fb%3Cc"},
		"bytes escaped":           {"https://example.org/\"`{}|\\^é\xff", "https://example.org/%22%60%7B%7D%7C%5C%5E%C3%A9%FF"},
		"query escaped":           {"https://example.org/?a=é\"<>&b='|{}", "https://example.org/?a=%C3%A9%22%3C%3E&b='|{}"},
		"long query":              {"https://example.org/" + query, "https://example.org/" + query},
		"localhost":               {"http://localhost/", "http://localhost/"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := paper.NormalizeURL(tt.raw)
			if err != nil || got != tt.want {
				t.Fatalf("NormalizeURL(%q) = %q, %v, want %q", tt.raw, got, err, tt.want)
			}
			checkURL(t, got)
		})
	}
}

func TestNormalizeURL_refuses(t *testing.T) {
	label63, host := strings.Repeat("a", 63), strings.Repeat("abc.", 64)
	tests := map[string]struct{ raw, because string }{
		"empty":             {"", "no scheme"},
		"file":              {"file:///etc/passwd", `scheme "file"`},
		"gopher":            {"gopher://example.org/", `scheme "gopher"`},
		"javascript":        {"JavaScript:alert(1)", `scheme "JavaScript"`},
		"data":              {"data:application/pdf;base64,AAAA", `scheme "data"`},
		"ftp":               {"ftp://example.org/", `scheme "ftp"`},
		"blob":              {"blob:https://example.org/x", `scheme "blob"`},
		"about":             {"about:blank", `scheme "about"`},
		"scheme relative":   {"//example.org/x", "no scheme"},
		"relative":          {"x/y", "no scheme"},
		"path with a colon": {"/x:y", "no scheme"},
		"no slashes":        {"http:example.org", "// is missing"},
		"no host":           {"http:///x", "no host"},
		"user, no host":     {"http://user@/x", "no host"},
		"dot":               {"http://./", "no host"},
		"backslash":         {`http://good.example\@evil.example/`, "backslash before its path"},
		"integer host":      {"http://2130706433/", "ends in a number"},
		"hex host":          {"http://0x7f000001/", "ends in a number"},
		"hex and short":     {"http://0x7f.1/", "ends in a number"},
		"octal host":        {"http://0177.0.0.1/", "ends in a number"},
		"short host":        {"http://127.1/", "ends in a number"},
		"zero":              {"http://0/", "ends in a number"},
		"five numbers":      {"http://1.2.3.4.5/", "ends in a number"},
		"wide digits":       {"http://１２７.1/", "ends in a number"},
		"name, number":      {"http://example.0x1f/", "ends in a number"},
		"number, dot":       {"http://127.1./", "ends in a number"},
		"zone":              {"http://[fe80::1%25eth0]/", "has a zone"},
		"zone, raw":         {"http://[fe80::1%eth0]/", "has a zone"},
		"IPv4 in brackets":  {"http://[127.0.0.1]/", "not an IPv6 address"},
		"bracket":           {"http://[::1/", "bracket is not closed"},
		"bracket, text":     {"http://[::1]x/", "bracket is not closed"},
		"IPv6, bare":        {"http://::1/", "no host"},
		"IPv6, bare, long":  {"http://fe80::1/", "port"},
		"bad punycode":      {"http://xn--a.example/", "idna"},
		"host not UTF-8":    {"http://0\xff0.example/", "idna"},
		"empty label":       {"http://a..example/", "empty label"},
		"leading dot":       {"http://.example.org/", "empty label"},
		"two dots":          {"http://example.org../", "empty label"},
		"long label":        {"http://" + label63 + "a.example/", "label of 64 bytes"},
		"long host":         {"http://" + host + "example/", "more than 253"},
		"escaped host":      {"http://ex%61mple.org/", "character '%'"},
		"star":              {"http://*.example.org/", "character '*'"},
		"port 0":            {"http://example.org:0/", "port"},
		"port 65536":        {"http://example.org:65536/", "port"},
		"port -1":           {"http://example.org:-1/", "port"},
		"port +80":          {"http://example.org:+80/", "port"},
		"port text":         {"http://example.org:http/", "port"},
		"port huge":         {"http://example.org:99999999999999999999/", "port"},
		"NUL escaped":       {"http://example.org/a%00b", "NUL"},
		"NUL in the query":  {"http://example.org/?a%00b", "NUL"},
		"NUL":               {"http://example.org/a\x00b", `control character '\x00'`},
		"space":             {"http://example.org/a b", "space"},
		"CR LF":             {"http://example.org/a\r\nHost: x", `control character '\r'`},
		"tab":               {"http://exa\tmple.org/", `control character '\t'`},
		"DEL":               {"http://example.org/\x7f", `control character '\x7f'`},
		"bad escape":        {"http://example.org/%zz", `"%zz" is not percent-encoding`},
		"lone percent":      {"http://example.org/100%", `"%" is not percent-encoding`},
		"lone, query":       {"http://example.org/?q=100%&x", `"%&x" is not percent-encoding`},
		"100 kB":            {"http://example.org/" + strings.Repeat("a", 100_000), "more than 8192"},
		"long once escaped": {"http://example.org/" + strings.Repeat("é", 4000), "more than 8192"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := paper.NormalizeURL(tt.raw)
			if err == nil {
				t.Fatalf("NormalizeURL(%q) = %q, want an error", tt.raw, got)
			}
			if !strings.Contains(err.Error(), tt.because) {
				t.Errorf("NormalizeURL(%q): %v, want %q in it", tt.raw, err, tt.because)
			}
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) || len(err.Error()) > 300 {
				t.Errorf("NormalizeURL(%q): %q is no readable line", tt.raw, err)
			}
		})
	}
}

func TestHostKey(t *testing.T) {
	tests := map[string]string{
		"https://example.org/a":             "host:example.org",
		"http://example.org/":               "host:example.org",
		"http://EXAMPLE.org:80":             "host:example.org",
		"https://example.org:443/b?c":       "host:example.org",
		"https://example.org:0443/":         "host:example.org",
		"https://example.org./":             "host:example.org",
		"https://user:pw@example.org/":      "host:example.org",
		"https://example.org:8443/":         "host:example.org:8443",
		"https://example.org:80/":           "host:example.org:80",
		"https://bücher.example/":           "host:xn--bcher-kva.example",
		"http://[2001:DB8::1]/":             "host:[2001:db8::1]",
		"http://[2001:db8::1]:8080/":        "host:[2001:db8::1]:8080",
		"http://127.0.0.1:41235/":           "host:127.0.0.1:41235",
		"http://xn--bcher-kva.EXAMPLE.:80/": "host:xn--bcher-kva.example",
	}
	for raw, want := range tests {
		if got, err := paper.HostKey(raw); err != nil || got != want {
			t.Errorf("HostKey(%q) = %q, %v, want %q", raw, got, err, want)
		}
	}
	if key, err := paper.HostKey("mailto:you@example.org"); err == nil {
		t.Errorf("HostKey of a mail address = %q, want an error", key)
	}
}

func FuzzNormalizeURL(f *testing.F) {
	for _, seed := range []string{
		"HTTP://me@Bücher.example.:080/a%2Fb<c>?é#f", "https://[::1]:443?", "http://0x7f.1/", `http://a\@b/`,
		"http://xn--bcher-kva.example/%zz", "https://example。org/", "http://a_b/;,/..//[x]?[]{}|\\^`",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if got, err := paper.NormalizeURL(raw); err == nil {
			checkURL(t, got)
		}
	})
}

// checkURL checks what holds for every normal form: it is its own, net/url reads
// it the same, and the key is of the host that would be dialled.
func checkURL(t *testing.T, normal string) {
	t.Helper()
	if again, err := paper.NormalizeURL(normal); err != nil || again != normal {
		t.Fatalf("NormalizeURL(%q) = %q, %v, want the same", normal, again, err)
	}
	u, err := url.Parse(normal)
	if err != nil {
		t.Fatal(err)
	}
	if u.String() != normal || u.User != nil || u.Fragment != "" || len(normal) > 8<<10 {
		t.Fatalf("net/url reads %q as %q", normal, u)
	}
	if key, err := paper.HostKey(normal); err != nil || key != "host:"+u.Host {
		t.Fatalf("HostKey(%q) = %q, %v, want that of %q", normal, key, err, u.Host)
	}
}
