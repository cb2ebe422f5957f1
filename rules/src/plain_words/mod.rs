//! What could not be told, in the words of a clinician: no names of FHIR types and elements, of keys, of
//! value sets, no URLs.
//!
//! Reasons are written for whoever looks into a rule: `Procedure.code is coded in http://… here`. A card
//! says the same in plain English; the reason itself goes to the log and the extension of the card.

mod tables;

use std::borrow::Cow;

use engine_patient::fhir::model::Model;

use tables::{REASONS, RESOURCES, SYSTEMS};

/// What is said where a reason has no plain words.
const UNCLEAR: &str = "the data is not clear enough to tell";

/// Several of a type: `results and measurements`.
pub fn resources(resource_type: &str) -> Cow<'static, str> {
    let known = RESOURCES.iter().find(|(ty, ..)| *ty == resource_type);
    match known {
        Some((.., many)) => Cow::Borrowed(many),
        None => Cow::Owned(format!("{}s", words(resource_type))),
    }
}

/// One of a type: `a result or measurement`.
pub fn resource(resource_type: &str) -> Cow<'static, str> {
    let known = RESOURCES.iter().find(|(ty, ..)| *ty == resource_type);
    match known {
        Some((_, one, _)) => Cow::Borrowed(one),
        None => {
            let name = words(resource_type);
            let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u']);
            Cow::Owned(format!("{} {name}", if vowel { "an" } else { "a" }))
        }
    }
}

/// The title of a value set, where it is one for people: no URL, no OID, no name of a program's.
pub fn code_title(title: &str) -> Option<String> {
    let title = crate::text::plain(title);
    let reads = title.chars().any(char::is_alphabetic) && !is_technical(&title);
    // `AdvancedIllness` is a name; `Advanced Illness` and `Hospice` are titles.
    let inner = title.chars().skip(1).any(|c| c.is_ascii_uppercase());
    let name = inner && !title.contains(' ') && title.chars().any(|c| c.is_ascii_lowercase());
    match (reads, name) {
        (false, _) => None,
        (true, false) => Some(title),
        (true, true) => Some(words(&title)),
    }
}

/// Whether it is this reason, with the units that were found and wanted behind.
fn with_units(text: &str, known: &str) -> bool {
    let rest = text.strip_prefix(known);
    rest.is_some_and(|rest| rest.starts_with(" than `"))
}

/// A reason in plain words, one that holds no patient data and names no more than people do. Not yet
/// Markdown.
pub fn reason(text: &str) -> String {
    if let Some((_, plain)) = REASONS
        .iter()
        .find(|(known, _)| text == *known || with_units(text, known))
    {
        return (*plain).to_owned();
    }
    let between = |start: &str, end: &str| text.strip_prefix(start)?.strip_suffix(end);
    let given = |start| between(start, " data was given").filter(|ty| is_type(ty));
    if let Some(ty) = given("no ").or_else(|| given("not all ")) {
        return match ty {
            "Patient" => "the patient's own record was not received".to_owned(),
            _ => format!("the {} were not all received", resources(ty)),
        };
    }
    let elsewhere = " refers to its code in a resource that was not given";
    if let Some(ty) = between("a ", elsewhere).filter(|ty| is_type(ty)) {
        let one = resource(ty);
        return format!("what {one} is for was not received");
    }
    if let Some(plain) = other_systems(text).or_else(|| drug(text)) {
        return plain;
    }
    let plain = without_elements(text);
    match is_technical(&plain) {
        true => UNCLEAR.to_owned(),
        false => plain,
    }
}

