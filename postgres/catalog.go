package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/quire-dev/quire/paper"
	"github.com/quire-dev/quire/queue"
)

// Put implements [paper.Catalog].
func (s *Store) Put(ctx context.Context, r paper.Record) error {
	if err := queue.CheckText("artifact id", r.ArtifactID, 1, queue.MaxArtifactID); err != nil {
		return fmt.Errorf("store record: %w", err)
	}
	const query = `
		INSERT INTO quire.records (artifact_id, doc, updated_at) VALUES ($1::text, $2::bytea, clock_timestamp())
		ON CONFLICT (artifact_id) DO UPDATE SET doc = excluded.doc, updated_at = excluded.updated_at`
	doc, err := r.Marshal()
	if err == nil {
		err = s.write(ctx, func(_ context.Context, t *tx) error {
			t.queue(query, nil, r.ArtifactID, []byte(doc))
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("store record of %s: %w", r.ArtifactID, err)
	}
	return nil
}

// Get implements [paper.Catalog].
func (s *Store) Get(ctx context.Context, artifactID string) (paper.Record, error) {
	const query = `SELECT artifact_id, doc FROM quire.records WHERE artifact_id = $1::text`
	records, err := s.records(ctx, query, artifactID)
	switch {
	case err != nil:
		return paper.Record{}, fmt.Errorf("look up record: %w", err)
	case len(records) == 0:
		return paper.Record{}, fmt.Errorf("%w: %s", paper.ErrNotFound, artifactID)
	}
	return records[0], nil
}

// Records implements [paper.Catalog]. Artifact ids are ordered by their bytes.
func (s *Store) Records(ctx context.Context, f paper.RecordFilter) ([]paper.Record, error) {
	const query = `SELECT artifact_id, doc FROM quire.records WHERE artifact_id > $1::text ORDER BY artifact_id LIMIT $2::bigint`
	records, err := s.records(ctx, query, f.After, limit(f.Limit))
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	return records, nil
}

func (s *Store) records(ctx context.Context, query string, args ...any) (records []paper.Record, err error) {
	err = s.read(ctx, func(_ context.Context, t *tx) error {
		records = nil
		t.queue(query, func(rows pgx.Rows) error {
			var id string
			var doc []byte
			var r paper.Record
			if err := rows.Scan(&id, &doc); err != nil {
				return err
			}
			if err := json.Unmarshal(doc, &r); err != nil {
				return fmt.Errorf("record of %s: %w", id, err)
			}
			r.ArtifactID = id
			records = append(records, r)
			return nil
		}, args...)
		return nil
	})
	return records, err
}

// limit is what PostgreSQL takes for a Limit: NULL for none.
func limit(n int) *int64 {
	if n <= 0 {
		return nil
	}
	most := int64(n)
	return &most
}
