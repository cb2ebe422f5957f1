//! How much of a file is taken.

/// The largest file, in bytes.
pub const MAX_SIZE: usize = 1 << 20;
/// Most findings of a file that are kept, errors and others each: a hostile file must not take its
/// square in memory.
pub const MAX_FOUND: usize = 500;
/// The deepest nesting.
pub const MAX_DEPTH: usize = 40;
