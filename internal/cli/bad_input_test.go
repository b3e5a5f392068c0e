package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// bad is what somebody may get wrong, and what is said of it.
type bad struct {
	args string // separated by |
	code int
	says string // a pattern for the line
}

// right are arguments with which a command would go on to its work: one thing is
// then wrong in each run. Every command is here.
func right() map[string][]string {
	return map[string][]string{
		"bench queue": nil, "completion bash": nil, "completion fish": nil, "completion powershell": nil, "completion zsh": nil,
		"config check": nil, "config schema": nil, "config show": nil, "demo": nil, "doctor": nil, "explain": {"10.5555/a"},
		"export bagit": {"--output=bag"}, "export bibtex": nil, "export csv": nil, "export manifest": nil,
		"generate man": {"made"}, "generate reference": {"made"},
		"get": {"10.5555/a"}, "init": nil, "limits": nil, "plan": {"ids.txt"},
		"queue cancel": {"10.5555/a"}, "queue enqueue": {"10.5555/a"}, "queue import": {"ids.txt"}, "queue list": nil, "queue pause": nil,
		"queue prune": {"--older=1h"}, "queue resume": nil, "queue retry-failed": nil, "queue run": nil, "queue show": {"10.5555/a"}, "queue stats": nil,
		"report": nil, "sources import-unpaywall": {"ids.txt"}, "sources list": nil, "verify": nil, "version": nil,
	}
}

// wrongValues has, of every flag that takes a value, what is wrong for it: for a
// command of its own, or by its name alone. Those of a wrong type are tried besides.
func wrongValues() map[string][]bad {
	run := []bad{{"\xff", 2, `--run: invalid NAME: ".*" is not UTF-8`}, {strings.Repeat("x", 513), 2, `--run: invalid NAME: 513 bytes, at most 512 are allowed`}}
	format := []bad{{"pdf", 2, `--format "pdf": must be one of auto, txt, `}}
	least := []bad{{"0", 2, `must be at least 1`}, {"-1", 2, `must be at least 1`}}
	negative := []bad{{"-1", 2, `must not be negative`}}
	return map[string][]bad{
		"run": run, "format": format, "jobs": least, "keys": least, "workers": least, "depth": least,
		"report --format": {{"pdf", 2, `--format "pdf": must be one of text, md, html, json`}},
		"class":           {{"wrong", 2, `--class "wrong": must be one of not_found_id, `}},
		"key": {
			{"press.example", 2, `--key "press.example": must be host:NAME or resolver:NAME.*; did you mean host:press.example\?`},
			{"crossref", 2, `did you mean resolver:crossref\?`},
			{"host:", 2, `must be host:NAME`},
		},
		"limit": negative, "older": {{"-1h", 2, `must not be negative`}}, "grace": {{"-1h", 2, `must not be negative`}},
		"for": {{"-1h", 2, `must not be negative`}}, "max-jobs": negative,
		"max-workers":      {{"-1", 2, `must not be negative`}, {"5000", 4, `flag --max-workers: .*must be from 1 to 1024`}},
		"state":            {{"wrong", 2, `--state "wrong": must be one of `}, {"done,wrong", 2, `must be one of `}, {",", 2, `empty|must be one of`}},
		"priority":         {},
		"resolver-hint":    {{"nosuch", 2, `--resolver-hint "nosuch": no such resolver is enabled; there are `}},
		"order":            {{"nosuch", 4, `flag --order: .*unknown resolver "nosuch"`}, {"crossref,crossref", 4, `flag --order: `}},
		"id-column":        {{"nosuch", 1, `a column for the identifiers is named, and this is txt, which has none`}},
		"plan --id-column": {}, "get --id-column": {}, // they read files of several formats
		"rejects":               {{"ids.txt", 2, `--rejects ids.txt is the file that is read: name another`}},
		"output":                {{"ids.txt/x", 1, `ids.txt.*not a directory`}, {"nosuch/x", 1, `nosuch.*no such file or directory`}},
		"export bagit --output": {{"ids.txt", 1, `make bag ids.txt: file already exists`}},
		"keep":                  {{"ids.txt", 1, `demo: mkdir ids.txt: not a directory`}},
		"index":                 {{".", 1, `import dump to .: .: not an index of a dump`}},

		"artifacts":  {{"ftp://x", 4, `artifacts ftp:…: there are file:DIR and s3://`}},
		"config":     {{"nosuch.yaml", 4, `read configuration: .*nosuch.yaml: no such file`}, {".", 4, `is a directory`}},
		"contact":    {{"nobody", 4, `flag --contact: contact: "nobody" is not an e-mail address`}},
		"data":       {{"", 2, `--data is empty`}, {"ids.txt", 1, `ids.txt.*not a directory; part of that path is a file`}},
		"log-format": {{"xml", 2, `--log-format "xml": must be one of text, json`}},
		"log-level":  {{"loud", 2, `--log-level "loud": must be one of debug, info, warn, error`}},
		"log-work":   {{"nonsense", 2, `--log-work: not an identifier: "nonsense"`}},
		"set": {
			{"contact", 2, `--set "contact": must be PATH=VALUE`},
			{"robots.obay=false", 4, `robots.obay: .*the nearest known is obey`},
			{"orchestrator.max_workers=0", 4, `"0" is out of range`},
			{"resolvers.core.api_key=hunter2", 4, `api_key`},
		},
		"progress": {{"fancy", 2, `--progress "fancy": must be one of auto, tui, plain, none`}},
		"store": {
			{"mysql://u:hunter2@x", 4, `store mysql:…: there are sqlite:PATH and postgres://`},
			{"sqlite:", 4, `names no file`},
			{"sqlite:ids.txt", 1, `not a usable quire database: it is no SQLite file; nothing in it was changed`},
		},
	}
}

