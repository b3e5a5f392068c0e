-- What runs have learnt of keys.
CREATE TABLE key_notes (
	key      TEXT    PRIMARY KEY,
	doc      TEXT    NOT NULL,
	saved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
