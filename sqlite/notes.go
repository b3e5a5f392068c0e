package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/quire-dev/quire/queue"
)

var _ queue.KeyNotes = (*Store)(nil)

// SaveKeyNotes implements [queue.KeyNotes].
func (s *Store) SaveKeyNotes(ctx context.Context, notes ...queue.KeyNote) error {
	const (
		save = `INSERT INTO key_notes (key, doc, saved_at) VALUES (?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET doc = excluded.doc, saved_at = excluded.saved_at`
		drop = `DELETE FROM key_notes WHERE key = ?`
	)
	for i, n := range notes {
		if err := n.Check(); err != nil {
			return fmt.Errorf("save notes of keys: note %d of %d: %w", i+1, len(notes), err)
		}
	}
	if len(notes) == 0 {
		return nil
	}
	_, err := write(ctx, s.w, func(t *tx) (int, error) {
		for _, n := range notes {
			var err error
			if len(n.Doc) == 0 {
				_, err = t.exec(drop, n.Key)
			} else {
				_, err = t.exec(save, n.Key, string(n.Doc), t.now)
			}
			if err != nil {
				return 0, err
			}
		}
		return len(notes), nil
	})
	if err != nil {
		return fmt.Errorf("save notes of keys: %w", err)
	}
	return nil
}

// KeyNotes implements [queue.KeyNotes].
func (s *Store) KeyNotes(ctx context.Context) (notes []queue.KeyNote, err error) {
	const query = `SELECT key, doc, saved_at FROM key_notes ORDER BY key`
	now := time.Now()
	err = s.snapshot(ctx, func(snap *sql.Tx) error {
		notes = nil
		return each(ctx, snap, query, func(rows *sql.Rows) error {
			var n queue.KeyNote
			var doc string
			var saved int64
			err := rows.Scan(&n.Key, &doc, &saved)
			n.Doc, n.Age = json.RawMessage(doc), max(0, now.Sub(time.UnixMilli(saved)))
			notes = append(notes, n)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read notes of keys: %w", explained(err))
	}
	return notes, nil
}
