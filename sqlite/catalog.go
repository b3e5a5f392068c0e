package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Put implements [paper.Catalog].
func (s *Store) Put(ctx context.Context, r paper.Record) error {
	if err := queue.CheckText("artifact id", r.ArtifactID, 1, queue.MaxArtifactID); err != nil {
		return fmt.Errorf("store record: %w", err)
	}
	doc, err := r.Marshal()
	if err != nil {
		return fmt.Errorf("store record of %s: %w", r.ArtifactID, err)
	}
	const query = `
		INSERT INTO records (artifact_id, doc, updated_at) VALUES (?, ?, ?)
		ON CONFLICT (artifact_id) DO UPDATE SET doc = excluded.doc, updated_at = excluded.updated_at`
	_, err = write(ctx, s.w, func(t *tx) (int, error) { return t.exec(query, r.ArtifactID, string(doc), t.now) })
	if err != nil {
		return fmt.Errorf("store record of %s: %w", r.ArtifactID, err)
	}
	return nil
}

// Get implements [paper.Catalog].
func (s *Store) Get(ctx context.Context, artifactID string) (paper.Record, error) {
	const query = `SELECT artifact_id, doc FROM records WHERE artifact_id = ?`
	defer s.durable()
	r, err := scanRecord(s.rdb.QueryRowContext(ctx, query, artifactID))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return paper.Record{}, fmt.Errorf("%w: %s", paper.ErrNotFound, artifactID)
	case err != nil:
		return paper.Record{}, fmt.Errorf("look up record: %w", explained(err))
	}
	return r, nil
}

// Records implements [paper.Catalog]. Artifact ids are ordered by their bytes.
func (s *Store) Records(ctx context.Context, f paper.RecordFilter) ([]paper.Record, error) {
	const query = `SELECT artifact_id, doc FROM records WHERE artifact_id > ? ORDER BY artifact_id LIMIT ?`
	defer s.durable()
	rows, err := s.rdb.QueryContext(ctx, query, f.After, limit(f.Limit))
	if err != nil {
		return nil, fmt.Errorf("list records: %w", explained(err))
	}
	defer rows.Close()
	var records []paper.Record
	for rows.Next() {
		r, err := scanRecord(rows)
		if err != nil {
			return nil, fmt.Errorf("list records: %w", explained(err))
		}
		records = append(records, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list records: %w", explained(err))
	}
	return records, nil
}

func scanRecord(row interface{ Scan(dest ...any) error }) (paper.Record, error) {
	var id string
	var doc []byte
	var r paper.Record
	if err := row.Scan(&id, &doc); err != nil {
		return r, err
	}
	if err := json.Unmarshal(doc, &r); err != nil {
		return r, fmt.Errorf("record of %s: %w", id, err)
	}
	r.ArtifactID = id
	return r, nil
}
