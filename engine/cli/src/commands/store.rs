//! What the commands share that read the store of a card service.

use cds_store::{Place, StoreError};
use clap::Args;
use engine_patient::system::date_time::DateTime;
use jiff::Timestamp;

use crate::commands::measure::parse_zone;
use crate::commands::now_ms;
use crate::failure::Failure;

/// Where the store is.
#[derive(Args)]
pub struct StoreArgs {
    /// The store of the service: a file of SQLite, or postgres://USER@HOST/DATABASE. The password of PostgreSQL
    /// is best in PGPASSWORD, or in ~/.pgpass or the file that PGPASSFILE names: others see command lines.
    #[arg(long, value_name = "URL")]
    store: String,
}

impl StoreArgs {
    pub fn place(&self) -> Result<Place, Failure> {
        Ok(self.store.parse::<Place>()?)
    }
}

/// From when to when.
#[derive(Args)]
pub struct Period {
    /// From this day or moment on.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Up to the end of this day, or before this moment.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Where days begin: an offset from UTC, or a place such as America/New_York.
    #[arg(long, default_value = "+00:00", allow_hyphen_values = true)]
    time_zone: String,
}

impl Period {
    /// The first moment, and the first that is no more of it.
    pub fn moments(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), Failure> {
        let zone = parse_zone(&self.time_zone)?;
        let begin = |text: &String| moment("--from", text, |date| date.earliest(&zone));
        let end = |text: &String| {
            let is_day = !text.contains('T');
            moment("--to", text, |date| match is_day {
                true => date.latest(&zone).saturating_add(1),
                false => date.earliest(&zone),
            })
        };
        Ok((
            self.from.as_ref().map(begin).transpose()?,
            self.to.as_ref().map(end).transpose()?,
        ))
    }
}

fn moment(
    option: &str,
    text: &str,
    millis: impl Fn(&DateTime) -> i64,
) -> Result<Timestamp, Failure> {
    let wrong = || {
        Failure::User(format!(
            "{option} {text}: write a date such as 2026-12-31, or a date-time such as 2026-12-31T10:00:00-05:00"
        ))
    };
    let date = DateTime::parse(text).ok_or_else(wrong)?;
    Timestamp::from_millisecond(millis(&date)).map_err(|_| wrong())
}

/// Now.
pub fn now() -> Result<Timestamp, Failure> {
    let now = Timestamp::from_millisecond(now_ms());
    now.map_err(|_| Failure::Internal("the clock is beyond the year 9999".into()))
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Mistake(_) | StoreError::Newer(_) | StoreError::NotAllowed(_) => {
                Failure::User(text)
            }
            StoreError::Unavailable(_)
            | StoreError::Full(_)
            | StoreError::Busy(_)
            | StoreError::Damaged(_)
            | StoreError::Internal(_) => Failure::Internal(text),
        }
    }
}
