//! Resources of a case: FHIR as YAML, with short forms, to FHIR JSON.
//!
//! Names, cardinalities, codes of required bindings and units are checked, so that a slip of the pen in
//! a case is not taken for missing data.

use std::fmt::Write as _;

use engine_patient::fhir::codes::RequiredCodes;
use engine_patient::fhir::model::{Cardinality, Model};
use engine_patient::fhir::names::{Name, choice_name};
use engine_patient::finding::{Code, did_you_mean};
use engine_patient::terminology::DrugDictionary;

use super::fields::{RawHole, Report};
use super::{codes, scalar, slips, units};
use crate::yaml::{Entry, Node, Value};

/// Stands in the JSON of a resource for a value that is made of expressions. No JSON has it otherwise:
/// control characters are escaped.
pub(super) const HOLE: char = '\u{1}';

/// A resource with its `resourceType`; without an id it gets one from its type and number.
pub(super) fn any(report: &mut Report<'_>, node: &Node, number: usize) -> Option<String> {
    let entries = report.entries(node, "a resource");
    let Some(entry) = entries.iter().find(|e| e.key == "resourceType") else {
        if matches!(node.value, Value::Mapping(_)) {
            report.wrong::<()>(
                Code::MissingField,
                "a resource needs `resourceType`".into(),
                node,
                "as in `resourceType: Observation`",
            );
        }
        return None;
    };
    let ty = resource_type(report, &entry.value)?.as_str();
    let id = format!("{}-{number}", ty.to_lowercase());
    of_type(report, node, ty, Some(&id))
}

/// A resource with its `resourceType`, and the type; nothing is added to it.
pub(super) fn as_written(report: &mut Report<'_>, node: &Node) -> Option<(String, Name)> {
    let entries = report.entries(node, "a resource");
    let entry = entries.iter().find(|e| e.key == "resourceType");
    let Some(entry) = entry else {
        if matches!(node.value, Value::Mapping(_)) {
            let help = "as in `resourceType: ServiceRequest`";
            let message = "a resource needs `resourceType`".into();
            report.wrong::<()>(Code::MissingField, message, node, help);
        }
        return None;
    };
    let ty = resource_type(report, &entry.value)?;
    Some((of_type(report, node, ty.as_str(), None)?, ty))
}

/// A draft, which without an id is `draft-1`, `draft-2`, …
pub(super) fn draft(report: &mut Report<'_>, node: &Node, number: usize) -> Option<String> {
    let entries = report.entries(node, "a draft");
    let ty = entries.iter().find(|e| e.key == "resourceType");
    match ty {
        Some(entry) => {
            let ty = resource_type(report, &entry.value)?.as_str();
            of_type(report, node, ty, Some(&format!("draft-{number}")))
        }
        None => any(report, node, number),
    }
}

/// Elements of a type, as `"name":value` with commas between, and their names as in JSON.
pub(super) fn elements(
    report: &mut Report<'_>,
    node: &Node,
    ty: &'static str,
) -> Option<(String, Vec<String>)> {
    let entries = report.entries(node, "`set`");
    if entries.is_empty() {
        if matches!(node.value, Value::Mapping(_)) {
            let message = "`set` is empty: it says what `update` replaces".into();
            let help = "as in `set: {medication: rxnorm|861007}`";
            report.wrong::<()>(Code::MissingField, message, node, help);
        }
        return None;
    }
    let fixed = |e: &&Entry| e.key == "resourceType" || e.key == "id";
    if let Some(entry) = entries.iter().find(fixed) {
        let name = entry.key.as_str();
        let message = format!("`set` cannot replace `{name}`: the resource would be another one");
        let help = "remove it; another resource is a `delete` and a `create`".to_owned();
        let span = (entry.at, entry.at + name.chars().count());
        report.error(Code::WrongValue, message, span, Some(help));
        return None;
    }
    let mut json = String::new();
    let place = Place {
        owner: ty,
        codes: None,
    };
    let names = members(report, entries, place, &mut json, true);
    Some((json, names))
}

/// The name of a resource type.
pub(super) fn resource_type(report: &mut Report<'_>, node: &Node) -> Option<Name> {
    let text = report.line(node)?;
    let found = Model::r4()
        .resource(&text)
        .and_then(|info| Name::of(info.name));
    found.or_else(|| {
        let names = Model::r4()
            .types()
            .filter(|t| t.is_resource)
            .map(|t| t.name);
        let help = did_you_mean(&text, names)
            .map(|n| format!("did you mean `{n}`?"))
            .unwrap_or_default();
        report.wrong(
            Code::UnknownResource,
            format!("FHIR R4 has no resource `{text}`"),
            node,
            &help,
        )
    })
}

