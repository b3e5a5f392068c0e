package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/quire-dev/quire/internal/cli"
	"github.com/quire-dev/quire/internal/pgtest"
	"github.com/quire-dev/quire/internal/s3test"
)

// TestMain makes the test binary double as the program: as quire on the PATH.
func TestMain(m *testing.M) {
	testscript.Main(withServer{m}, map[string]func(){"quire": cli.Main})
}

// servers has the PostgreSQL server of the tests, if they need one, and buckets the
// S3 server.
var (
	servers pgtest.Shared
	buckets s3test.Shared
)

// withServer stops the servers after the tests.
type withServer struct{ m *testing.M }

func (w withServer) Run() int { return max(servers.Main(w.m), buckets.Stop()) }

// hurriedRace keeps the race detector from waiting a second at the end of each
// program, for reports of goroutines that end with it.
const hurriedRace = "GORACE=atexit_sleep_ms=0"

// TestScripts runs the scripts. Beyond testscript's own commands there are:
//
//	exits CODE PROGRAM ARG...  run a program and expect its exit code
//	web                        start a small scholarly web and configure quire for it
//	keys FILE KEY...           the JSON document in FILE (or stdout) has these keys and no others
//	snap DIR, same DIR         remember a directory; expect that nothing in it has changed
//	poke FILE OFFSET HEX       overwrite bytes of a file; cut FILE SIZE cuts it
func TestScripts(t *testing.T) {
	runScripts(t, "testdata/script", func(*testscript.Env) {})
}

// TestScripts_postgres runs the scripts that have a PostgreSQL database each, in
// QUIRE_STORE.
func TestScripts_postgres(t *testing.T) {
	server := servers.Server(t)
	runScripts(t, "testdata/postgres", func(env *testscript.Env) { env.Setenv("QUIRE_STORE", server.Open(t)) })
}

func runScripts(t *testing.T, dir string, setup func(*testscript.Env)) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("QUIRE_TEST_UPDATE") != "", // rewrite what cmp compares with
		Setup: func(env *testscript.Env) error {
			env.Values[snapshots{}] = map[string]map[string]string{}
			env.Vars = append(env.Vars, "NO_COLOR=1", hurriedRace)
			env.Setenv("ESC", "\x1b[31m")
			setup(env)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "web": web, "keys": keys, "snap": snap, "same": same, "poke": poke, "cut": cut,
		},
	})
}

// exits runs a program and checks, beside its exit code, what holds for every
// run of quire: errors are one line, and nothing raw reaches the terminal.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		code = failed.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
	stdout, stderr := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	for name, text := range map[string]string{"stdout": stdout, "stderr": stderr} {
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }); i >= 0 {
			ts.Fatalf("%s has an unprintable character: %q", name, text[i:min(len(text), i+20)])
		}
		if strings.Contains(text, "goroutine ") {
			ts.Fatalf("%s has a stack trace", name)
		}
	}
	errorLines := strings.Count("\n"+stderr, "\nquire: ") - strings.Count("\n"+stderr, "\nquire: warning: ")
	if fails := code == 1 || code == 2 || code == 4; fails != (errorLines == 1) {
		ts.Fatalf("exit code %d with %d error lines", code, errorLines)
	}
}

// keys compares the names of the fields of a JSON document.
func keys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: keys FILE KEY...")
	}
	first, _, _ := strings.Cut(ts.ReadFile(args[0]), "\n")
	var doc map[string]json.RawMessage
	ts.Check(json.Unmarshal([]byte(first), &doc))
	if diff := cmp.Diff(slices.Sorted(slices.Values(args[1:])), slices.Sorted(maps.Keys(doc))); diff != "" {
		ts.Fatalf("fields (-want +got):\n%s", diff)
	}
}

// snapshots are kept under this key, by directory.
type snapshots struct{}

func snap(ts *testscript.TestScript, _ bool, args []string) {
	kept, _ := ts.Value(snapshots{}).(map[string]map[string]string)
	if kept == nil {
		ts.Fatalf("no place for snapshots")
	}
	kept[args[0]] = tree(ts, args[0])
}

func same(ts *testscript.TestScript, _ bool, args []string) {
	kept, _ := ts.Value(snapshots{}).(map[string]map[string]string)
	if diff := cmp.Diff(kept[args[0]], tree(ts, args[0])); diff != "" {
		ts.Fatalf("%s has changed (-before +after):\n%s", args[0], diff)
	}
}

// tree sums up a directory: the hash of each file by its path.
func tree(ts *testscript.TestScript, dir string) map[string]string {
	sums := map[string]string{}
	root := ts.MkAbs(dir)
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			sums[path] = "not a file"
			return err
		}
		text, err := os.ReadFile(path)
		sum := sha256.Sum256(text)
		sums[path] = hex.EncodeToString(sum[:])
		return err
	}))
	return sums
}

func poke(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	ts.Check(err)
	offset, err := strconv.Atoi(args[1])
	ts.Check(err)
	by, err := hex.DecodeString(args[2])
	ts.Check(err)
	ts.Check(os.WriteFile(path, slices.Replace(text, offset, offset+len(by), by...), 0o600))
}

func cut(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

// quireCommand is the program, to be run outside of a script. The environment
// has nothing of quire's own.
func quireCommand(t *testing.T, args ...string) (c *exec.Cmd, stdout *bytes.Buffer) {
	t.Helper()
	c = exec.CommandContext(t.Context(), "quire", args...)
	c.Env = slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "QUIRE_") })
	c.Env = append(c.Env, hurriedRace)
	stdout = new(bytes.Buffer)
	c.Stdout = stdout
	return c, stdout
}
