package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quire-dev/quire/internal/s3test"
	"github.com/quire-dev/quire/internal/testweb"
)

// binary is the program, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	if file := os.Getenv("QUIRE_BARE_LOOP"); file != "" {
		return 0, runBareLoop(file)
	}
	dir, err := os.MkdirTemp("", "quire-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "quire")
	build := exec.Command("go", "build", "-o", binary, "../../cmd/quire")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build: %w\n%s", err, out)
	}
	if err := s3test.SetKeys(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// place is a data directory with a configuration that leads into the box.
type place struct {
	data   string
	config string
}

// newPlace writes a configuration; more is YAML to append, such as limits.
func newPlace(t testing.TB, web *testweb.Web, more string) place {
	t.Helper()
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	if err := web.WriteCA(ca); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("contact: tester@quire-tests.org\nhttp:\n  ca_file: %s\n  allow_networks: [127.0.0.0/8]\n  connect_to: [\"%s\"]\n  timeouts: {header: 20s}\n%s",
		ca, strings.Join(web.ConnectTo(), `", "`), more)
	p := place{data: filepath.Join(dir, "data"), config: filepath.Join(dir, "quire.yaml")}
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// command is the program with arguments, not yet started.
func (p place) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, binary, append([]string{"--data", p.data, "--config", p.config, "--progress", "none"}, args...)...)
	c.WaitDelay = 10 * time.Second
	return c
}

// run runs the program, wants one of the exit codes and returns its stdout.
func (p place) run(t testing.TB, codes []int, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	c := p.command(ctx, args...)
	var out, log bytes.Buffer
	c.Stdout, c.Stderr = &out, &log
	err := c.Run()
	for _, code := range codes {
		if c.ProcessState.ExitCode() == code {
			return out.Bytes()
		}
	}
	t.Fatalf("quire %s: %v, want an exit code of %v\n%s%s", strings.Join(args, " "), err, codes, out.Bytes(), log.Bytes())
	return nil
}

// job is the shape of a job as the program prints it.
type job struct {
	ArtifactID string  `json:"artifact_id"`
	State      string  `json:"state"`
	Reason     *string `json:"reason"`
	Class      *string `json:"class"`
	Attempts   int     `json:"attempts"`
	URL        *string `json:"url"`
	Path       *string `json:"path"`
	SHA256     *string `json:"sha256"`
	Bytes      *int64  `json:"bytes"`
}

// lines decodes JSON Lines.
func lines[T any](t testing.TB, text []byte) []T {
	t.Helper()
	var all []T
	for line := range bytes.Lines(text) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, v)
	}
	return all
}

// decode decodes one JSON document.
func decode[T any](t testing.TB, text []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// startWeb starts a box that ends with the test.
func startWeb(t testing.TB) *testweb.Web {
	t.Helper()
	web, err := testweb.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := web.Close(); err != nil {
			t.Errorf("close web: %v", err)
		}
	})
	return web
}
