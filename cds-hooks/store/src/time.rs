//! Moments as the database has them.

use jiff::Timestamp;

use crate::StoreError;

/// Microseconds since 1970: what is finer is cut off.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The moment of a number of the database.
pub(crate) fn moment(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros)
        .map_err(|_| StoreError::Damaged("a moment in the store is beyond the year 9999".into()))
}

/// As the log and exports have it: `2026-11-30T12:00:00.000001Z`.
pub(crate) mod text {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
