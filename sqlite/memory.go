package sqlite

// memory is what the writer remembers of the database from one transaction to
// the next, so that it need not be read again. It holds as long as nobody else
// commits, and what a transaction has put there goes with it if it is rolled back.
type memory struct {
	version int64           // data_version when the transaction began
	last    *numbers        // nil: not read
	shares  map[share]int64 // the last rank of a run at a key; -1 if there was none
	due     *int64          // no delayed row is due before; nil: not read
}

const versionQuery = `PRAGMA data_version`

// recall empties the memory if another connection has committed since.
func (w *writer) recall() error {
	version, err := (&tx{w: w}).integer(versionQuery)
	if err != nil {
		return err
	}
	if version != w.memory.version || len(w.memory.shares) > maxNames {
		w.memory = memory{version: version, shares: make(map[share]int64)}
	}
	return nil
}

// forget empties the memory of what a transaction that is rolled back put there.
func (w *writer) forget() {
	w.memory = memory{version: -1, shares: make(map[share]int64)}
	w.keys.forget()
	w.runs.forget()
}

// numbers are the last ones that were given out: of jobs and of final outcomes.
type numbers struct {
	id, seq int64
	gap     bool // the job of id was pruned: SQLite would give the next one a number that is used up
}

const (
	lastIDQuery  = `SELECT coalesce(max(id), 0) FROM jobs`
	floorQuery   = `SELECT job FROM floors`
	lastSeqQuery = `SELECT max(coalesce((SELECT max(finish_seq) FROM jobs WHERE finish_seq > 0), 0), (SELECT finish_seq FROM floors))`
)

// numbers returns the last ones given out, to be counted up by who gives out more.
func (t *tx) numbers() (*numbers, error) {
	if t.w.memory.last != nil {
		return t.w.memory.last, nil
	}
	var last numbers
	var err error
	if last.id, err = t.integer(lastIDQuery); err != nil {
		return nil, err
	}
	floor, err := t.integer(floorQuery)
	if err != nil {
		return nil, err
	}
	if last.gap = floor > last.id; last.gap {
		last.id = floor
	}
	if last.seq, err = t.integer(lastSeqQuery); err != nil {
		return nil, err
	}
	t.w.memory.last = &last
	return &last, nil
}

// delays notes that a row will become ready at due.
func (t *tx) delays(due int64) {
	if d := t.w.memory.due; d != nil && due < *d {
		t.w.memory.due = &due
	}
}

// overdue reports whether a delayed row may be due.
func (t *tx) overdue() (bool, error) {
	if t.w.memory.due == nil {
		due, err := t.integer(firstDelayedQuery)
		if err != nil {
			return false, err
		}
		if due < 0 {
			due = never
		}
		t.w.memory.due = &due
	}
	return *t.w.memory.due <= t.now, nil
}

const never = 1 << 62
