-- The first version. Moments are microseconds since 1970-01-01T00:00:00Z, hashes SHA-256 in hexadecimal.

CREATE TABLE cds_schema_version (
  version BIGINT NOT NULL PRIMARY KEY
);

-- Cards that a client was given, a row for each of its rules (the first has number 0). The same call gives
-- the same card, and a call may be repeated.
CREATE TABLE cds_shown (
  card TEXT NOT NULL,
  tenant TEXT NOT NULL,
  client TEXT NOT NULL,
  rule TEXT NOT NULL,
  rule_number BIGINT NOT NULL,
  call_id TEXT NOT NULL,
  hook_instance TEXT NOT NULL,
  hook TEXT NOT NULL,
  service TEXT NOT NULL,
  rule_version TEXT NOT NULL,
  rule_hash TEXT NOT NULL,
  site TEXT,
  role TEXT,
  patient TEXT,
  suggestions TEXT NOT NULL,
  evidence TEXT NOT NULL,
  shown_at BIGINT NOT NULL,
  PRIMARY KEY (card, tenant, client, rule)
);
CREATE INDEX cds_shown_at ON cds_shown (shown_at);

-- What clients said of cards, as it came. Nothing is changed but how often the same came again.
CREATE TABLE cds_feedback (
  number {ROW},
  id TEXT NOT NULL UNIQUE,
  card TEXT NOT NULL,
  tenant TEXT NOT NULL,
  client TEXT NOT NULL,
  service TEXT NOT NULL,
  outcome TEXT NOT NULL,
  outcome_at BIGINT NOT NULL,
  outcome_timestamp TEXT NOT NULL,
  ordered_at BIGINT NOT NULL,
  suggestions TEXT NOT NULL,
  reason_system TEXT,
  reason_code TEXT,
  reason_display TEXT,
  comment TEXT,
  received BIGINT NOT NULL,
  last_received BIGINT NOT NULL,
  repeats BIGINT NOT NULL
);
CREATE INDEX cds_feedback_card ON cds_feedback (card, tenant, client);
CREATE INDEX cds_feedback_received ON cds_feedback (received);

-- The chain. What stands beside `body` is in it, too: to search by.
CREATE TABLE cds_audit (
  seq BIGINT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  client TEXT,
  patient TEXT,
  body TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX cds_audit_at ON cds_audit (at);
CREATE INDEX cds_audit_patient ON cds_audit (patient, at);

-- One row: the last entry. Whoever appends locks it, so that servers take turns.
CREATE TABLE cds_audit_head (
  one BIGINT NOT NULL PRIMARY KEY,
  chain TEXT NOT NULL,
  seq BIGINT NOT NULL,
  hash TEXT NOT NULL
);
INSERT INTO cds_audit_head (one, chain, seq, hash) VALUES (1, {RANDOM}, 0, '');

CREATE TABLE cds_audit_checkpoint (
  seq BIGINT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL
);

-- One row at most: up to where entries were removed, and which entry says so.
CREATE TABLE cds_audit_stub (
  one BIGINT NOT NULL PRIMARY KEY,
  last_seq BIGINT NOT NULL,
  last_hash TEXT NOT NULL,
  purge_id TEXT NOT NULL
);

-- Calls in full, where the setting says so, for a replay. The chain has the hashes.
CREATE TABLE cds_recorded (
  id TEXT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  service TEXT NOT NULL,
  request TEXT NOT NULL,
  response TEXT NOT NULL
);
CREATE INDEX cds_recorded_at ON cds_recorded (at);

-- Tokens that were used: a hash of issuer and jti, until they expire.
CREATE TABLE cds_jti (
  id TEXT NOT NULL PRIMARY KEY,
  expires BIGINT NOT NULL,
  owner TEXT NOT NULL
);
CREATE INDEX cds_jti_expires ON cds_jti (expires);
