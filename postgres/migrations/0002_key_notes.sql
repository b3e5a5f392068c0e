-- What runs have learnt of keys.
CREATE TABLE quire.key_notes (
	key      text        COLLATE "C" PRIMARY KEY,
	doc      bytea       NOT NULL,
	saved_at timestamptz NOT NULL
);