/// A resource of a type that is known from where it stands.
pub(super) fn of_type(
    report: &mut Report<'_>,
    node: &Node,
    ty: &'static str,
    id: Option<&str>,
) -> Option<String> {
    let entries = report.entries(node, "a resource");
    if !matches!(node.value, Value::Mapping(_)) {
        return None;
    }
    let mut json = format!("{{\"resourceType\":\"{ty}\"");
    if let Some(id) = id.filter(|_| !entries.iter().any(|e| e.key == "id")) {
        let _ = write!(json, ",\"id\":{}", scalar::quoted(id));
    }
    let place = Place {
        owner: ty,
        codes: None,
    };
    members(report, entries, place, &mut json, false);
    json.push('}');
    Some(json)
}

/// Appends `"name":value` for each entry; the names.
fn members(
    report: &mut Report<'_>,
    entries: &[Entry],
    place: Place,
    json: &mut String,
    first: bool,
) -> Vec<String> {
    let mut first = first;
    let mut names = vec![];
    if units::is_quantity(place.owner) {
        units::of_mapping(report, entries);
    }
    let mut choices: Vec<(&str, &str)> = vec![];
    let is_resource = Model::r4().is_a(place.owner, "Resource");
    let entries = entries.iter();
    for entry in entries.filter(|e| !is_resource || e.key != "resourceType") {
        let Some(mut member) = find(report, place.owner, entry) else {
            continue;
        };
        if let Some(choice) = member.choice {
            if let Some((_, other)) = choices.iter().find(|(name, _)| *name == choice) {
                let key = entry.key.as_str();
                let message = format!(
                    "`{other}` and `{key}` are both `{}.{choice}`, which is at most one",
                    place.owner
                );
                let span = (entry.at, entry.at + key.chars().count());
                report.error(Code::Choice, message, span, Some("keep one of them".into()));
                continue;
            }
            choices.push((choice, &entry.key));
        }
        member.codes = codes::of(place.codes, place.owner, &member.property);
        let Some(value) = value(report, &entry.value, place.owner, &member) else {
            continue;
        };
        let comma = if std::mem::take(&mut first) { "" } else { "," };
        let _ = write!(json, "{comma}{}:{value}", scalar::quoted(&member.property));
        names.push(member.property);
    }
    names
}

/// Where properties stand: their type, and the codes of the element that it is the value of.
#[derive(Clone, Copy)]
struct Place {
    owner: &'static str,
    codes: Option<&'static RequiredCodes>,
}

/// A property of a type.
struct Member {
    /// As in JSON.
    property: String,
    ty: &'static str,
    many: bool,
    /// The element that it is one type of, where there are several.
    choice: Option<&'static str>,
    /// The codes that it must be of.
    codes: Option<&'static RequiredCodes>,
}

/// `medication: warfarin`: a chart has codes.
fn drug_code(element: &str, written: &str) -> Option<String> {
    let named = (element == "medication").then(|| DrugDictionary::built_in_arc().set_of(written));
    let set = named?.ok()?;
    let code = set.members().first()?;
    Some(format!(
        "write the code of {written}: `medication: rxnorm|{code}`"
    ))
}

fn find(report: &mut Report<'_>, owner: &'static str, entry: &Entry) -> Option<Member> {
    let model = Model::r4();
    let name = entry.key.as_str();
    let span = (entry.at, entry.at + name.chars().count().max(1));
    if let Some(element) = model.element(owner, name) {
        if element.cardinality == Cardinality::Choice {
            let types = &element.types;
            let guessed = entry
                .value
                .scalar()
                .and_then(|s| scalar::guess(&s.text))
                .filter(|g| types.contains(g));
            let Some(ty) = guessed else {
                let written = entry.value.scalar().map(|s| s.text.trim());
                if let Some((ty, message, help)) = written.and_then(slips::of)
                    && types.contains(&ty)
                {
                    return report.wrong(Code::WrongValue, message, &entry.value, &help);
                }
                let names: Vec<String> =
                    types.iter().take(6).map(|t| choice_name(name, t)).collect();
                let message = format!("`{owner}.{name}` can be of several types");
                let help = match written.and_then(|text| drug_code(name, text)) {
                    Some(help) => help,
                    None => format!("name the type: `{}`", names.join("`, `")),
                };
                report.error(Code::Choice, message, span, Some(help));
                return None;
            };
            return Some(Member {
                property: choice_name(name, ty),
                ty,
                many: false,
                choice: Some(element.name),
                codes: None,
            });
        }
        let ty = element.types.first().copied().unwrap_or("Element");
        return Some(Member {
            property: name.to_owned(),
            ty,
            many: element.cardinality == Cardinality::Many,
            choice: None,
            codes: None,
        });
    }
    for element in model
        .elements(owner)
        .filter(|e| e.cardinality == Cardinality::Choice)
    {
        if let Some(ty) = element
            .types
            .iter()
            .find(|ty| choice_name(element.name, ty) == name)
        {
            return Some(Member {
                property: name.to_owned(),
                ty,
                many: false,
                choice: Some(element.name),
                codes: None,
            });
        }
    }
    let help = match did_you_mean(name, model.elements(owner).map(|e| e.name)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "it has `{}`",
            model
                .elements(owner)
                .map(|e| e.name)
                .take(14)
                .collect::<Vec<_>>()
                .join("`, `")
        ),
    };
    report.error(
        Code::UnknownElement,
        format!("`{owner}` has no element `{name}`"),
        span,
        Some(help),
    );
    None
}

