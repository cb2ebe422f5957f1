//! What a lake has, as far as a run asks before it begins: a patient, and anything in the period.

use arrow::array::{Array, Int64Array};
use datafusion::prelude::{SessionContext, col, lit};
use engine_patient::fhir::names::Name;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
use engine_population::lake::Lake;
use engine_population::lake::paths::{PRESENCE, type_id};
use engine_population::session::{register_stored, session};
use engine_population::table_list::PATIENT_REFERENCES;

use crate::error::RunError;

/// The tables of a lake, for these questions.
pub(crate) struct LakeDates {
    session: SessionContext,
}

/// How many begin before, within and after a period; the last before and the first after.
struct Spread {
    within: i64,
    before: Option<i64>,
    after: Option<i64>,
}

impl LakeDates {
    pub(crate) fn new(lake: &Lake, threads: usize) -> Result<LakeDates, RunError> {
        let session = session(lake, threads)?;
        register_stored(&session, lake)?;
        Ok(LakeDates { session })
    }

    /// Whether there is a patient of an id, if only one that others refer to.
    pub(crate) async fn has_patient(&self, id: &str) -> Result<bool, RunError> {
        let all = self.session.table(PATIENT_REFERENCES).await?;
        let own = all.filter(col("patient_id").eq(lit(id)))?;
        Ok(own.count().await? > 0)
    }

    /// That no visit lies in a period, and which are nearest; of a lake without visits, that nothing
    /// else does. Months only: a day is a day in somebody's record.
    pub(crate) async fn outside(
        &self,
        (first, last): (DateTime, DateTime),
        zone: &Zone,
    ) -> Result<Option<String>, RunError> {
        let (start, end) = (first.earliest(zone), last.latest(zone));
        let number = |name: &str| Name::of(name).map_or(-1, type_id);
        let visits = format!("rtype = {}", number("Encounter"));
        let others = format!("rtype <> {}", number("Patient"));
        for (what, of) in [("visit (Encounter)", visits), ("dated resource", others)] {
            let spread = self.spread(&of, start, end).await?;
            if spread.within > 0 {
                return Ok(None);
            }
            let month = |at: i64| {
                let text = zone.moment(at).to_string();
                text.get(..7).unwrap_or_default().to_owned()
            };
            let nearest = match (spread.before.map(month), spread.after.map(month)) {
                (None, None) => continue,
                (Some(before), None) => format!("the last is of {before}"),
                (None, Some(after)) => format!("the first is of {after}"),
                (Some(before), Some(after)) => {
                    format!("the nearest are of {before} and {after}")
                }
            };
            return Ok(Some(format!(
                "no {what} of the lake lies in the period {first} to {last}: {nearest}"
            )));
        }
        Ok(None)
    }

    async fn spread(&self, of: &str, start: i64, end: i64) -> Result<Spread, RunError> {
        let sql = format!(
            "SELECT count(*) FILTER (WHERE start_ms <= {end} AND coalesce(end_ms, start_ms) >= {start}), \
             max(start_ms) FILTER (WHERE start_ms < {start}), \
             min(start_ms) FILTER (WHERE start_ms > {end}) \
             FROM facts WHERE {of} AND path = {PRESENCE}"
        );
        let batches = self.session.sql(&sql).await?.collect().await?;
        let number = |column: usize| {
            let batch = batches.iter().find(|batch| batch.num_rows() > 0)?;
            let column = batch.columns().get(column)?;
            let column = column.as_any().downcast_ref::<Int64Array>()?;
            (!column.is_empty() && column.is_valid(0)).then(|| column.value(0))
        };
        Ok(Spread {
            within: number(0).unwrap_or_default(),
            before: number(1),
            after: number(2),
        })
    }
}
