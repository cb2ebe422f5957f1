
-- Tokens are looked up in memory, and what is written at one time stands together: half of the hash as it was, no
-- index by it.
ALTER TABLE cds_jti RENAME TO cds_jti_1;
CREATE TABLE cds_jti (
  expires BIGINT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (expires, id)
) WITHOUT ROWID;
INSERT INTO cds_jti (expires, id) SELECT expires, substr(id, 1, 32) FROM cds_jti_1;
DROP TABLE cds_jti_1;

-- The number of an entry is the key of its row: no index beside it.
ALTER TABLE cds_audit RENAME TO cds_audit_1;
DROP INDEX cds_audit_at;
DROP INDEX cds_audit_patient;
CREATE TABLE cds_audit (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  client TEXT,
  patient TEXT,
  body TEXT NOT NULL,
  hash TEXT NOT NULL
);
INSERT INTO cds_audit (seq, id, at, kind, tenant, client, patient, body, hash)
  SELECT seq, id, at, kind, tenant, client, patient, body, hash FROM cds_audit_1 ORDER BY seq;
DROP TABLE cds_audit_1;
CREATE INDEX cds_audit_at ON cds_audit (at);
CREATE INDEX cds_audit_patient ON cds_audit (patient, at);