fn value(report: &mut Report<'_>, node: &Node, owner: &str, member: &Member) -> Option<String> {
    if let Some(codes) = member.codes.filter(|_| member.ty == "CodeableConcept") {
        let element = format!("{owner}.{}", member.property);
        let each = match &node.value {
            Value::Sequence(items) if member.many => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        each.iter()
            .for_each(|node| codes::concept(report, node, &element, codes));
    }
    match &node.value {
        Value::Sequence(items) if member.many => {
            let items: Vec<Option<String>> = items
                .iter()
                .map(|item| one(report, item, owner, member))
                .collect();
            let items: Vec<String> = items.into_iter().collect::<Option<_>>()?;
            Some(format!("[{}]", items.join(",")))
        }
        // Several codings of one concept.
        Value::Sequence(items) if member.ty == "CodeableConcept" => {
            let coding = Member {
                property: member.property.clone(),
                ty: "Coding",
                many: false,
                choice: None,
                codes: member.codes,
            };
            let codings: Vec<Option<String>> = items
                .iter()
                .map(|item| one(report, item, owner, &coding))
                .collect();
            let codings: Vec<String> = codings.into_iter().collect::<Option<_>>()?;
            Some(format!("{{\"coding\":[{}]}}", codings.join(",")))
        }
        Value::Sequence(_) => report.wrong(
            Code::WrongKind,
            format!(
                "`{owner}.{}` is at most one, this is a list",
                member.property
            ),
            node,
            "",
        ),
        _ => {
            let one = one(report, node, owner, member)?;
            Some(if member.many { format!("[{one}]") } else { one })
        }
    }
}

fn one(report: &mut Report<'_>, node: &Node, owner: &str, member: &Member) -> Option<String> {
    match &node.value {
        Value::Mapping(_) if member.ty == "Resource" => any(report, node, node.at),
        Value::Mapping(entries) if member.ty.starts_with(|c: char| c.is_ascii_uppercase()) => {
            let mut json = String::from("{");
            let place = Place {
                owner: member.ty,
                codes: member.codes,
            };
            members(report, entries, place, &mut json, true);
            json.push('}');
            Some(json)
        }
        Value::Scalar(text) if report.holes.is_some() && text.text.contains("{{") => {
            let element = format!("{owner}.{}", member.property);
            let hole = RawHole {
                node: node.clone(),
                element,
                ty: member.ty,
                codes: member.codes,
            };
            let holes = report.holes.get_or_insert_default();
            holes.push(hole);
            Some(HOLE.to_string())
        }
        // Of a case it is the case's own patient; on a card it would be the same one for everybody.
        Value::Scalar(text)
            if report.holes.is_some()
                && (member.ty == "Reference" || owner == "Reference")
                && text.text.starts_with("Patient/") =>
        {
            let message = format!("`{}` is one patient, whoever the card is about", text.text);
            let help = "write `\"{{ reference(patient) }}\"`";
            report.wrong(Code::WrongValue, message, node, help)
        }
        Value::Scalar(text) => match scalar::expand(text, member.ty, member.codes) {
            Ok(json) => {
                if let Some(codes) = member
                    .codes
                    .filter(|_| member.ty == "code" && owner != "Coding")
                {
                    let element = format!("{owner}.{}", member.property);
                    codes::code(report, node, &text.text, &element, codes);
                }
                if units::is_quantity(member.ty) {
                    units::of_text(report, node, scalar::unit_of(&text.text));
                }
                Some(json)
            }
            Err(help) => {
                let message = format!(
                    "`{}` does not fit `{owner}.{}`, a `{}`",
                    text.text, member.property, member.ty
                );
                report.wrong(Code::WrongValue, message, node, &help)
            }
        },
        _ => {
            let message = format!(
                "`{owner}.{}` is a `{}`, this is {}",
                member.property,
                member.ty,
                node.kind()
            );
            report.wrong(Code::WrongKind, message, node, "")
        }
    }
}