// wrongArguments are what is wrong apart from the values of flags.
func wrongArguments() map[string][]bad {
	return map[string][]bad{
		"explain":                  {{"", 2, `needs one identifier, got 0`}, {"10.5555/a|10.5555/b", 2, `needs one identifier, got 2`}, {"ids.txt", 2, `to read that file: quire queue import ids.txt`}},
		"get":                      {{"--json|nosuch.csv", 4, `an e-mail address is needed`}},
		"generate man":             {{"", 2, `needs one DIR to write to`}, {"a|b", 2, `needs one DIR to write to`}, {"ids.txt", 1, `generate: mkdir ids.txt: not a directory`}},
		"generate reference":       {{"", 2, `needs one DIR to write to`}, {"a|b", 2, `needs one DIR to write to`}},
		"limits":                   {{"nonsense", 2, `limits of nonsense: is no key`}},
		"plan":                     {{"", 2, `plan needs a FILE`}, {"nosuch", 1, `plan: open nosuch: no such file`}, {"program", 1, `this is a program: give a list of identifiers`}},
		"queue cancel":             {{"", 2, `needs identifiers, flags that select jobs, or --all`}, {"--all|10.5555/a", 2, `identifiers or --all, not both`}, {"nonsense", 2, `not an identifier`}},
		"queue enqueue":            {{"", 2, `needs at least one identifier; for files there is`}},
		"queue import":             {{"", 2, `needs a FILE, or - for stdin`}, {"-|ids.txt|-", 2, `can read stdin \(-\) once`}, {"ids.txt|nosuch", 1, `import: open nosuch: no such file`}, {"program", 1, `this is a program`}, {"nosuch", 1, `import: open nosuch: no such file`}},
		"queue list":               {{"nonsense", 2, `not an identifier`}},
		"queue pause":              {{"a|b", 2, `takes one KEY at most, got 2`}, {"press.example", 2, `did you mean host:press.example\?`}},
		"queue resume":             {{"a|b", 2, `takes one KEY at most, got 2`}, {"crossref", 2, `did you mean resolver:crossref\?`}},
		"queue prune":              {{"", 2, `needs --older DUR`}},
		"queue show":               {{"", 2, `needs one identifier, got 0`}, {"10.5555/none", 1, `look up job: no such job: doi:10.5555/none; quire queue list`}},
		"sources import-unpaywall": {{"", 2, `takes one FILE`}, {"nosuch", 1, `open nosuch: no such file`}},
		"report":                   {{"--json|--format=md", 2, `--json and --format md: choose one`}},
		"export bagit":             {{"", 2, `needs --output DIR`}},
		"export csv":               {{"--output=data/quire.db", 2, `--output data/quire.db is the data's own: name another file`}},
	}
}

