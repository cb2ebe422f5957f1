//! What can be read of a resource that is not quite FHIR R4: one bad member is no reason to lose the
//! others.
//!
//! *Invariant:* nothing that is made here says "no" where the resource as it came said nothing. What is
//! empty is not there. What is of another kind than R4 has it stays as it is, where evaluation takes that
//! for unknown; it goes, where it says nothing of health (a name, an address); and where neither is sure,
//! the resource is not taken.

use engine_patient::fhir::model::Model;
use engine_patient::record::{Element, Kind, PatientRecord};
use engine_patient::system::codes;

use super::structure::{DEPTH, Primitive, has_extensions, named, primitive, type_of};
use crate::json_text::{is_empty, push_name, push_raw};

/// A resource as far as it can be read.
#[derive(Default, Debug)]
pub(super) struct Mended {
    /// Its JSON.
    pub(super) text: String,
    /// Elements without which it cannot be told which of the resources asked for it is: it may be any.
    pub(super) open: Vec<String>,
    /// Elements that could not be read. Whoever asks for them is told "unknown".
    pub(super) unread: Vec<String>,
}

/// How much rests on an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// What the resource is, or whether it counts.
    Decisive,
    /// Whatever else there is.
    Plain,
    /// Nothing of health.
    Idle,
}

/// Elements of resources that say whether one counts.
const DECISIVE: [&str; 6] = [
    "status",
    "intent",
    "verificationStatus",
    "clinicalStatus",
    "doNotPerform",
    "modifierExtension",
];

/// Of those what R4 requires: without it a resource may be of any kind.
const REQUIRED: [&str; 2] = ["status", "intent"];

/// Types of which R4 requires the code that says what one is.
const CODED: [&str; 10] = [
    "Basic",
    "DeviceRequest",
    "DiagnosticReport",
    "Immunization",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Substance",
];

/// Types that say nothing of health.
const IDLE: [&str; 14] = [
    "Address",
    "Annotation",
    "Attachment",
    "ContactDetail",
    "ContactPoint",
    "HumanName",
    "Identifier",
    "Meta",
    "Narrative",
    "Patient.Communication",
    "Patient.Contact",
    "Patient.Link",
    "Signature",
    "UsageContext",
];

/// Types whose parts functions look for by themselves: what is not as R4 has it would be taken for absent.
const LOOKED_INTO: [&str; 3] = ["Dosage", "Resource", "Timing"];

/// Mends a resource of a type.
///
/// # Errors
/// The element that it cannot be taken without, and what is wrong with it.
pub(super) fn mended(resource: Element<'_>, type_name: &str) -> Result<Mended, String> {
    let info = Model::r4().resource(type_name);
    let code = info.and_then(|info| info.primary_code_path);
    let mut mending = Mending {
        code,
        is_patient: type_name == "Patient",
        mended: Mended::default(),
    };
    mending.object(resource, type_name, Weight::Plain, 0)?;
    let mut mended = mending.mended;
    if let Some(code) = code {
        mended.open.extend(without_code(resource, &mended, code));
    }
    mended.open.extend(uncoded(resource, type_name));
    Ok(mended)
}

/// What is open of a resource that need not be mended: it may lack the code that says what it is.
pub(super) fn uncoded(resource: Element<'_>, type_name: &str) -> Option<String> {
    let code = Model::r4().resource(type_name)?.primary_code_path;
    let code = code.filter(|_| CODED.contains(&type_name))?;
    match resource.children().find(|e| is_named(&e.property(), code)) {
        None => Some(format!("`{code}` is missing")),
        // An extension says at most why.
        Some(found) => {
            let says = |child: Element<'_>| !matches!(&*child.property(), "extension" | "id");
            let whole = found.kind() == Kind::Object && !is_empty(found);
            let mute = whole && !found.children().any(says);
            mute.then(|| format!("`{}` has no code", found.property()))
        }
    }
}

/// Whether the element that says what a resource is had something in it, and has no code any more.
fn without_code(before: Element<'_>, mended: &Mended, code: &str) -> Option<String> {
    let is_code = |e: &Element<'_>| is_named(&e.property(), code);
    let came = before.children().find(is_code)?;
    let mut record = PatientRecord::new();
    let after = record.push_document(&mended.text).ok();
    let left = after.and_then(|resource| resource.children().find(is_code));
    let says = left.is_some_and(|element| {
        let refers = element.get_str("reference").is_some();
        refers || codes::keys(element).next().is_some()
    });
    let changed = left.is_none_or(|left| left.raw() != came.raw());
    (changed && !says).then(|| format!("`{}` has no code", came.property()))
}

/// Whether a property is an element, or one of the types of a choice.
fn is_named(property: &str, element: &str) -> bool {
    let rest = property.strip_prefix(element);
    rest.is_some_and(|r| r.is_empty() || r.starts_with(|c: char| c.is_ascii_uppercase()))
}

struct Mending<'m> {
    code: Option<&'m str>,
    is_patient: bool,
    mended: Mended,
}

