//! What formulas are given: a number, an Observation, or the latest of several.

use std::borrow::Cow;

use engine_patient::record::Element;
use engine_patient::system::date_time::DateTime;
use rust_decimal::Decimal;

use super::call::Call;
use super::latest::last_ones;
use super::moments::start_of;
use super::observations::one_of;
use crate::value::Val;

/// The numbers that it may be, each with when it was measured (a number: at the moment of evaluation).
pub(super) struct Measured<'r> {
    pub(super) values: Vec<(Decimal, Option<DateTime>)>,
    /// Why it cannot be told which; or why there is none.
    pub(super) why: Cow<'r, str>,
}

impl<'r> Measured<'r> {
    fn none(why: Cow<'r, str>) -> Self {
        Measured {
            values: vec![],
            why,
        }
    }

    pub(super) fn into_val(self) -> Val<'r> {
        match self.values.is_empty() {
            true => Val::Unknown(self.why),
            false => one_of(
                self.values.into_iter().map(|(n, _)| Val::Decimal(n)),
                self.why,
            ),
        }
    }
}

/// The argument at a place; `number` takes the number of an Observation.
pub(super) fn each<'r>(
    call: &Call<'_, 'r>,
    place: usize,
    number: impl Fn(Element<'r>) -> Val<'r>,
) -> Measured<'r> {
    let of = |all: Vec<(Element<'r>, Option<DateTime>)>, why| {
        let mut values = vec![];
        let mut why = why;
        for (observation, start) in all {
            let value = number(observation);
            match (value.number(), value) {
                (Some(n), _) => values.push((n, start)),
                // Formulas rise or fall with it: their bounds are those of its bounds.
                (None, Val::Between(low, high, reason)) => {
                    values.extend([(low, start), (high, start)]);
                    why = reason;
                }
                (None, Val::Unknown(reason)) => return Measured::none(reason),
                _ => return Measured::none("the value is no quantity".into()),
            }
        }
        Measured { values, why }
    };
    match call.args.get(place) {
        Some(Val::Element(observation)) => {
            of(vec![(*observation, start_of(*observation).ok())], "".into())
        }
        Some(Val::List(items)) => match last_ones(items, call.zone()) {
            Ok(last) => of(last.all, last.why),
            Err(reason) => Measured::none(reason),
        },
        Some(value) => match value.number() {
            Some(number) => Measured {
                values: vec![(number, Some(call.at()))],
                why: "".into(),
            },
            None => Measured::none("the value is no number".into()),
        },
        None => Measured::none("the value is no number".into()),
    }
}
