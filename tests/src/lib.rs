//! Tests over several crates; see `tests/`.
