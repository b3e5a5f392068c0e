-- "Quir": marks the file as ours, for file(1) and for opening it again.
PRAGMA application_id = 0x51756972;

CREATE TABLE jobs (
	id               INTEGER PRIMARY KEY,
	artifact_id      TEXT    NOT NULL UNIQUE,
	state            TEXT    NOT NULL,
	priority         INTEGER NOT NULL,
	run              TEXT    NOT NULL,
	key              TEXT    NOT NULL,
	first_key        TEXT    NOT NULL,
	attempts         INTEGER NOT NULL DEFAULT 0,
	available_at     INTEGER NOT NULL,
	delayed          INTEGER NOT NULL DEFAULT 0, -- 1: queued, and waits for available_at
	lease_expires_at INTEGER NOT NULL DEFAULT 0,
	lease_owner      TEXT    NOT NULL DEFAULT '',
	token            INTEGER NOT NULL DEFAULT 0, -- of the last lease
	payload          TEXT,
	progress         TEXT,
	result           TEXT,
	reason           TEXT    NOT NULL DEFAULT '',
	class            TEXT    NOT NULL DEFAULT '',
	last_error       TEXT    NOT NULL DEFAULT '',
	finish_seq       INTEGER NOT NULL DEFAULT 0, -- 0: never finished
	created_at       INTEGER NOT NULL,
	updated_at       INTEGER NOT NULL
) STRICT;

CREATE INDEX jobs_ready ON jobs (key, priority DESC, id) WHERE state = 'queued' AND delayed = 0;
CREATE INDEX jobs_available ON jobs (delayed, available_at) WHERE state = 'queued';
CREATE INDEX jobs_leased ON jobs (lease_expires_at) WHERE state = 'in_progress';
CREATE INDEX jobs_finished ON jobs (finish_seq) WHERE finish_seq > 0;
CREATE INDEX jobs_error ON jobs (class) WHERE state = 'error';

-- Every job is counted in exactly one row: by its key while it is unfinished,
-- by its reason afterwards.
CREATE TABLE counts (
	state   TEXT    NOT NULL,
	name    TEXT    NOT NULL,
	delayed INTEGER NOT NULL,
	n       INTEGER NOT NULL,
	PRIMARY KEY (state, name, delayed)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER jobs_insert AFTER INSERT ON jobs BEGIN
	INSERT INTO counts (state, name, delayed, n)
	VALUES (new.state, iif(new.state IN ('queued', 'in_progress'), new.key, new.reason), new.delayed, 1)
	ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER jobs_update AFTER UPDATE OF state, key, delayed, reason ON jobs BEGIN
	INSERT INTO counts (state, name, delayed, n)
	VALUES (new.state, iif(new.state IN ('queued', 'in_progress'), new.key, new.reason), new.delayed, 1)
	ON CONFLICT DO UPDATE SET n = n + 1;
	UPDATE counts SET n = n - 1
	WHERE state = old.state AND delayed = old.delayed
		AND name = iif(old.state IN ('queued', 'in_progress'), old.key, old.reason);
	DELETE FROM counts
	WHERE state = old.state AND delayed = old.delayed
		AND name = iif(old.state IN ('queued', 'in_progress'), old.key, old.reason) AND n = 0;
END;

CREATE TRIGGER jobs_delete AFTER DELETE ON jobs BEGIN
	UPDATE counts SET n = n - 1
	WHERE state = old.state AND delayed = old.delayed
		AND name = iif(old.state IN ('queued', 'in_progress'), old.key, old.reason);
	DELETE FROM counts
	WHERE state = old.state AND delayed = old.delayed
		AND name = iif(old.state IN ('queued', 'in_progress'), old.key, old.reason) AND n = 0;
END;

CREATE TABLE records (
	artifact_id TEXT    PRIMARY KEY,
	doc         TEXT    NOT NULL,
	updated_at  INTEGER NOT NULL
) STRICT;
