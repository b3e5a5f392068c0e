package cli_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quire-dev/quire/internal/need"
)

// completing is what a bash does when TAB is pressed behind words, which it has
// taken apart at colons and equals signs. _get_comp_words_by_ref stands for that
// of the package bash-completion, which puts them together again.
const completing = `
_get_comp_words_by_ref() {
	words=() cword=-1
	local word joined=''
	for word in "${COMP_WORDS[@]}"; do
		if [[ $joined || $word == [:=] ]] && (( cword > 0 )); then
			words[cword]+=$word
		else
			words[++cword]=$word
		fi
		[[ $word == [:=] ]] && joined=1 || joined=''
	done
	cur=${words[cword]} prev=${words[cword-1]}
}
compopt() { :; }
source <(quire completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9 COLUMNS=80
__start_quire
(( ${#COMPREPLY[@]} == 0 )) || printf '%s\n' "${COMPREPLY[@]}"
`

// TestCompletion_bash has a real bash complete identifiers, keys and lists, which
// have what bash takes for the ends of words.
func TestCompletion_bash(t *testing.T) {
	_, err := exec.LookPath("bash")
	need.Or(t, "bash", err)
	dir := t.TempDir()
	// Beside what is common, names that would be run if they were ever evaluated.
	add, told := quireCommand(t, "--data", dir, "queue", "enqueue", "10.5555/good", "10.5555/better", "PMC12", "arXiv:2101.00001",
		"https://x.example/$(touch${IFS}pwned)1", "https://x.example/$(touch${IFS}pwned)2", "https://x.example/`touch${IFS}pwned`")
	if err := add.Run(); err != nil || !strings.HasPrefix(told.String(), "7 added") {
		t.Fatalf("enqueue: %v: %s", err, told)
	}
	tests := map[string]struct{ words, want string }{
		"one id":         {"quire queue show doi : 10.5555/g", "10.5555/good"},
		"without a kind": {"quire queue show 10.5555/g", "10.5555/good"},
		"several ids":    {"quire explain doi : 10.5555/", "10.5555/good    (queued)\n10.5555/better  (queued)"},
		"hostile ids":    {"quire explain url : https : //x", ""},
		"key":            {"quire queue pause host : arx", "arxiv.org"},
		"list":           {"quire queue run --order pmc,ar", `pmc\,arxiv`},
		"list after =":   {"quire queue run --order = pmc,ar", `pmc\,arxiv`},
		"command":        {"quire queue retr", "retry-failed"},
		"flag":           {"quire queue run --max-j", "--max-jobs"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := exec.CommandContext(t.Context(), "bash", append([]string{"--norc", "-c", completing, "bash"}, strings.Fields(tt.words)...)...)
			stdout, stderr := new(bytes.Buffer), new(bytes.Buffer)
			c.Env, c.Stdout, c.Stderr, c.Dir = append(add.Env, "QUIRE_DATA="+dir, "QUIRE_COMPLETE_WITHIN=1m"), stdout, stderr, dir
			if err := c.Run(); err != nil {
				t.Errorf("bash: %v: %s", err, stderr)
			}
			if diff := cmp.Diff(tt.want, strings.TrimSuffix(stdout.String(), "\n")); diff != "" {
				t.Errorf("completions (-want +got):\n%s%s", diff, stderr)
			}
		})
	}
	if _, err := os.Stat(dir + "/pwned"); err == nil {
		t.Error("an identifier was run as a command")
	}
}

// TestCompletion_bounded asks a server that never says anything.
func TestCompletion_bounded(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c, stdout := quireCommand(t, "__complete", "--store", "postgres://nobody@"+silent.Addr().String()+"/nothing", "queue", "show", "")
	c.Env = append(c.Env, "QUIRE_COMPLETE_WITHIN=50ms")
	began := time.Now()
	if err := c.Run(); err != nil || stdout.String() != ":4\n" {
		t.Errorf("got %q, %v; want nothing to choose from", stdout, err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s, against a limit of 50 ms", took)
	}
}
