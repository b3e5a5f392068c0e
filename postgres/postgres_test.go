package postgres_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/internal/pgtest"
	"github.com/quire-dev/quire/internal/storetest"
	"github.com/quire-dev/quire/postgres"
)

// server is for tests that do not stop it.
var server = pgtest.Shared{Settings: []string{"fsync=off"}}

func TestMain(m *testing.M) { os.Exit(max(server.Main(m), durable.Stop())) }

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, check storetest.Check) {
		t.Parallel()
		check(t, database(t))
	})
}

// database is a new one, whose clock is moved by ageing what is in it.
func database(t *testing.T) storetest.Database {
	dsn := server.Server(t).Open(t)
	return storetest.Database{
		Open: func(ctx context.Context) (storetest.Store, error) {
			return postgres.Open(ctx, dsn, postgres.Options{Create: true})
		},
		Advance: func(d time.Duration) { age(t, dsn, d) },
	}
}

// age moves all times that are stored into the past, as if time had gone by.
func age(t testing.TB, dsn string, d time.Duration) {
	t.Helper()
	micros := fmt.Sprintf("%d * interval '1 microsecond'", d.Microseconds())
	execute(t, dsn, `
		UPDATE quire.jobs SET created_at = created_at - `+micros+`;
		UPDATE quire.work SET available_at = available_at - `+micros+`, lease_expires_at = lease_expires_at - `+micros+`,
			leased_at = leased_at - `+micros+`, updated_at = updated_at - `+micros+`;
		UPDATE quire.attempts SET started_at = started_at - `+micros+`, ended_at = ended_at - `+micros+`;
		UPDATE quire.key_notes SET saved_at = saved_at - `+micros+`;
		UPDATE quire.records SET updated_at = updated_at - `+micros+`;
		UPDATE quire.runner SET expires_at = expires_at - `+micros)
}

// execute runs SQL beside the store.
func execute(t testing.TB, dsn, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// query reads one row beside the store.
func query(t testing.TB, dsn, sql string, into ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), sql).Scan(into...); err != nil {
		t.Fatal(err)
	}
}

// open opens the database that dsn names, with a queue, until the test ends.
func open(t testing.TB, dsn string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}
