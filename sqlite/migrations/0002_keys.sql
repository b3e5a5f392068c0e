-- Keys and runs get numbers, each key its counts, jobs a rank within their key,
-- and failed attempts a table. Jobs are copied by the program, which computes
-- their place; this script leaves the old ones in jobs_v1.
DROP TRIGGER jobs_insert;
DROP TRIGGER jobs_update;
DROP TRIGGER jobs_delete;
DROP INDEX jobs_ready;
DROP INDEX jobs_available;
DROP INDEX jobs_leased;
DROP INDEX jobs_finished;
DROP INDEX jobs_error;
DROP TABLE counts;
ALTER TABLE jobs RENAME TO jobs_v1;

CREATE TABLE keys (
	id        INTEGER PRIMARY KEY,
	name      TEXT    NOT NULL UNIQUE,      -- '' and id 0 stand for the whole queue, which can be paused
	paused    INTEGER NOT NULL DEFAULT 0,
	served    INTEGER NOT NULL DEFAULT 0,   -- the greatest rank that was leased here
	ready     INTEGER NOT NULL DEFAULT 0,   -- how many jobs are in state 0; all counts are kept by the program
	delayed   INTEGER NOT NULL DEFAULT 0,   -- 1
	in_flight INTEGER NOT NULL DEFAULT 0    -- 2
) STRICT;

CREATE INDEX keys_paused ON keys (id) WHERE paused = 1;
INSERT INTO keys (id, name) VALUES (0, '');

CREATE TABLE runs (
	id   INTEGER PRIMARY KEY,
	name TEXT    NOT NULL UNIQUE
) STRICT;

-- The greatest rank that a run got at a key.
CREATE TABLE shares (
	key  INTEGER NOT NULL,
	run  INTEGER NOT NULL,
	rank INTEGER NOT NULL,
	PRIMARY KEY (key, run)
) STRICT, WITHOUT ROWID;

-- What changes with each lease is apart from what seldom changes: rows that are
-- written often are small, so that a transaction touches few pages.
CREATE TABLE jobs (
	id         INTEGER PRIMARY KEY,
	state      INTEGER NOT NULL,            -- 0 ready, 1 delayed, 2 in progress, 3 done, 4 skipped, 5 error
	key        INTEGER NOT NULL,            -- of keys
	priority   INTEGER NOT NULL,
	rank       INTEGER NOT NULL,
	due        INTEGER NOT NULL,            -- queued: available then; leased: the lease ends then
	run        INTEGER NOT NULL,            -- of runs
	first_key  INTEGER,                     -- of keys; NULL: key, the job has not moved
	attempts   INTEGER NOT NULL DEFAULT 0,
	token      INTEGER NOT NULL DEFAULT 0,  -- of the last lease
	finish_seq INTEGER NOT NULL DEFAULT 0,  -- 0: never finished
	updated_at INTEGER NOT NULL,
	owner      TEXT    NOT NULL DEFAULT '', -- of the lease
	reason     TEXT    NOT NULL DEFAULT '',
	class      TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE docs (
	id          INTEGER PRIMARY KEY, -- of jobs
	place       INTEGER NOT NULL,    -- of artifact_id, see place.go
	created_at  INTEGER NOT NULL,
	artifact_id TEXT    NOT NULL,
	last_error  TEXT    NOT NULL DEFAULT '',
	result      TEXT,
	progress    TEXT,
	payload     TEXT
) STRICT;

CREATE INDEX docs_place ON docs (place);
CREATE INDEX jobs_ready ON jobs (key, priority DESC, rank, id) WHERE state = 0;
CREATE INDEX jobs_due ON jobs (state, due) WHERE state = 1 OR state = 2; -- SQLite sees what implies OR, not <
CREATE INDEX jobs_finished ON jobs (finish_seq) WHERE finish_seq > 0;
CREATE INDEX jobs_error ON jobs (class) WHERE state = 5;

-- How many ready jobs became so in which second. The least of them tells how long
-- the oldest has waited; an index would cost every job two changes for that.
CREATE TABLE ready_since (
	second INTEGER PRIMARY KEY,
	n      INTEGER NOT NULL
) STRICT;

-- How many terminal jobs there are.
CREATE TABLE outcomes (
	state  INTEGER NOT NULL,
	reason TEXT    NOT NULL,
	class  TEXT    NOT NULL,
	n      INTEGER NOT NULL,
	PRIMARY KEY (state, reason, class)
) STRICT, WITHOUT ROWID;

-- Attempts that failed or broke off. Successful ones are in the job itself.
CREATE TABLE attempts (
	job        INTEGER NOT NULL,
	token      INTEGER NOT NULL,
	number     INTEGER NOT NULL,
	key        INTEGER NOT NULL,
	owner      TEXT    NOT NULL,
	reason     TEXT    NOT NULL,
	class      TEXT    NOT NULL,
	error      TEXT    NOT NULL,
	started_at INTEGER NOT NULL,
	ended_at   INTEGER NOT NULL,
	PRIMARY KEY (job, token)
) STRICT, WITHOUT ROWID;

-- Numbers that were given out once are not given again after their job was pruned.
CREATE TABLE floors (
	job        INTEGER NOT NULL, -- the greatest id of a pruned job
	finish_seq INTEGER NOT NULL
) STRICT;
INSERT INTO floors VALUES (0, 0);
