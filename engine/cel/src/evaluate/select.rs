//! `operand.name`: from the JSON of an element to a value.

use engine_patient::fhir::reading;
use engine_patient::record::{Element, Kind};

use super::evaluation::{Evaluation, Locals};
use crate::either::united;
use crate::nodes::Select;
use crate::types::Conversion;
use crate::value::Val;

impl<'r> Evaluation<'r> {
    pub(super) fn select(&self, select: &'r Select, locals: &mut Locals<'r>) -> Val<'r> {
        let operand = self.node(&select.operand, locals);
        self.of_each(operand, |element| selected(element, select))
    }

    /// What is asked of an element, or of each that it may be.
    pub(super) fn of_each(&self, value: Val<'r>, ask: impl Fn(Element<'r>) -> Val<'r>) -> Val<'r> {
        match value {
            Val::Element(element) => ask(element),
            Val::Either(all, why) => {
                self.work(all.len());
                united(all.iter().map(|one| ask(*one)), &why)
            }
            other => other,
        }
    }
}

fn selected<'r>(element: Element<'r>, select: &'r Select) -> Val<'r> {
    let Some((found, conversion)) = find(element, select) else {
        let why = match is_withheld(element, select) {
            true => &select.withheld,
            false => &select.missing,
        };
        return Val::Unknown(why.as_str().into());
    };
    let convert = |e: Element<'r>| {
        convert(e, conversion).unwrap_or(Val::Unknown(select.malformed.as_str().into()))
    };
    if !select.many {
        return convert(found);
    }
    Val::List(found.items().map(convert).collect())
}

/// Whether an element has no value, and says so.
pub(super) fn is_withheld(element: Element<'_>, select: &Select) -> bool {
    let mut names = select.properties.iter().map(|(name, _)| *name);
    names.any(|name| reading::is_withheld(element, name))
}

/// What is there under one of the names that the selection stands for.
pub(super) fn find<'r>(element: Element<'r>, select: &Select) -> Option<(Element<'r>, Conversion)> {
    let mut properties = select.properties.iter();
    let found = |name| reading::present(element, name);
    properties.find_map(|(name, conversion)| Some((found(*name)?, *conversion)))
}

/// The value of a FHIR element; `None` where its JSON is of another kind.
fn convert(element: Element<'_>, conversion: Conversion) -> Option<Val<'_>> {
    Some(match conversion {
        Conversion::Bool => Val::Bool(element.as_bool()?),
        Conversion::Int => Val::Int(element.as_i64()?),
        Conversion::Double => Val::Decimal(element.as_rounded_decimal()?),
        Conversion::String => Val::Str(element.as_str()?),
        Conversion::Time(ty) => Val::Time(reading::moment(ty, &element.as_str()?)?),
        Conversion::Element if element.kind() == Kind::Object => Val::Element(element),
        Conversion::Element => return None,
    })
}
