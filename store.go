package quire

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/postgres"
	"github.com/quire-dev/quire/queue"
	"github.com/quire-dev/quire/sqlite"
)

// store is what a System needs of the place that keeps its jobs and records.
type store interface {
	queue.Store
	queue.Inspector
	queue.Controller
	queue.KeyNotes
	queue.Examiner
	paper.Catalog

	// LockRunner waits for the right to run jobs. held ends when it is lost.
	LockRunner(ctx context.Context) (held context.Context, release func(), err error)
	Close() error
}

const sqliteScheme = "sqlite:"

// openStore opens the store that cfg names, creating it unless cfg is ReadOnly.
func openStore(ctx context.Context, cfg Config) (store, error) {
	// The concrete types stay in their branches: a nil *Store is not a nil store.
	if path, ok := strings.CutPrefix(cfg.Store, sqliteScheme); ok {
		s, err := sqlite.Open(ctx, path, sqlite.Options{Create: !cfg.ReadOnly, ReadOnly: cfg.ReadOnly, Still: cfg.still})
		if err != nil {
			return nil, fmt.Errorf("open queue: %w", err)
		}
		return s, nil
	}
	s, err := postgres.Open(ctx, cfg.Store, postgres.Options{Create: !cfg.ReadOnly, ReadOnly: cfg.ReadOnly})
	if err != nil {
		err = &secretiveError{err, secrets(cfg.Store)}
		if errors.Is(err, queue.ErrInvalid) || refused(err) {
			return nil, fmt.Errorf("%w: open queue: %w", ErrConfig, err)
		}
		return nil, fmt.Errorf("open queue: %w", err)
	}
	return s, nil
}

// refused reports whether a server did not let us in: SQLSTATE class 28, see
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
func refused(err error) bool {
	var stated interface{ SQLState() string }
	return errors.As(err, &stated) && strings.HasPrefix(stated.SQLState(), "28")
}

// checkStore returns nil if dsn names a store of a kind that we have. Its errors
// show no part of what might be a password.
func checkStore(dsn string) error {
	if path, ok := strings.CutPrefix(dsn, sqliteScheme); ok {
		if path == "" {
			return errors.New("store sqlite: names no file: sqlite:PATH")
		}
		return nil
	}
	scheme, rest, _ := strings.Cut(dsn, "://")
	if scheme != "postgres" && scheme != "postgresql" {
		return fmt.Errorf("store %s: there are sqlite:PATH and postgres://USER@HOST/DATABASE", kind(dsn))
	}
	u, err := url.Parse(dsn)
	// An @, / or # in a password ends it early, and would show the rest of it.
	if err != nil || strings.Count(rest, "@") > 1 || strings.Contains(rest, "#") || strings.Contains(rest, "@") && u.User == nil {
		return errors.New("store postgres://…: not a URL; write @ : / ? # and % in a name or password as %40 %3A %2F %3F %23 %25")
	}
	return nil
}

// kind is as much of a DSN that we do not understand as can hold no password.
func kind(dsn string) string {
	word, _, ok := strings.Cut(dsn, ":")
	if !ok || strings.ContainsFunc(word, func(r rune) bool { return r < 'a' || r > 'z' }) {
		return "…"
	}
	return word + ":…"
}

// secrets are the texts in dsn that nobody may see, as they stand there and decoded.
func secrets(dsn string) (all []string) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil // checkStore has refused it
	}
	if password, ok := u.User.Password(); ok {
		_, raw, _ := strings.Cut(u.User.String(), ":")
		all = append(all, password, raw)
	}
	for _, name := range []string{"password", "sslpassword"} {
		for _, value := range u.Query()[name] {
			all = append(all, value, url.QueryEscape(value))
		}
	}
	return all
}

// StoreName is the Store for people to see: without password and parameters.
func (c Config) StoreName() string {
	if strings.HasPrefix(c.Store, sqliteScheme) {
		return c.Store
	}
	u, err := url.Parse(c.Store)
	if err != nil || checkStore(c.Store) != nil {
		return kind(c.Store)
	}
	u.RawQuery = ""
	return u.Redacted()
}

// secretiveError keeps secrets out of an error's text.
type secretiveError struct {
	err     error
	secrets []string
}

func (e *secretiveError) Error() string {
	text := e.err.Error()
	for _, secret := range e.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "xxxxx")
		}
	}
	return text
}

func (e *secretiveError) Unwrap() error { return e.err }