impl Mending<'_> {
    fn out(&mut self) -> &mut String {
        &mut self.mended.text
    }

    fn object(
        &mut self,
        object: Element<'_>,
        type_name: &str,
        weight: Weight,
        depth: usize,
    ) -> Result<(), String> {
        self.out().push('{');
        let mut first = true;
        for child in object.children() {
            let from = self.mended.text.len();
            if !std::mem::take(&mut first) {
                self.out().push(',');
            }
            push_name(self.out(), child);
            let before = self.mended.text.len();
            self.member(object, child, type_name, weight, depth)?;
            if self.mended.text.len() == before {
                // Nothing of it is left.
                self.mended.text.truncate(from);
                first = self.mended.text.ends_with('{');
            }
        }
        self.out().push('}');
        Ok(())
    }

    /// The value of a member; nothing where nothing of it is left.
    fn member(
        &mut self,
        object: Element<'_>,
        child: Element<'_>,
        type_name: &str,
        outer: Weight,
        depth: usize,
    ) -> Result<(), String> {
        let property = child.property();
        let Some((ty, many)) = type_of(type_name, &property) else {
            push_raw(self.out(), child);
            return Ok(());
        };
        let weight = self.weight(&property, type_name, ty, outer, depth);
        // What is no Coding would be taken for another code; its parts are another matter. There is only one
        // Patient to lose.
        let of_code = match type_name {
            "CodeableConcept" => property == "coding",
            "Coding" => matches!(&*property, "code" | "system"),
            _ => false,
        };
        let own = match weight {
            Weight::Plain if of_code && !self.is_patient => Weight::Decisive,
            weight => weight,
        };
        if is_empty(child) && !is_kept_empty(child, ty) {
            if depth == 0 && REQUIRED.contains(&&*property) {
                self.mended.open.push(format!("`{property}` is empty"));
            }
            return Ok(());
        }
        let list = child.kind() == Kind::Array;
        if list && !many {
            return self.wrong(child, &property, own, "is a list where R4 has one value");
        }
        if !list {
            return self.item(child, &property, ty, (own, weight), depth);
        }
        let excused = has_extensions(object, &property);
        let start = self.mended.text.len();
        self.out().push('[');
        let mut first = true;
        for item in child.items() {
            // A `null` holds the place of a primitive whose extensions stand beside it.
            let holds_a_place = item.kind() == Kind::Null && excused;
            if is_empty(item) && !holds_a_place && !is_kept_empty(item, ty) {
                continue;
            }
            let from = self.mended.text.len();
            if !first {
                self.out().push(',');
            }
            let before = self.mended.text.len();
            match holds_a_place {
                true => self.out().push_str("null"),
                false => self.item(item, &property, ty, (own, weight), depth)?,
            }
            match self.mended.text.len() == before {
                true => self.mended.text.truncate(from),
                false => first = false,
            }
        }
        match first {
            true => self.mended.text.truncate(start),
            false => self.out().push(']'),
        }
        Ok(())
    }

    /// What rests on an element of an object of this type.
    fn weight(&self, property: &str, owner: &str, ty: &str, outer: Weight, depth: usize) -> Weight {
        let decides = depth == 0
            && (DECISIVE.contains(&property) || self.code.is_some_and(|c| is_named(property, c)));
        // Of the parts of a backbone, as a component, nobody but functions knows what they are for.
        let looked_into =
            ty.contains('.') || LOOKED_INTO.contains(&ty) || LOOKED_INTO.contains(&owner);
        let within = owner.contains('.') && primitive(ty).is_none_or(|p| p == Primitive::Token);
        match outer {
            Weight::Idle => Weight::Idle,
            _ if IDLE.contains(&ty) => Weight::Idle,
            Weight::Decisive => Weight::Decisive,
            Weight::Plain if decides || looked_into || within => Weight::Decisive,
            Weight::Plain => Weight::Plain,
        }
    }

    /// One value: what rests on it, and on its parts.
    fn item(
        &mut self,
        item: Element<'_>,
        property: &str,
        ty: &str,
        (own, weight): (Weight, Weight),
        depth: usize,
    ) -> Result<(), String> {
        let kind = item.kind();
        let other = |expected: &str| format!("is {} where R4 has {expected}", named(kind));
        match (primitive(ty), kind) {
            (None, Kind::Object) if depth < DEPTH => {
                let before = self.mended.unread.len();
                let done = self.object(item, ty, weight, depth + 1);
                let new = self.mended.unread.iter_mut().skip(before);
                new.for_each(|flaw| *flaw = within(property, flaw));
                done.map_err(|flaw| within(property, &flaw))
            }
            (None, Kind::Object) => {
                push_raw(self.out(), item);
                Ok(())
            }
            (None, _) => self.wrong(item, property, own, &other("an object")),
            (Some(wanted), _) if !wanted.fits(item) => {
                self.wrong(item, property, own, &other(wanted.called()))
            }
            // A status that is written otherwise would be read as another one.
            (Some(_), _) if depth == 0 && property == "status" && !is_lower(item) => {
                Err("`status` is no code of R4: those are small letters and hyphens".to_owned())
            }
            (Some(_), _) => {
                push_raw(self.out(), item);
                Ok(())
            }
        }
    }

    /// Something of another kind than R4 has it.
    fn wrong(
        &mut self,
        value: Element<'_>,
        property: &str,
        weight: Weight,
        what: &str,
    ) -> Result<(), String> {
        let flaw = format!("`{property}` {what}");
        match weight {
            Weight::Decisive => return Err(flaw),
            Weight::Plain => push_raw(self.out(), value),
            Weight::Idle => {}
        }
        self.mended.unread.push(flaw);
        Ok(())
    }
}

/// What is wrong with a part, as of the whole.
fn within(property: &str, flaw: &str) -> String {
    format!("`{property}.{}", flaw.trim_start_matches('`'))
}

/// What is empty and yet there: a text that is no date, no number and no truth value is unreadable, not
/// absent, wherever patients are evaluated.
fn is_kept_empty(value: Element<'_>, ty: &str) -> bool {
    let dated = matches!(ty, "date" | "dateTime" | "instant" | "time");
    let read = dated || matches!(primitive(ty), Some(Primitive::Number | Primitive::Truth));
    read && value.kind() == Kind::String
}

fn is_lower(status: Element<'_>) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b == b'-';
    status.as_str().is_some_and(|text| text.bytes().all(legal))
}

#[cfg(test)]
#[path = "mend_tests.rs"]
mod tests;
