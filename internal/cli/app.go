package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/report"
	"github.com/quire-dev/quire/paper"
)

// app is what the commands share: streams and the values of the global flags.
type app struct {
	env Env
	out *stdout

	console *console // what env.Stderr is

	data, config, store, artifacts, contact string
	logFormat, logLevel, logWork, progress  string
	json                                    bool
	set                                     []string  // as given
	sets                                    []setting // the same, read

	passing bool // the data are deleted afterwards: no use to tell where they are
}

// defaultData is where data are if nobody says otherwise.
const defaultData = "./quire-data"

// addGlobals declares the flags that every command has.
func (a *app) addGlobals(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&a.data, "data", a.getenv("QUIRE_DATA", defaultData), "everything quire keeps is in this `DIR`")
	f.StringVar(&a.config, "config", a.getenv("QUIRE_CONFIG", ""), "configuration `FILE` (default DIR/quire.yaml if there)")
	f.StringVar(&a.store, "store", a.getenv("QUIRE_STORE", ""), "`DSN` of the queue: sqlite:PATH or postgres://USER@HOST/DATABASE (default sqlite:DIR/quire.db)")
	if a.store != "" { // it may hold a password, and help shows defaults
		f.Lookup("store").DefValue = quire.Config{Store: a.store}.StoreName()
	}
	f.StringVar(&a.artifacts, "artifacts", a.getenv("QUIRE_ARTIFACTS", ""), "`URL` of where files go: file:DIR or s3://BUCKET/PREFIX?endpoint=https://HOST&region=NAME (default file:DIR/artifacts)")
	if a.artifacts != "" {
		f.Lookup("artifacts").DefValue = quire.Config{Artifacts: a.artifacts}.ArtifactsName()
	}
	f.StringVar(&a.contact, "contact", "", "your `EMAIL` address, told to hosts and sources; needed to talk to the network")
	f.StringArrayVar(&a.set, "set", nil, "a setting of the configuration as `PATH=VALUE`, such as retry.max=2h; may be given again")
	f.BoolVar(&a.json, "json", false, "machine output: one JSON document, or JSON Lines for lists")
	f.StringVar(&a.logFormat, "log-format", a.getenv("QUIRE_LOG_FORMAT", "text"), "`FORMAT` of the log on stderr: text or json")
	f.StringVar(&a.logLevel, "log-level", a.getenv("QUIRE_LOG_LEVEL", "info"), "`LEVEL` of the log: debug, info, warn or error")
	f.StringVar(&a.logWork, "log-work", a.getenv("QUIRE_LOG_WORK", ""), "log all that is decided of the work with this `ID`")
	f.StringVar(&a.progress, "progress", a.getenv("QUIRE_PROGRESS", "auto"), "`KIND` of progress display: auto, tui, plain or none")
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if c.Name() == cobra.ShellCompRequestCmd {
			return nil // whatever is set wrongly, TAB is no time to say so
		}
		return cmp.Or(a.checkGlobals(), checkLocals(c))
	}
}

// choice is a global flag that takes one of a few words.
type choice struct{ flag, allowed string }

func choices() []choice {
	return []choice{
		{"log-format", "text json"},
		{"log-level", "debug info warn error"},
		{"progress", "auto tui plain none"},
	}
}

func (a *app) checkGlobals() error {
	values := map[string]string{"log-format": a.logFormat, "log-level": a.logLevel, "progress": a.progress}
	for _, f := range choices() {
		if value := values[f.flag]; !slices.Contains(strings.Fields(f.allowed), value) {
			return usage("--%s %q: must be one of %s", f.flag, value, strings.ReplaceAll(f.allowed, " ", ", "))
		}
	}
	if a.data == "" {
		return usage("--data is empty: name a DIR, or leave it out for %s", defaultData)
	}
	if a.logWork != "" {
		work, err := paper.ParseID(a.logWork)
		if err != nil {
			return usage("--log-work: %w", err)
		}
		a.logWork = work.ID
	}
	var err error
	if a.sets, err = parseSettings(a.set); err != nil {
		return err
	}
	return checkSettings(a.sets)
}

func (a *app) getenv(name, otherwise string) string {
	for _, kv := range a.env.Environ {
		if v, ok := strings.CutPrefix(kv, name+"="); ok && v != "" {
			return v
		}
	}
	return otherwise
}

