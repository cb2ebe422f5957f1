//! Reading TOML so that every mistake is told with its place.

pub(crate) mod file;
pub(crate) mod secret;
pub(crate) mod syntax;
pub(crate) mod table;
pub(crate) mod values;
