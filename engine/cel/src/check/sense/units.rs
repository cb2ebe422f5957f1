//! Units: of UCUM, and of one kind where numbers meet.

use engine_patient::fhir::model::Model;
use engine_patient::finding::Code;
use engine_patient::system::units::{self, written};
use rust_decimal::Decimal;

use super::look::Look;
use super::origin::Origin;
use super::unit_kinds::convertible;
use crate::nodes::{Node, Span};

/// `quantityIn(x, "mg/dL")`
pub fn quantity_in(look: &mut Look<'_>, args: &[Node]) {
    let [_, unit] = args else { return };
    let Some(text) = look.origin(unit).text else {
        return;
    };
    if !written::is_ucum(&text) {
        let meant = written::meant(&text);
        let help = match &meant {
            Some(meant) => format!("write `{meant}`"),
            None => "write it as UCUM has it, as in `mg/dL`, `mm[Hg]`, `%` or `mL/min/{1.73_m2}`; UCUM is case-sensitive; what it has no unit for stands in braces, as in `{score}`".into(),
        };
        let message = format!(
            "`{text}` is not a unit of UCUM: a quantity is known in it only where its code is this very text"
        );
        // A system may write a unit of its own, but hardly one that UCUM has.
        match meant {
            Some(_) => look.error(Code::NotAUnit, message, unit.span, Some(help)),
            None => look.warning(Code::NotAUnit, message, unit.span, Some(help)),
        }
        return;
    }
    if let Some(usual) = written::mistaken(&text) {
        let message = format!("`{text}` is a unit of UCUM, but another one than `{usual}`");
        let help = Some(format!("did you mean `{usual}`?"));
        look.warning(Code::NotAUnit, message, unit.span, help);
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
    match convertible(&first, &second) {
        true => {
            let help = format!("take both in one unit, as in `quantityIn(x, \"{first}\")`");
            look.error(Code::OtherUnit, message, b.span, Some(help));
        }
        // A score may do so: a heart rate above the systolic pressure is a shock index above 1.
        false => {
            let help = "compare quantities of one kind, unless the numbers are what is meant";
            look.warning(Code::OtherUnit, message, b.span, Some(help.into()));
        }
    }
}