// load reads the configuration, with flags of a command by configuration path.
func (a *app) load(flags map[string]string) (*loaded, error) {
	if flags == nil {
		flags = make(map[string]string)
	}
	if a.contact != "" {
		flags["contact"] = a.contact
	}
	return loadConfig(a.configPath(), a.config != "", a.env.Environ, flags, a.sets...)
}

// configPath is where the configuration file is, if there is one.
func (a *app) configPath() string {
	if a.config != "" {
		return a.config
	}
	return filepath.Join(a.data, "quire.yaml")
}

// open opens the data directory for changing it.
func (a *app) open(ctx context.Context, cfg quire.Config) (*quire.System, error) {
	return quire.Open(ctx, a.place(cfg))
}

// look opens the data directory for looking only: nothing is created or changed.
func (a *app) look(ctx context.Context) (*quire.System, error) {
	return a.lookWith(ctx, quire.Config{})
}

// lookWith is look with a configuration, of which only the limits matter.
func (a *app) lookWith(ctx context.Context, cfg quire.Config) (*quire.System, error) {
	s, err := a.peek(ctx, cfg)
	if errors.Is(err, fs.ErrNotExist) {
		where, flag := a.where(cfg)
		return nil, fmt.Errorf("no queue in %s yet: fill one with `%s queue import FILE` or name another with %s", where, a.self(), flag)
	}
	return s, err
}

// missing reports whether there is no queue yet. Other errors are left to who opens it.
func (a *app) missing(ctx context.Context) bool {
	s, err := a.peek(ctx, quire.Config{})
	if err == nil {
		_ = s.Close() // it was only looked at
	}
	return errors.Is(err, fs.ErrNotExist)
}

// where returns where the queue is, and the flag that says so.
func (a *app) where(cfg quire.Config) (where, flag string) {
	if a.store != "" {
		return a.place(cfg).StoreName(), "--store"
	}
	return a.data, "--data"
}

// peek is lookWith with an error that wraps fs.ErrNotExist if there is no queue.
func (a *app) peek(ctx context.Context, cfg quire.Config) (*quire.System, error) {
	cfg = a.place(cfg)
	cfg.ReadOnly = true
	return quire.Open(ctx, cfg)
}

// place says where the data are.
func (a *app) place(cfg quire.Config) quire.Config {
	cfg.Data, cfg.Store, cfg.Artifacts = a.data, a.store, a.artifacts
	return cfg
}

// printJSON prints one document on a line of its own.
func (a *app) printJSON(v any) error {
	doc, err := encodeJSON(v)
	if err != nil {
		return err
	}
	_, err = a.out.Write(doc)
	return err
}

// printJSONRest prints the fields of an object that was begun before, and ends it.
func (a *app) printJSONRest(v any) error {
	doc, err := encodeJSON(v)
	if err != nil {
		return err
	}
	_, err = a.out.Write(bytes.TrimPrefix(doc, []byte("{")))
	return err
}

func encodeJSON(v any) ([]byte, error) {
	var doc bytes.Buffer
	enc := json.NewEncoder(&doc)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return report.EscapeJSON(doc.Bytes()), nil
}

// printf prints to stdout. Errors of stdout show when it is closed.
func (a *app) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(a.out, format, args...)
}

// self is how to call this program on the same data, for hints; a password in
// the DSN is not told.
func (a *app) self() string {
	self := "quire"
	if a.data != a.getenv("QUIRE_DATA", defaultData) {
		self += " --data " + shellWord(a.data)
	}
	if a.config != a.getenv("QUIRE_CONFIG", "") {
		self += " --config " + shellWord(a.config)
	}
	if a.store != a.getenv("QUIRE_STORE", "") {
		self += " --store " + shellWord(quire.Config{Store: a.store}.StoreName())
	}
	if a.artifacts != a.getenv("QUIRE_ARTIFACTS", "") {
		self += " --artifacts " + shellWord(quire.Config{Artifacts: a.artifacts}.ArtifactsName())
	}
	return self
}

// shellWord quotes text for a POSIX shell if it needs to be.
func shellWord(text string) string { return report.ShellWord(text) }

// printable makes text from outside safe to show on a terminal.
func printable(s string) string { return report.Printable(s) }

// newRunName names a batch that the user did not name.
func newRunName(kind string) string {
	return strings.TrimFunc(kind, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) +
		time.Now().UTC().Format("-20060102T150405Z")
}
