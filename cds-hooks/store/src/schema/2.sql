-- The server that knows the tokens that were used: of SQLite, which is for one (see `tokens.rs`).
ALTER TABLE cds_audit_head ADD COLUMN tokens_of TEXT;
