//! Texts that are compared with an element of codes: whether they are codes of its required binding.

use engine_patient::fhir::codes::RequiredCodes;
use engine_patient::finding::{Code, did_you_mean};

use super::look::Look;
use super::origin::{Origin, Part};
use super::units;
use crate::functions::Role;
use crate::nodes::{Node, NodeKind};

/// `x.status == "finall"`
pub fn equality(look: &mut Look<'_>, pair: &[Node; 2], equal: bool) {
    let outcome = match equal {
        true => "never holds",
        false => "always holds",
    };
    let [a, b] = pair;
    compare(look, a, b, &format!("the comparison {outcome}"));
    compare(look, b, a, &format!("the comparison {outcome}"));
}

/// `x.status in ["finall", "final"]`, `"finall" in list.map(x, x.status)`
pub fn membership(look: &mut Look<'_>, [item, list]: &[Node; 2]) {
    let outcome = "nothing is equal to it";
    if let NodeKind::List(texts) = &list.kind {
        texts
            .iter()
            .for_each(|text| compare(look, item, text, outcome));
    }
    compare(look, list, item, outcome);
}

/// `x.status.startsWith("Fin")`
pub fn part_of_text(look: &mut Look<'_>, role: Role, args: &[Node]) {
    let [value, text] = args else { return };
    let Some(wanted) = look.origin(text).text else {
        return;
    };
    let wanted = wanted.as_str();
    let holds = |code: &str| match role {
        Role::StartsWith => code.starts_with(wanted),
        Role::EndsWith => code.ends_with(wanted),
        _ => code.contains(wanted),
    };
    let origin = look.origin(value);
    if let Some((part @ (Part::Code | Part::CodingCode), set)) = origin.codes
        && !set.codes().any(holds)
    {
        let message = format!(
            "no code of `{}` has this part: it never holds",
            element(&origin, set)
        );
        let help = Some(format!("its codes are {}", set.list()));
        match part {
            Part::Code => look.error(Code::NotACode, message, text.span, help),
            _ => look.warning(Code::NotACode, message, text.span, help),
        }
    }
}

fn compare(look: &mut Look<'_>, value: &Node, text: &Node, outcome: &str) {
    let Some(written) = look.origin(text).text else {
        return;
    };
    let written = written.as_str();
    let origin = look.origin(value);
    let Some((part, set)) = origin.codes else {
        return units::code(look, &origin, written, text.span);
    };
    let element = element(&origin, set);
    let mut slip = set.is_slip(written);
    let (message, help) = match part {
        // Beside the code that FHIR asks for a CodeableConcept may have others.
        Part::System => {
            let mut urls = set.urls().peekable();
            if urls.peek().is_none() || set.urls().any(|url| url == written) {
                return;
            }
            let near = did_you_mean(written, set.urls());
            slip = near.is_some();
            let near = near.or_else(|| urls.next()).unwrap_or_default();
            let message = format!("`{written}` is no code system of `{element}`: {outcome}");
            (message, format!("write `{near}`"))
        }
        Part::Code | Part::CodingCode | Part::Concept if set.has(written) => return,
        Part::Code | Part::CodingCode | Part::Concept => {
            let message = format!("`{written}` is no code of `{element}`: {outcome}");
            (message, set.instead_of(written))
        }
    };
    match part == Part::Code || slip {
        true => look.error(Code::NotACode, message, text.span, Some(help)),
        false => look.warning(Code::NotACode, message, text.span, Some(help)),
    }
}

fn element(origin: &Origin, set: &RequiredCodes) -> String {
    match &origin.element {
        Some((owner, name)) => format!("{owner}.{name}"),
        None => set.name.to_owned(),
    }
}