/// What is said of drugs: `a MedicationRequest has no code that the drug dictionary knows`.
fn drug(text: &str) -> Option<String> {
    if let Some(ty) = text.strip_prefix("nothing names the drug of a ") {
        return Some(format!("the drug of {} is not named", resource(ty)));
    }
    const NO_CODE: &str = " has no code that the drug dictionary knows";
    if text.strip_suffix(NO_CODE) == Some("an ingredient of a Medication") {
        return Some("an ingredient of a medication has no code by which it is known".to_owned());
    }
    let (_, rest) = text.split_once(' ')?;
    let (ty, rest) = rest.split_at_checked(rest.find(' ')?)?;
    let one = resource(Some(ty).filter(|ty| is_type(ty))?);
    match (rest, ty) {
        (NO_CODE, "AllergyIntolerance") => Some(format!(
            "{one} has no code by which it is known what it is to"
        )),
        (NO_CODE, _) => Some(format!("{one} has no code by which its drug is known")),
        (" is to a drug class, and not every drug of it is known", _) => Some(format!(
            "{one} is to a class of drugs, and not every drug of it is known"
        )),
        (" names an ingredient, not which salt of it", _) => {
            Some(format!("{one} does not say which salt of the drug it is"))
        }
        (" that is over does not say when it was last taken", _) => Some(format!(
            "{one} that is over does not say when the drug was last taken"
        )),
        _ => None,
    }
}

/// `Procedure.code is coded in A here, the value set URL has B only`.
fn other_systems(text: &str) -> Option<String> {
    let (element, rest) = text.split_once(" is coded in ")?;
    let (seen, rest) = rest.split_once(" here, the value set ")?;
    let (_, wanted) = rest.strip_suffix(" only")?.split_once(" has ")?;
    let (ty, _) = element.split_once('.')?;
    let many = resources(ty);
    Some(format!(
        "{many} are coded in {} here; the rule looks for codes of {}",
        systems(seen),
        systems(wanted)
    ))
}

