package resolver_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/resolver"
)

// docsTable is the table of limits as docs/limits.md has it, at its end.
func docsTable() string {
	var b strings.Builder
	b.WriteString("| key | at once | starts | burst | batch | a day | robots.txt | of | source |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, l := range resolver.Limits() {
		key := "`" + l.Key + "`"
		if kind, _, _ := strings.Cut(l.Key, ":"); kind == "host" && len(l.Hosts) > 0 {
			key += ", with " + strings.Join(l.Hosts, ", ")
		}
		pace := "one in " + l.Every.String()
		if l.Every < time.Second {
			pace = fmt.Sprintf("%.3g a second", float64(time.Second)/float64(l.Every))
		}
		robots := "asked"
		if l.API {
			robots = "no: an API"
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s | %s | %s | %s |\n", key, l.InFlight, pace, said(l.Burst), said(l.Batch), said(l.Daily),
			robots, l.VerifiedOn, l.Source)
	}
	return b.String()
}

// said is a number, or nothing for 0.
func said(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// TestLimits_documented keeps the table of docs/limits.md in step with limits.yaml.
// QUIRE_TEST_UPDATE=1 rewrites it.
func TestLimits_documented(t *testing.T) {
	const path = "../../docs/limits.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "| key |")
	want := before + docsTable()
	if os.Getenv("QUIRE_TEST_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("QUIRE_TEST_UPDATE=1 rewrites the table (-want +got):\n%s", diff)
	}
}
