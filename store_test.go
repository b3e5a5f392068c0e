package quire_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/quire-dev/quire"
)

// What cannot be a store is refused, by an error that shows no part of what might
// be a password, however it is written.
func TestOpen_refusesStore(t *testing.T) {
	for name, dsn := range map[string]string{
		"other kind":            "mysql://u:hunter2@host/db",
		"no kind":               "hunter2",
		"keywords":              "host=h password=hunter2",
		"no file":               "sqlite:",
		"slash in password":     "postgres://u:12/hunter2@host/db",
		"two signs":             "postgres://u:1@2/hunter2@host/db",
		"mark in password":      "postgres://u:12?hunter2@host/db",
		"fragment":              "postgres://u:1@host/db#hunter2",
		"broken escape":         "postgres://u:hunter2%zz@host/db",
		"not a port":            "postgres://hunter2:hunter2",
		"unknown ssl mode":      "postgres://u:hunter2@host/db?sslmode=always",
		"password as parameter": "postgres://u@host/db?password=hunter2&sslmode=always",
		"escaped password":      "postgres://u:hunter2%21%2f@host/db?connect_timeout=never",
	} {
		t.Run(name, func(t *testing.T) {
			cfg := quire.Config{Data: t.TempDir(), Store: dsn}
			s, err := quire.Open(t.Context(), cfg)
			if err == nil {
				_ = s.Close()
			}
			if !errors.Is(err, quire.ErrConfig) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Open: %v, want ErrConfig without the password", err)
			}
		})
	}
}

func TestConfig_StoreName(t *testing.T) {
	for dsn, want := range map[string]string{
		"sqlite:some/quire.db":                             "sqlite:some/quire.db",
		"postgres://u:hunter2@host:5433/db?sslmode=verify": "postgres://u:xxxxx@host:5433/db",
		"postgresql://u@host/db":                           "postgresql://u@host/db",
		"postgres:///db?host=/run/pg&password=hunter2":     "postgres:///db",
		"postgres://u:12/hunter2@host/db":                  "postgres:…",
		"mysql://u:hunter2@host/db":                        "mysql:…",
	} {
		if got := (quire.Config{Store: dsn}).StoreName(); got != want {
			t.Errorf("StoreName of %s = %s, want %s", dsn, got, want)
		}
	}
}
