//! Units: UCUM conversion with exact factors, and CQL's calendar units (CQL 1.5, §2.3.1
//! "Quantities"; §22.6 "ConvertQuantity").
//!
//! A factor is a fraction of integers, so `1 'h'` is `60 'min'` and not 59.99…, and comparing two
//! quantities rounds nothing. Factors are worked out once for a pair of units and kept for the run.

mod calendar;
mod expression;
pub mod written;

use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::sync::{Arc, LazyLock, RwLock};

use num_bigint::BigInt;
use rust_decimal::Decimal;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::system::decimal;
pub use calendar::CalendarUnit;
use expression::{Fraction, Meaning, Scale};

/// Why a value cannot be converted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnitsError {
    /// One of the units is neither of UCUM nor of the calendar.
    Unknown,
    /// The units measure different things.
    Incommensurable,
    /// The result has more digits than a number may have.
    OutOfRange,
}

/// How to get from one unit to another.
#[derive(Clone, Debug)]
enum Rule {
    Fails(UnitsError),
    /// `value · p / q`; both are positive.
    Factor {
        p: i128,
        q: i128,
    },
    /// `value · scale + offset`: temperatures, and factors that 128 bits do not hold.
    Linear(Arc<(Fraction, Fraction)>),
    /// A logarithm, a root: through floating point.
    Curve,
}

/// What is kept of a pair of units.
#[derive(Clone, Debug)]
struct Known {
    rule: Rule,
    /// See [`Units::are_of_one_kind`].
    one_kind: bool,
    reading: Reading,
}

/// How the unit of a chart is to be read beside the one that is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reading {
    /// As the unit of UCUM that it is.
    AsWritten,
    /// As this one, of which it is a usual spelling: `mEq/L` is `meq/L`, `K/uL` is `10*3/uL`.
    As(Arc<str>),
    /// It is of UCUM, and would be a million times the one that its letters usually mean: `ML`.
    Doubtful,
    /// It cannot be converted.
    Other,
}

/// Pairs of units that are kept; patient data may hold any number of odd ones.
const KEPT: usize = 4096;

const SHARDS: usize = 16;

type Shard = FxHashMap<Box<str>, FxHashMap<Box<str>, Known>>;

/// Conversions, cached by pair of units.
#[derive(Debug, Default)]
pub struct Units {
    shards: [RwLock<Shard>; SHARDS],
}

/// What evaluations share that have no run to belong to. A conversion depends on its units only.
pub fn shared() -> &'static Units {
    static SHARED: LazyLock<Units> = LazyLock::new(Units::default);
    &SHARED
}

/// The default unit, where none or an empty one was written.
fn plain(unit: &str) -> &str {
    if unit.is_empty() { "1" } else { unit }
}

impl Units {
    /// The value in another unit, to all the digits that 28 of them allow.
    pub fn convert(&self, value: Decimal, from: &str, to: &str) -> Result<Decimal, UnitsError> {
        let (from, to) = (plain(from), plain(to));
        if from == to {
            return Ok(value);
        }
        match self.rule(from, to) {
            Rule::Fails(error) => Err(error),
            Rule::Factor { p, q } if p == q => Ok(value),
            Rule::Factor { p, q } => decimal::rescale(value, p, q).ok_or(UnitsError::OutOfRange),
            Rule::Linear(rule) => {
                let (over, under) = linear(value, &rule);
                decimal::ratio_long(&over, &under).ok_or(UnitsError::OutOfRange)
            }
            Rule::Curve => expression::curve(value, from, to).ok_or(UnitsError::OutOfRange),
        }
    }

    /// Whether one unit converts to the other and both count the same amounts of substance (moles,
    /// equivalents, osmoles), over and under: a HbA1c of 53 `mmol/mol` is no 5.3 `%`, a `meq/L` no
    /// `mmol/L`, and `10*9/L` no `mmol/L`, though UCUM has it so. CQL converts by UCUM alone; rules ask
    /// this too.
    pub fn are_of_one_kind(&self, a: &str, b: &str) -> bool {
        let (a, b) = (plain(a), plain(b));
        a == b || self.known(a, b).one_kind
    }

    /// How the unit of a chart is to be read where a number in another is wanted. Charts have many spellings
    /// that are not of UCUM; those that are usual stand in [`written`], and are only taken where they measure
    /// what is wanted.
    pub fn read(&self, unit: &str, wanted: &str) -> Reading {
        match unit == wanted {
            true => Reading::AsWritten,
            false => self.known(plain(unit), plain(wanted)).reading,
        }
    }

    /// Which of two values is greater.
    pub fn compare(
        &self,
        a: Decimal,
        a_unit: &str,
        b: Decimal,
        b_unit: &str,
    ) -> Result<Ordering, UnitsError> {
        let (a_unit, b_unit) = (plain(a_unit), plain(b_unit));
        if a_unit == b_unit {
            return Ok(a.cmp(&b));
        }
        match self.rule(a_unit, b_unit) {
            Rule::Fails(error) => Err(error),
            Rule::Factor { p, q } => Ok(decimal::compare_products(a, p, b, q)),
            Rule::Linear(rule) => {
                let (over, under) = linear(a, &rule);
                let left = over * decimal::ten(b.scale());
                Ok(left.cmp(&(under * decimal::mantissa(b))))
            }
            Rule::Curve => {
                let a = expression::curve(a, a_unit, b_unit).ok_or(UnitsError::OutOfRange)?;
                let round = |v| decimal::round(v, decimal::PLACES);
                Ok(round(a).cmp(&round(b)))
            }
        }
    }