/// Names of code systems, each once.
fn systems(list: &str) -> String {
    let mut named: Vec<&str> = vec![];
    for system in list.split(", ") {
        let known = SYSTEMS.iter().find(|(url, _)| *url == system);
        let name = match (known, system) {
            (Some((_, name)), _) => name,
            (None, "no code system") => "no code system",
            (None, _) => "another code system",
        };
        if !named.contains(&name) {
            named.push(name);
        }
    }
    match &named[..] {
        [] => "an unknown system".to_owned(),
        [one] => (*one).to_owned(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

/// Elements (`Patient.birthDate`, in a code span or not) as `the date of birth of the patient`.
fn without_elements(text: &str) -> String {
    let words: Vec<String> = text
        .split(' ')
        .map(|word| {
            let bare = word.trim_matches(|c| matches!(c, '`' | ',' | ':' | '.'));
            let Some(plain) = element(bare) else {
                return word.replace('`', "");
            };
            word.replace('`', "").replacen(bare, &plain, 1)
        })
        .collect();
    words.join(" ")
}

fn element(name: &str) -> Option<String> {
    let (owner, path) = match name.split_once('.') {
        Some((owner, path)) => (owner, Some(path)),
        None => (name, None),
    };
    let known = match path {
        Some(_) => Model::r4().get(owner).is_some(),
        None => is_type(owner),
    };
    if !known || !owner.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let one = resource(owner);
    let Some(path) = path else {
        return Some(one.into_owned());
    };
    let last = path.rsplit('.').find(|p| !p.is_empty())?;
    let what = match last.trim_end_matches("[x]") {
        "birthDate" => "date of birth".to_owned(),
        "authoredOn" => "date".to_owned(),
        "bounds" => "end".to_owned(),
        "deceased" | "deceasedDateTime" | "deceasedBoolean" => "date of death".to_owned(),
        other => words(other),
    };
    Some(format!("the {what} of {one}"))
}

fn is_type(name: &str) -> bool {
    Model::r4().resource(name).is_some()
}

/// `MedicationRequest` is `medication request`.
fn words(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for c in name.chars() {
        let plain = if matches!(c, '-' | '_') { ' ' } else { c };
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            out.push(' ');
        }
        out.push(plain.to_ascii_lowercase());
        before = c;
    }
    out
}

/// Whether a text has URLs, OIDs, calls or paths in it.
fn is_technical(text: &str) -> bool {
    let oid = |word: &str| {
        let digits = word.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        digits && word.matches('.').count() > 2
    };
    let call = |word: &str| {
        let name = word.split('(').next().unwrap_or("");
        word.contains('(') && name.starts_with(|c: char| c.is_ascii_lowercase())
    };
    text.contains("://")
        || text.contains("urn:")
        || text.contains(['{', '}', '`', '|', '[', ']', '…'])
        || text.split(' ').any(|word| oid(word) || call(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_in_the_words_of_a_clinician() {
        for (said, plain) in [
            (
                "no Observation data was given",
                "the results and measurements were not all received",
            ),
            (
                "not all Observation data was given",
                "the results and measurements were not all received",
            ),
            (
                "no DeviceUseStatement data was given",
                "the device use statements were not all received",
            ),
            (
                "a MedicationRequest refers to its code in a resource that was not given",
                "what a medication order is for was not received",
            ),
            (
                "`Patient.birthDate` is too imprecise",
                "the date of birth of the patient is too imprecise",
            ),
            (
                "Patient.birthDate is not available",
                "the date of birth of the patient is not available",
            ),
            (
                "`Observation.value[x]` cannot be read",
                "the value of a result or measurement cannot be read",
            ),
            (
                "`Condition.clinicalStatus` is missing",
                "the clinical status of a diagnosis or problem is missing",
            ),
            (
                "a MedicationRequest has no code that the drug dictionary knows",
                "a medication order has no code by which its drug is known",
            ),
            (
                "an AllergyIntolerance has no code that the drug dictionary knows",
                "an allergy or intolerance has no code by which it is known what it is to",
            ),
            (
                "an AllergyIntolerance is to a drug class, and not every drug of it is known",
                "an allergy or intolerance is to a class of drugs, and not every drug of it is known",
            ),
            (
                "an ingredient of a Medication has no code that the drug dictionary knows",
                "an ingredient of a medication has no code by which it is known",
            ),
            (
                "a MedicationStatement names an ingredient, not which salt of it",
                "a reported medication does not say which salt of the drug it is",
            ),
            (
                "a MedicationRequest that is over does not say when it was last taken",
                "a medication order that is over does not say when the drug was last taken",
            ),
            (
                "nothing names the drug of a MedicationRequest",
                "the drug of a medication order is not named",
            ),
            (
                "`MedicationRequest.medication` is missing",
                "the medication of a medication order is missing",
            ),
            (
                "`MedicationRequest.authoredOn` is too imprecise",
                "the date of a medication order is too imprecise",
            ),
            (
                "`MedicationRequest.status` says that it is not known",
                "the status of a medication order says that it is not known",
            ),
            (
                "`Quantity.value` is missing",
                "the value of a quantity is missing",
            ),
            (
                "Procedure.code is coded in http://snomed.info/sct, https://h.example.org/x here, the value set http://x.org/ValueSet/1.2.3 has http://www.ama-assn.org/go/cpt only",
                "procedures are coded in SNOMED CT and another code system here; the rule looks for codes of CPT",
            ),
            ("`[…]` needs a list and a whole number", UNCLEAR),
            ("the value set http://x.org/a is not here", UNCLEAR),
            (
                "a date is too imprecise to compare",
                "a date is too imprecise to compare",
            ),
        ] {
            assert_eq!(reason(said), plain, "{said}");
        }
    }

    #[test]
    fn titles_of_value_sets_and_not_their_names() {
        for (title, shown) in [
            ("HbA1c laboratory test", Some("HbA1c laboratory test")),
            ("Colonoscopy", Some("Colonoscopy")),
            ("ColorectalCancer", Some("colorectal cancer")),
            ("EGFR", Some("EGFR")),
            ("2.16.840.1.113883.3.464.1003.198.12.1019", None),
            ("http://cts.nlm.nih.gov/fhir/ValueSet/2.16.840.1", None),
            ("urn:oid:2.16.840.1", None),
        ] {
            assert_eq!(code_title(title).as_deref(), shown, "{title}");
        }
    }
}
