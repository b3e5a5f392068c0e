package sqlite

// numbers are the last ones that were given out: of jobs and of final outcomes.
type numbers struct {
	read    bool
	id, seq int64
}

const (
	lastIDQuery  = `SELECT max(coalesce((SELECT max(id) FROM jobs), 0), (SELECT job FROM floors))`
	lastSeqQuery = `SELECT max(coalesce((SELECT max(finish_seq) FROM jobs WHERE finish_seq > 0), 0), (SELECT finish_seq FROM floors))`
)

// numbers returns the last ones given out, to be counted up by who gives out more.
func (t *tx) numbers() (n *numbers, err error) {
	if t.last.read {
		return &t.last, nil
	}
	if t.last.id, err = t.integer(lastIDQuery); err != nil {
		return nil, err
	}
	if t.last.seq, err = t.integer(lastSeqQuery); err != nil {
		return nil, err
	}
	t.last.read = true
	return &t.last, nil
}