    /// Whether `b` is the more granular of two units, such as `cm` beside `m`.
    pub fn is_finer(&self, a: &str, b: &str) -> Result<bool, UnitsError> {
        let (a, b) = (plain(a), plain(b));
        if a == b {
            return Ok(false);
        }
        match self.rule(a, b) {
            Rule::Fails(error) => Err(error),
            Rule::Factor { p, q } => Ok(p > q),
            Rule::Linear(rule) => Ok(rule.0.over > rule.0.under),
            Rule::Curve => Ok(false),
        }
    }

    /// Whether one unit is another by a factor alone, so that products may be converted too.
    pub fn is_proportional(&self, a: &str, b: &str) -> bool {
        let (a, b) = (plain(a), plain(b));
        a == b
            || match self.rule(a, b) {
                Rule::Factor { .. } => true,
                Rule::Linear(rule) => rule.1.over == BigInt::ZERO,
                Rule::Fails(_) | Rule::Curve => false,
            }
    }

    /// Whether it is a unit of UCUM or of the calendar.
    pub fn is_known(&self, unit: &str) -> bool {
        let unit = plain(unit);
        CalendarUnit::word(unit).is_some()
            || !matches!(self.rule(unit, "1"), Rule::Fails(UnitsError::Unknown))
    }

    /// The unit of a product, or of a quotient; `None` where one is unknown or takes part in none
    /// (degrees Celsius, calendar months).
    pub fn product(&self, a: &str, b: &str, divide: bool) -> Option<String> {
        let (a, b) = (plain(a), plain(b));
        if b == "1" {
            return Some(a.to_owned());
        }
        if a == b && divide {
            return Some("1".to_owned());
        }
        if a == "1" && !divide {
            return Some(b.to_owned());
        }
        let unit = expression::product(calendar::definite(a), calendar::definite(b), divide)?;
        Meaning::of(&unit)?;
        Some(unit)
    }

    fn rule(&self, from: &str, to: &str) -> Rule {
        self.known(from, to).rule
    }

    fn known(&self, from: &str, to: &str) -> Known {
        // The high bits of this hash are good ones.
        let at = (FxBuildHasher.hash_one((from, to)) >> 60) as usize % SHARDS;
        let Some(shard) = self.shards.get(at) else {
            return known(from, to);
        };
        {
            // A panic elsewhere cannot leave a map half written, so a poisoned lock is as good.
            let shard = shard
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(known) = shard.get(from).and_then(|to_all| to_all.get(to)) {
                return known.clone();
            }
        }
        let known = known(from, to);
        let mut shard = shard
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let room = shard.len() < KEPT / SHARDS || shard.contains_key(from);
        if room {
            let all = shard.entry(from.into()).or_default();
            if all.len() < KEPT / SHARDS {
                all.insert(to.into(), known.clone());
            }
        }
        known
    }
}

/// `value · scale + offset` as a fraction with a positive denominator.
fn linear(value: Decimal, rule: &(Fraction, Fraction)) -> (BigInt, BigInt) {
    let (scale, offset) = rule;
    let ten = decimal::ten(value.scale());
    let over =
        decimal::mantissa(value) * &scale.over * &offset.under + &offset.over * &scale.under * &ten;
    (over, &scale.under * &offset.under * ten)
}

fn known(from: &str, to: &str) -> Known {
    let rule = work_out(from, to);
    let one_kind = is_one_kind(&rule, from, to);
    let usual = written::mistaken(from);
    let reading = match (one_kind, &usual) {
        (true, None) => Reading::AsWritten,
        (true, Some(_)) => Reading::Doubtful,
        (false, _) => {
            let spelled = match written::is_ucum(from) {
                true => usual.into_iter().collect(),
                false => written::spelled(from),
            };
            let fits = |unit: &String| is_one_kind(&work_out(unit, to), unit, to);
            let found = spelled.into_iter().find(fits);
            found.map_or(Reading::Other, |unit| Reading::As(unit.into()))
        }
    };
    Known {
        rule,
        one_kind,
        reading,
    }
}

fn is_one_kind(rule: &Rule, from: &str, to: &str) -> bool {
    let amounts = |unit| expression::amounts(calendar::definite(unit));
    !matches!(rule, Rule::Fails(_)) && amounts(from) == amounts(to)
}

fn work_out(from: &str, to: &str) -> Rule {
    use UnitsError::{Incommensurable, Unknown};
    match (calendar::months(from), calendar::months(to)) {
        (Some(p), Some(q)) => return Rule::Factor { p, q },
        (None, None) => {}
        // A calendar month has no definite length.
        (Some(_), None) | (None, Some(_)) => {
            let other = if calendar::months(from).is_some() {
                to
            } else {
                from
            };
            let known = Meaning::of(calendar::definite(other)).is_some();
            return Rule::Fails(if known { Incommensurable } else { Unknown });
        }
    }
    let (from, to) = (calendar::definite(from), calendar::definite(to));
    let (Some(a), Some(b)) = (Meaning::of(from), Meaning::of(to)) else {
        return Rule::Fails(Unknown);
    };
    if !a.is_commensurable(&b) {
        return Rule::Fails(Incommensurable);
    }
    let scale = a.factor.divided_by(&b.factor);
    let (
        Scale::Affine {
            scale: alpha,
            offset: o,
        },
        Scale::Affine {
            scale: beta,
            offset: p,
        },
    ) = (&a.scale, &b.scale)
    else {
        return Rule::Curve;
    };
    // A value r is (α r + o) of its proper unit; solved for the value in the other unit.
    let offset = scale.times(o).minus(p).divided_by(beta);
    let scale = scale.times(alpha).divided_by(beta);
    if offset.over == BigInt::ZERO
        && let (Ok(p), Ok(q)) = (i128::try_from(&scale.over), i128::try_from(&scale.under))
    {
        return Rule::Factor { p, q };
    }
    Rule::Linear(Arc::new((scale, offset)))
}

#[cfg(test)]
mod tests;