// place makes a directory with a queue and some files, and goes there.
func place(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"ids.txt": "10.5555/b\n", "program": "\x7fELF\x02"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, stderr := try(t, "queue", "enqueue", "10.5555/a"); code != exitOK {
		t.Fatal(stderr)
	}
}

// try runs the program on the directory data.
func try(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Run(t.Context(), args, Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Environ: []string{"QUIRE_DATA=data"}})
	return code, out.String(), errs.String()
}

// expect runs the program and checks that it says in one line what is wrong.
func expect(t *testing.T, want bad, args ...string) {
	t.Helper()
	code, stdout, stderr := try(t, args...)
	line := regexp.MustCompile(`^quire: [^\n]*(?:` + want.says + `)[^\n]*\n$`)
	if code != want.code || !line.MatchString(stderr) || stdout != "" || strings.Contains(stderr, "hunter2") {
		t.Errorf("%q:\nexit code %d, want %d\nstdout %q\nstderr %s, want %s", args, code, want.code, stdout, stderr, want.says)
	}
}

// commands calls visit with every command that does something.
func commands(t *testing.T, visit func(path string, c *cobra.Command)) {
	t.Helper()
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		if path := strings.TrimPrefix(c.CommandPath(), "quire "); c.Runnable() && !c.HasSubCommands() && path != "help" {
			visit(path, c)
		}
	}
	root := newRoot(&app{})
	root.SetContext(context.Background())
	walk(root)
}

func TestBadInput_flags(t *testing.T) {
	place(t)
	values, told := wrongValues(), map[string]bool{}
	commands(t, func(path string, c *cobra.Command) {
		base, known := right()[path]
		if !known {
			t.Errorf("%s: no row in right", path)
			return
		}
		args := func(more ...string) []string { return slices.Concat(strings.Fields(path), base, more) }
		expect(t, bad{code: 2, says: `unknown flag: --nosuch \(see quire .*--help\)`}, args("--nosuch")...)
		expect(t, bad{code: 2, says: `unknown shorthand flag: 'z' in -z`}, args("-z")...)
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			flag := "--" + f.Name
			wrongTypes(t, f, args)
			rows, known := values[path+" "+flag]
			if !known {
				rows, known = values[f.Name]
			}
			if told[f.Name] = true; !known && f.Value.Type() != "bool" {
				t.Errorf("%s %s: no row in wrongValues", path, flag)
			}
			for _, row := range rows {
				expect(t, row, args(flag+"="+row.args)...)
			}
		})
	})
	global := []string{"queue", "enqueue", "10.5555/a"}
	newRoot(&app{}).PersistentFlags().VisitAll(func(f *pflag.Flag) {
		args := func(more ...string) []string { return slices.Concat(global, more) }
		rows, known := values[f.Name]
		if told[f.Name] = true; !known && f.Value.Type() != "bool" {
			t.Errorf("--%s: no row in wrongValues", f.Name)
		}
		if f.Value.Type() != "bool" {
			expect(t, bad{code: 2, says: `flag needs an argument: --` + f.Name}, args("--"+f.Name)...)
		}
		for _, row := range rows {
			expect(t, row, args("--"+f.Name+"="+row.args)...)
		}
	})
	for name := range values {
		if _, flag, own := strings.Cut(name, " --"); !told[name] && (!own || !told[flag]) {
			t.Errorf("wrongValues has %q, which no command has", name)
		}
	}
}

