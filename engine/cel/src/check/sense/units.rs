//! Units: of UCUM, and of one kind where numbers meet.

use engine_patient::fhir::model::Model;
use engine_patient::finding::Code;
use engine_patient::system::units::{self, written};
use rust_decimal::Decimal;

use super::look::Look;
use super::origin::{Origin, UnitInUse};
use crate::nodes::{Node, Span};

/// `quantityIn(x, "mg/dL")`
pub fn quantity_in(look: &mut Look<'_>, args: &[Node]) {
    let [value, unit] = args else { return };
    let Some(text) = look.origin(unit).text else {
        return;
    };
    if !written::is_ucum(&text) {
        let help = match written::meant(&text) {
            Some(meant) => format!("write `{meant}`"),
            None => "write it as UCUM has it, as in `mg/dL`, `mm[Hg]`, `%` or `mL/min/{1.73_m2}`; UCUM is case-sensitive".into(),
        };
        let message = format!("`{text}` is not a unit of UCUM: no quantity can be converted to it");
        look.error(Code::NotAUnit, message, unit.span, Some(help));
        return;
    }
    if let Some(usual) = written::mistaken(&text) {
        let message = format!("`{text}` is a unit of UCUM, but another one than `{usual}`");
        let help = Some(format!("did you mean `{usual}`?"));
        look.warning(Code::NotAUnit, message, unit.span, help);
    }
    let Some(from) = look.origin(value).from else {
        return;
    };
    let here = UnitInUse {
        from,
        unit: text,
        alternative: look.alternatives > 0,
    };
    let other = look.units.iter().find(|other| {
        let may_differ = here.alternative || other.alternative;
        other.from == here.from && !may_differ && !convertible(&other.unit, &here.unit)
    });
    if let Some(other) = other {
        let message = format!(
            "`{}` measures something else than `{}`, in which `{}` is taken elsewhere: one of the two is always unknown",
            here.unit, other.unit, here.from
        );
        let help = format!(
            "take the value in one kind of unit, as in `{}`; where data has both, write `orElse(quantityIn(…), quantityIn(…) * factor)`",
            other.unit
        );
        look.error(Code::OtherUnit, message, unit.span, Some(help));
    }
    let known = |u: &UnitInUse| (&u.from, &u.unit) == (&here.from, &here.unit);
    if !look.units.iter().any(|u| known(u) && !u.alternative) {
        look.units.push(here);
    }
}

/// `x.valueQuantity.code == "mmHg"`: a code may be of another system than UCUM, but hardly a slip of one.
pub fn code(look: &mut Look<'_>, origin: &Origin, text: &str, span: Span) {
    let of_quantity =
        |(owner, name): &(&str, String)| name == "code" && Model::r4().is_a(owner, "Quantity");
    if !origin.element.as_ref().is_some_and(of_quantity) || written::is_ucum(text) {
        return;
    }
    if let Some(meant) = written::meant(text) {
        let message = format!("`{text}` is not a unit of UCUM");
        let help = format!("write `{meant}`, or ask `quantityIn(x.value, \"{meant}\")`");
        look.warning(Code::NotAUnit, message, span, Some(help));
    }
}

/// Two numbers that are compared, added or listed.
pub fn together(look: &mut Look<'_>, [a, b]: &[Node; 2]) {
    let (Some(first), Some(second)) = (look.origin(a).unit, look.origin(b).unit) else {
        return;
    };
    // What is no unit was told.
    if !written::is_ucum(&first) || !written::is_ucum(&second) || first == second {
        return;
    }
    let one = Decimal::ONE;
    let message = match convertible(&first, &second) {
        true if units::shared().convert(one, &first, &second) == Ok(one) => return,
        true => format!(
            "a number in `{second}` beside one in `{first}`: the same amount is another number"
        ),
        false => {
            format!("a number in `{second}` beside one in `{first}`, which measures something else")
        }
    };
    let help = match convertible(&first, &second) {
        true => format!("take both in one unit, as in `quantityIn(x, \"{first}\")`"),
        false => "compare quantities of one kind".into(),
    };
    look.error(Code::OtherUnit, message, b.span, Some(help));
}

fn convertible(a: &str, b: &str) -> bool {
    units::shared().convert(Decimal::ONE, a, b).is_ok()
}
