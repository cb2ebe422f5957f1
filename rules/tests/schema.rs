//! The JSON Schemas and the table of fields are those of the loader.
#![cfg(test)]
#![allow(
    clippy::disallowed_methods,
    reason = "the committed files are read, and written where asked"
)]

use std::path::Path;

fn same(file: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("TANDEM_WRITE").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "{file} is not what the loader says: run the test with TANDEM_WRITE=1"
    );
}

#[test]
fn the_schema_of_a_rule_is_committed() {
    same("schema/rule.schema.json", &rules::rule_schema());
}

#[test]
fn the_schema_of_a_library_is_committed() {
    same("schema/library.schema.json", &rules::library_schema());
}
