package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/queue"
)

var _ queue.KeyNotes = (*Store)(nil)

// SaveKeyNotes implements [queue.KeyNotes].
func (s *Store) SaveKeyNotes(ctx context.Context, notes ...queue.KeyNote) error {
	const (
		save = `
		INSERT INTO quire.key_notes (key, doc, saved_at)
		SELECT n.key, n.doc, clock_timestamp() FROM unnest($1::text[], $2::bytea[]) AS n(key, doc)
		ON CONFLICT (key) DO UPDATE SET doc = excluded.doc, saved_at = excluded.saved_at`
		drop = `DELETE FROM quire.key_notes WHERE key = ANY ($1::text[])`
	)
	for i, n := range notes {
		if err := n.Check(); err != nil {
			return fmt.Errorf("save notes of keys: note %d of %d: %w", i+1, len(notes), err)
		}
	}
	if len(notes) == 0 {
		return nil
	}
	last := make(map[string][]byte) // a statement may not touch a row twice
	for _, n := range notes {
		last[n.Key] = n.Doc
	}
	var dropped, saved []string
	var docs [][]byte
	for _, key := range slices.Sorted(maps.Keys(last)) { // in one order, as another store may save the same
		if doc := last[key]; len(doc) == 0 {
			dropped = append(dropped, key)
		} else {
			saved, docs = append(saved, key), append(docs, doc)
		}
	}
	err := s.write(ctx, func(_ context.Context, t *tx) error {
		t.queue(drop, nil, dropped)
		t.queue(save, nil, saved, docs)
		return nil
	})
	if err != nil {
		return fmt.Errorf("save notes of keys: %w", err)
	}
	return nil
}

// KeyNotes implements [queue.KeyNotes].
func (s *Store) KeyNotes(ctx context.Context) (notes []queue.KeyNote, err error) {
	const query = `
		SELECT key, doc, greatest(0, extract(epoch FROM clock_timestamp() - saved_at) * 1000000)::bigint
		FROM quire.key_notes ORDER BY key`
	err = s.read(ctx, func(_ context.Context, t *tx) error {
		notes = nil
		t.queue(query, func(rows pgx.Rows) error {
			var n queue.KeyNote
			var doc []byte
			var age int64
			err := rows.Scan(&n.Key, &doc, &age)
			n.Doc, n.Age = doc, time.Duration(age)*time.Microsecond
			notes = append(notes, n)
			return err
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read notes of keys: %w", err)
	}
	return notes, nil
}
