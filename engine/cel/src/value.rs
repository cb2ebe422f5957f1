//! Values during an evaluation. FHIR elements stay where they are.

use std::borrow::Cow;
use std::sync::Arc;

use engine_patient::record::Element;
use engine_patient::system::date_arithmetic::CalendarDuration;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::decimal::{self, MAX, PLACES, STEP, add, subtract};
use engine_patient::terminology::DrugSet;
use rust_decimal::Decimal;

/// A value, or why there is none. Borrows from the record and from the program.
#[derive(Clone, Debug)]
pub enum Val<'r> {
    /// `true`, `false`
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Decimal number.
    Decimal(Decimal),
    /// Text.
    Str(Cow<'r, str>),
    /// Date or date-time.
    Time(DateTime),
    /// Calendar duration.
    Duration(CalendarDuration),
    /// A resource or datatype.
    Element(Element<'r>),
    /// A set of drugs.
    Drugs(Arc<DrugSet>),
    /// Several.
    List(Arc<[Val<'r>]>),
    /// An item of a list of which it cannot be told whether it is in it, and why.
    Maybe(Arc<Val<'r>>, Cow<'r, str>),
    /// One of several elements, and why not which: whichever of two results is the latest.
    Either(Arc<[Element<'r>]>, Cow<'r, str>),
    /// A number that is known to lie between two, and why not which: the items of a list of which some may
    /// not be in it, an age by a year of birth, the value of whichever of two results is the latest.
    Between(Decimal, Decimal, Cow<'r, str>),
    /// It cannot be told, and why: the text names elements and units and holds no patient data.
    Unknown(Cow<'r, str>),
}

impl<'r> Val<'r> {
    /// An unknown whose reason is fixed.
    pub fn unknown(reason: &'static str) -> Self {
        Val::Unknown(Cow::Borrowed(reason))
    }

    /// An item of a list, and why it may not be in it.
    pub fn item(&self) -> (&Val<'r>, Option<&Cow<'r, str>>) {
        match self {
            Val::Maybe(value, reason) => (value, Some(reason)),
            value => (value, None),
        }
    }

    /// Why it cannot be told what it is, or all of what it is.
    pub fn why_unknown(&self) -> Option<&Cow<'r, str>> {
        match self {
            Val::Unknown(reason)
            | Val::Maybe(_, reason)
            | Val::Between(_, _, reason)
            | Val::Either(_, reason) => Some(reason),
            Val::List(items) => items.iter().find_map(Val::why_unknown),
            _ => None,
        }
    }

    /// A number of which one bound at least is known, in words: `7 to 9`, `above 60`, `15 or less`. `None` for
    /// any other value.
    pub fn bounds_in_words(&self) -> Option<String> {
        let Val::Between(least, most, _) = self else {
            return None;
        };
        // The bound itself is none of the numbers where the value is `> 60`.
        let whole = |edge: Option<Decimal>| edge.filter(|n| n.normalize().scale() < PLACES);
        let (low, high) = (least.normalize(), most.normalize());
        Some(match (*least <= decimal::negate(MAX), *most >= MAX) {
            (true, true) => "any number".to_owned(),
            (false, true) => {
                match whole(subtract(*least, STEP)).filter(|_| low.scale() == PLACES) {
                    Some(edge) => format!("above {}", edge.normalize()),
                    None => format!("{low} or more"),
                }
            }
            (true, false) => match whole(add(*most, STEP)).filter(|_| high.scale() == PLACES) {
                Some(edge) => format!("below {}", edge.normalize()),
                None => format!("{high} or less"),
            },
            (false, false) => format!("{low} to {high}"),
        })
    }

    /// Whether it is a number of which one bound only is known, as of a quantity with a comparator.
    pub fn is_open_ended(&self) -> bool {
        match self {
            Val::Between(least, most, _) => *least <= decimal::negate(MAX) || *most >= MAX,
            _ => false,
        }
    }

    /// The list's items.
    pub fn items(&self) -> &[Val<'r>] {
        match self {
            Val::List(items) => items,
            _ => &[],
        }
    }

    /// The number, whole or not.
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Val::Int(i) => Some((*i).into()),
            Val::Decimal(d) => Some(*d),
            _ => None,
        }
    }
}
