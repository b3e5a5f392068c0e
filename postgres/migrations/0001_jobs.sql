CREATE TYPE quire.state AS ENUM ('queued', 'in_progress', 'done', 'skipped', 'error');

-- What was asked for. A row never changes, so its indexes and its payload are
-- written once, however often the job moves.
CREATE TABLE quire.jobs (
	id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	created_at  timestamptz NOT NULL,
	artifact_id text        COLLATE "C" NOT NULL UNIQUE,
	first_key   text        COLLATE "C" NOT NULL,
	run         text        COLLATE "C" NOT NULL,
	payload     bytea
);

-- Where each job stands: a row of the same id, in one of three tables. Jobs move
-- between them as they are leased and settled, which writes fewer index entries
-- than changing the state of a row: each table has only the indexes that its jobs
-- need. They are partitions so that they can also be read as one.
CREATE TABLE quire.work (
	id               bigint      NOT NULL,
	token            bigint      NOT NULL DEFAULT 0, -- of the last lease
	priority         bigint      NOT NULL,
	rank             bigint      NOT NULL,
	available_at     timestamptz NOT NULL,           -- of a queued job
	lease_expires_at timestamptz,                    -- these three of a leased one
	leased_at        timestamptz,
	updated_at       timestamptz NOT NULL,
	finish_seq       bigint      NOT NULL DEFAULT 0, -- 0: never finished
	attempts         integer     NOT NULL DEFAULT 0,
	state            quire.state NOT NULL,
	delayed          boolean     NOT NULL DEFAULT false, -- queued, and waits for available_at
	owner            text,
	key              text        COLLATE "C" NOT NULL,
	reason           text        COLLATE "C" NOT NULL DEFAULT '',
	class            text        COLLATE "C" NOT NULL DEFAULT '',
	last_error       text        NOT NULL DEFAULT '',
	progress         bytea,
	result           bytea
) PARTITION BY LIST (state);

CREATE TABLE quire.queued PARTITION OF quire.work (PRIMARY KEY (id)) FOR VALUES IN ('queued')
WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

-- A row here is a lease: it is live as long as the row is here with its token.
CREATE TABLE quire.leased PARTITION OF quire.work (PRIMARY KEY (id)) FOR VALUES IN ('in_progress')
WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE quire.finished PARTITION OF quire.work (PRIMARY KEY (id)) FOR VALUES IN ('done', 'skipped', 'error');

CREATE INDEX queued_ready ON quire.queued (key, priority DESC, rank, id) WHERE NOT delayed;
CREATE INDEX queued_since ON quire.queued (available_at) WHERE NOT delayed;
CREATE INDEX queued_due ON quire.queued (available_at) WHERE delayed;
CREATE INDEX work_finish_seq ON quire.work (finish_seq) WHERE finish_seq > 0;
CREATE INDEX finished_error ON quire.finished (class, id) WHERE state = 'error';

CREATE SEQUENCE quire.finish_seq;

-- Changes to the numbers of queued jobs by key and of terminal ones: a number is
-- the sum of its rows. Rows are only added, so that no transaction waits for
-- another, and from time to time summed up.
CREATE TABLE quire.waiting (
	ready   bigint NOT NULL,
	delayed bigint NOT NULL,
	key     text   COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE quire.ended (
	n      bigint      NOT NULL,
	state  quire.state NOT NULL,
	reason text        COLLATE "C" NOT NULL,
	class  text        COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0);

-- The greatest rank that a run got at a key, and that was leased at a key.
CREATE TABLE quire.shares (
	key  text   COLLATE "C" NOT NULL,
	run  text   COLLATE "C" NOT NULL,
	rank bigint NOT NULL,
	PRIMARY KEY (key, run)
) WITH (fillfactor = 50);

CREATE TABLE quire.served (
	key  text   COLLATE "C" PRIMARY KEY,
	rank bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE quire.pauses (
	key text COLLATE "C" PRIMARY KEY -- '' is the whole queue
);

-- Attempts that failed or broke off.
CREATE TABLE quire.attempts (
	job        bigint      NOT NULL,
	token      bigint      NOT NULL,
	number     integer     NOT NULL,
	started_at timestamptz NOT NULL,
	ended_at   timestamptz NOT NULL,
	key        text        COLLATE "C" NOT NULL,
	owner      text        NOT NULL,
	reason     text        NOT NULL,
	class      text        NOT NULL,
	error      text        NOT NULL,
	PRIMARY KEY (job, token)
);

CREATE TABLE quire.records (
	artifact_id text        COLLATE "C" PRIMARY KEY,
	updated_at  timestamptz NOT NULL,
	doc         bytea       NOT NULL
);

-- Who runs the queue: one row, once anybody has.
CREATE TABLE quire.runner (
	one        boolean     PRIMARY KEY DEFAULT true CHECK (one),
	token      bigint      NOT NULL,
	owner      text        NOT NULL,
	expires_at timestamptz NOT NULL
);

-- Counts announcements, for those who cannot hear them.
CREATE SEQUENCE quire.announced;

-- Marks of transactions, by which a client that lost its connection in a commit
-- finds out whether that happened. Each store has a few rows and changes them in
-- place, alone.
CREATE TABLE quire.marks (
	store  text        NOT NULL,
	slot   integer     NOT NULL,
	number bigint      NOT NULL DEFAULT 0, -- of the last transaction
	at     timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (store, slot)
) WITH (fillfactor = 20);