// wrongTypes tries values that are none of a flag's type, and no value.
func wrongTypes(t *testing.T, f *pflag.Flag, args func(...string) []string) {
	t.Helper()
	flag := "--" + f.Name
	wrong := map[string][]bad{
		"bool":     {{"maybe", 2, `invalid argument "maybe" for "` + flag + `": must be true or false`}},
		"int":      {{"high", 2, flag + `": must be a whole number`}, {"1.5", 2, `must be a whole number`}, {"99999999999999999999", 2, `is too large a number`}},
		"duration": {{"10", 2, `time: missing unit`}, {"soon", 2, `time: invalid duration`}, {"9999999999h", 2, `time: invalid duration`}},
		"string":   {{"", 2, flag + ` is empty: give it a value or leave it out`}},
	}
	wrong["stringSlice"] = wrong["string"]
	rows, known := wrong[f.Value.Type()]
	if !known {
		t.Errorf("%s: no row for the type %s", flag, f.Value.Type())
	}
	for _, row := range rows {
		expect(t, row, args(flag+"="+row.args)...)
	}
	if f.Value.Type() != "bool" {
		expect(t, bad{code: 2, says: `flag needs an argument: ` + flag}, args(flag)...)
	}
}

func TestBadInput_arguments(t *testing.T) {
	place(t)
	rows := wrongArguments()
	commands(t, func(path string, c *cobra.Command) {
		words := strings.Fields(path)
		for _, row := range rows[path] {
			var args []string
			if row.args != "" {
				args = strings.Split(row.args, "|")
			}
			expect(t, row, slices.Concat(words, args)...)
		}
		if !strings.Contains(c.Use, "ID") && !strings.Contains(c.Use, "FILE") && !strings.Contains(c.Use, "KEY") && !strings.Contains(c.Use, "DIR") {
			expect(t, bad{code: 2, says: `takes no arguments, got "surplus"`}, slices.Concat(words, right()[path], []string{"surplus"})...)
		} else if len(rows[path]) == 0 {
			t.Errorf("%s takes arguments: no row in wrongArguments", path)
		}
		if len(words) == 2 { // of a parent, nearly
			near := words[1][:len(words[1])-1]
			expect(t, bad{code: 2, says: `unknown command "` + near + `" of quire ` + words[0] + `; did you mean `}, words[0], near)
		}
	})
	for name := range rows {
		if _, known := right()[name]; !known {
			t.Errorf("wrongArguments has %q, which is no command", name)
		}
	}
}

// The state that a command finds can be wrong too: each says what and where.
func TestBadInput_places(t *testing.T) {
	place(t)
	for name, text := range map[string]string{"damaged/quire.db": "no database", "config/quire.yaml": "contact: [", "plain": ""} {
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, stderr := try(t, "--data=taken", "queue", "enqueue", "10.5555/a"); code != exitOK {
		t.Fatal(stderr)
	}
	if err := os.MkdirAll("taken/manifest.jsonl", 0o750); err != nil {
		t.Fatal(err)
	}
	for _, row := range []bad{
		{"--data=nosuch|queue|stats", 1, "no queue in nosuch yet: fill one with `quire --data nosuch queue import FILE` or name another with --data"},
		{"--data=nosuch|queue|retry-failed", 1, `no queue in nosuch yet`},
		{"--data=nosuch|report", 1, `no queue in nosuch yet`},
		{"--data=damaged|queue|stats", 1, `not a usable quire database: it is no SQLite file; nothing in it was changed: bring back a copy`},
		{"--data=plain|queue|stats", 1, `not a directory; part of that path is a file: name a directory with --data`},
		{"--data=config|queue|stats", 4, `read configuration: config/quire.yaml:`},
		{"--data=taken|--contact=tests@quire.dev|queue|run|--drain", 1, `open manifest taken/manifest.jsonl: .*something else is in the place of this file`},
		{"--store=postgres://u:hunter2@127.0.0.1:1/db|queue|stats", 1, `connection refused; is the server up, and are its name and port right\?`},
	} {
		expect(t, row, strings.Split(row.args, "|")...)
	}
}
