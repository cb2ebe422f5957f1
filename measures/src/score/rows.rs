//! Result rows of a patient's gated populations, in a fixed order.

use std::sync::Arc;

use engine_patient::program::ResultRow;
use engine_patient::system::truth::Truth;
use engine_patient::value::Value;

use super::{Gated, ObservationQuantity, Observed, Place, RawStrata};
use crate::package::PopulationCode as Code;

const NO_VALUE: &str = "the observation has no value";

/// A row's value: a number, or a quantity where it has a unit.
fn value_of(quantity: &ObservationQuantity) -> Value {
    match &quantity.unit {
        None => Value::Decimal(quantity.value),
        Some(unit) => Value::Quantity {
            value: quantity.value,
            unit: Arc::clone(unit),
        },
    }
}

impl Gated<'_> {
    /// Appends the rows. Per population one about the patient and, of a resource basis, one per
    /// member that counts or of which it could not be told; per observation one; then the strata.
    pub fn rows(
        &self,
        place: Place,
        observations: &[Vec<Observed>],
        strata: &[RawStrata],
        out: &mut Vec<ResultRow>,
    ) {
        let mut seen = 0;
        let mut observed: Vec<(usize, Vec<ResultRow>)> = vec![];
        for (population, code) in self.gating.codes.iter().enumerate() {
            if *code == Code::MeasureObservation {
                let values = observations.get(seen).map_or(&[] as &[_], Vec::as_slice);
                let rows = self.observation_rows(place, population, values);
                out.extend(rows.iter().cloned());
                observed.push((population, rows));
                seen += 1;
                continue;
            }
            self.population_rows(place, population, *code, out);
        }
        self.strata_rows(place, strata, &observed, out);
    }

    fn row(&self, place: Place, population: usize, code: Code, outcome: Truth) -> ResultRow {
        ResultRow {
            artifact: place.artifact,
            group: place.group,
            unknown_reason: match outcome {
                Truth::Unknown => self.reason(population),
                Truth::True | Truth::False => None,
            },
            ..ResultRow::of_population(code, population, outcome)
        }
    }

    fn population_rows(
        &self,
        place: Place,
        population: usize,
        code: Code,
        out: &mut Vec<ResultRow>,
    ) {
        debug_assert!(code != Code::MeasureObservation);
        let row = self.row(place, population, code, self.outcome(population));
        let count = i64::try_from(self.count(population)).unwrap_or(i64::MAX);
        out.push(ResultRow {
            count: counted(count, row.outcome),
            ..row
        });
        if self.gating.of_resources.is_none() {
            return;
        }
        for (member, cell) in self.of(population) {
            out.push(ResultRow {
                basis_id: self.members.get(member).map(Arc::clone),
                count: counted(i64::from(cell.counted), cell.truth),
                ..self.row(place, population, code, cell.truth)
            });
        }
    }

    fn observation_rows(
        &self,
        place: Place,
        population: usize,
        values: &[Observed],
    ) -> Vec<ResultRow> {
        let mut rows = vec![];
        for member in self.observed(population) {
            let own = values
                .iter()
                .filter(|(of, _)| of.as_ref() == member)
                .map(|(_, value)| value);
            let before = rows.len();
            let row = |value: Result<&ObservationQuantity, &Arc<str>>| ResultRow {
                basis_id: member.map(Arc::clone),
                value: value.map_or(Value::Null, value_of),
                unknown_reason: match value {
                    Ok(quantity) => quantity.doubt.clone(),
                    Err(reason) => Some(Arc::clone(reason)),
                },
                ..self.row(
                    place,
                    population,
                    Code::MeasureObservation,
                    match value {
                        Ok(quantity) if quantity.doubt.is_none() => Truth::True,
                        Ok(_) | Err(_) => Truth::Unknown,
                    },
                )
            };
            let mut own: Vec<_> = own.collect();
            own.sort_unstable();
            rows.extend(own.into_iter().map(|value| row(value.as_ref())));
            if rows.len() == before {
                rows.push(row(Err(&Arc::from(NO_VALUE))));
            }
        }
        rows
    }
}

/// Nothing is counted of what is unknown, unless something is.
fn counted(count: i64, outcome: Truth) -> Option<i64> {
    (outcome != Truth::Unknown || count > 0).then_some(count)
}

impl Gated<'_> {
    /// A row within a stratum, of some members.
    pub(super) fn stratum_row(
        &self,
        place: Place,
        population: usize,
        (stratifier, stratum): (u32, &Arc<str>),
        members: &[usize],
    ) -> Option<ResultRow> {
        let cells: Vec<_> = self
            .of(population)
            .filter(|(m, _)| members.binary_search(m).is_ok())
            .map(|(_, c)| c)
            .collect();
        if cells.is_empty() {
            return None;
        }
        let code = *self.gating.codes.get(population)?;
        let count = cells.iter().filter(|c| c.counted).count();
        let outcome = match cells.iter().any(|c| c.truth == Truth::Unknown) {
            true => Truth::Unknown,
            false => Truth::True,
        };
        Some(ResultRow {
            stratifier: Some(stratifier),
            stratum: Some(Arc::clone(stratum)),
            count: counted(i64::try_from(count).unwrap_or(i64::MAX), outcome),
            ..self.row(place, population, code, outcome)
        })
    }
}
