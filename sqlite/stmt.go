package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The writer's statements go to the driver itself: of a short statement, and
// nearly all of its are short, database/sql takes a fifth.

// statement is a prepared statement.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// stmt returns the prepared statement of query, which must be one of few.
func (w *writer) stmt(query string) (statement, error) {
	if stmt := w.stmts[query]; stmt != nil {
		return stmt, nil
	}
	var stmt statement
	err := w.conn.Raw(func(conn any) error {
		prepared, err := conn.(driver.ConnPrepareContext).PrepareContext(context.Background(), query)
		if err == nil {
			stmt = prepared.(statement)
			w.stmts[query] = stmt
		}
		return err
	})
	return stmt, err
}

func (w *writer) exec(query string) error {
	_, err := (&tx{w: w}).exec(query)
	return err
}

// arguments are args as the driver takes them. They hold until the next call.
func (w *writer) arguments(args []any) []driver.NamedValue {
	w.args = w.args[:0]
	for i, arg := range args {
		if n, ok := arg.(int); ok {
			arg = int64(n)
		}
		w.args = append(w.args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return w.args
}

// exec returns how many rows the statement changed. Arguments are integers,
// strings, booleans or nil.
func (t *tx) exec(query string, args ...any) (int, error) {
	stmt, err := t.w.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := stmt.ExecContext(context.Background(), t.w.arguments(args))
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

func (t *tx) query(query string, args ...any) (*rows, error) {
	stmt, err := t.w.stmt(query)
	if err != nil {
		return nil, err
	}
	found, err := stmt.QueryContext(context.Background(), t.w.arguments(args))
	if err != nil {
		return nil, err
	}
	return &rows{rows: found, values: make([]driver.Value, len(found.Columns()))}, nil
}

// integer returns the one integer that query selects.
func (t *tx) integer(query string, args ...any) (int64, error) {
	found, err := t.query(query, args...)
	if err != nil {
		return 0, err
	}
	defer found.Close()
	if !found.Next() {
		return 0, errors.Join(found.Err(), sql.ErrNoRows)
	}
	return found.integer(0), nil
}

// integerOr is integer, or otherwise where query selects nothing.
func (t *tx) integerOr(otherwise int64, query string, args ...any) (int64, error) {
	n, err := t.integer(query, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return otherwise, nil
	}
	return n, err
}

// integers returns the one integer of each row that query selects.
func (t *tx) integers(query string, args ...any) (all []int64, err error) {
	found, err := t.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		all = append(all, found.integer(0))
	}
	return all, found.Err()
}

// texts returns the one text of each row that query selects.
func (t *tx) texts(query string, args ...any) (texts []string, err error) {
	found, err := t.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		texts = append(texts, found.text(0))
	}
	return texts, found.Err()
}

// rows are what a query selects.
type rows struct {
	rows   driver.Rows
	values []driver.Value // of the current row
	err    error
}

// Next goes to the next row, if there is one.
func (r *rows) Next() bool {
	r.err = r.rows.Next(r.values)
	return r.err == nil
}

// Err returns why Next stopped before the last row, if it did.
func (r *rows) Err() error {
	if errors.Is(r.err, io.EOF) {
		return nil
	}
	return r.err
}

// Close ends the query.
func (r *rows) Close() { _ = r.rows.Close() }

func (r *rows) integer(i int) int64 {
	n, _ := r.values[i].(int64)
	return n
}

func (r *rows) text(i int) string {
	switch v := r.values[i].(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// doc is a column that holds a document, nil for NULL.
func (r *rows) doc(i int) json.RawMessage {
	if r.values[i] == nil {
		return nil
	}
	return json.RawMessage(r.text(i))
}

// text is a document as a column keeps it: NULL for none.
func text(doc json.RawMessage) any {
	if len(doc) == 0 {
		return nil
	}
	return string(doc)
}
