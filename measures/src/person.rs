//! What somebody needs to reach a patient: name, identifier, telephone, as the Patient resource has them.

use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
use serde_json::Value;

/// When somebody is to be reached: what ended before is not taken.
#[derive(Clone, Copy, Debug)]
pub struct At<'z> {
    /// Milliseconds.
    pub instant: i64,
    /// Where dates without an offset are.
    pub zone: &'z Zone,
}

impl At<'_> {
    /// Whether the `period` of a name, an identifier, a contact ended before. An end that cannot be read
    /// is none.
    fn is_over(self, of: &Value) -> bool {
        let end = of.get("period").map(|period| text(period, "end"));
        let end = end.and_then(|end| DateTime::parse(&end));
        end.is_some_and(|end| end.latest(self.zone) < self.instant)
    }
}

/// The columns of [`Person::cells`].
pub const HEADING: [&str; 8] = [
    "name",
    "birth_date",
    "deceased",
    "identifier",
    "identifier_system",
    "phone",
    "email",
    "contact",
];

/// Of a Patient resource. What it does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// `Family, Given`: the official name, else the usual one, else the first that is still in use.
    pub name: String,
    /// As it is written.
    pub birth_date: String,
    /// `true`, `false`, or when.
    pub deceased: String,
    /// The medical record number (type `MR`); else the usual identifier; else the first that is not of
    /// a kind that nobody should print (social security, driver's license, passport).
    pub identifier: String,
    /// The system of that identifier.
    pub identifier_system: String,
    /// The mobile number, else that at home, else another.
    pub phone: String,
    /// The same way.
    pub email: String,
    /// Somebody to turn to (a parent, a guardian): name, relationship, telephone.
    pub contact: String,
}

impl Person {
    /// What a Patient resource says that holds then.
    pub fn of(patient: &Value, at: At<'_>) -> Person {
        let deceased = match patient.get("deceasedBoolean") {
            Some(Value::Bool(dead)) => dead.to_string(),
            _ => text(patient, "deceasedDateTime"),
        };
        let (identifier, identifier_system) = identifier(patient, at);
        Person {
            name: human_name(patient.get("name").unwrap_or(&Value::Null), at).unwrap_or_default(),
            birth_date: text(patient, "birthDate"),
            deceased,
            identifier,
            identifier_system,
            phone: telecom(patient, "phone", at),
            email: telecom(patient, "email", at),
            contact: contact(patient, at),
        }
    }

    /// As [`HEADING`].
    pub fn cells(self) -> [String; 8] {
        [
            self.name,
            self.birth_date,
            self.deceased,
            self.identifier,
            self.identifier_system,
            self.phone,
            self.email,
            self.contact,
        ]
    }
}

/// The elements of a list; of what is no list but should be, the one there is.
pub fn list<'v>(of: &'v Value, element: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    let found = of.get(element);
    let many = found.and_then(Value::as_array).into_iter().flatten();
    many.chain(found.filter(|one| one.is_object()))
}

/// A text, without space around it; empty where there is none.
fn text(of: &Value, element: &str) -> String {
    let found = of.get(element).and_then(Value::as_str);
    found.unwrap_or_default().trim().to_owned()
}

/// The name to use of a HumanName, or of a list of them: `Family, Given`, or the text.
pub fn human_name(names: &Value, at: At<'_>) -> Option<String> {
    let one = names.is_object().then_some(names);
    let names = names.as_array().into_iter().flatten().chain(one);
    let rank = |name: &&Value| match name.get("use").and_then(Value::as_str) {
        Some("official") => 0,
        Some("usual") => 1,
        Some("old" | "maiden") => 4,
        Some("nickname" | "anonymous") => 3,
        _ => 2,
    };
    let mut named: Vec<(u8, String)> = names
        .filter(|name| !at.is_over(name))
        .filter_map(|name| Some((rank(&name), written(name)?)))
        .collect();
    // Of the same use the first.
    named.sort_by_key(|(rank, _)| *rank);
    named.into_iter().next().map(|(_, name)| name)
}

fn written(name: &Value) -> Option<String> {
    let given: Vec<&str> = name
        .get("given")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|g| Some(g.as_str()?.trim()).filter(|g| !g.is_empty()))
        .collect();
    let (family, given, whole) = (text(name, "family"), given.join(" "), text(name, "text"));
    [match (family.is_empty(), given.is_empty()) {
        (false, false) => format!("{family}, {given}"),
        (true, _) if !whole.is_empty() => whole,
        _ => family + &given,
    }]
    .into_iter()
    .find(|name| !name.is_empty())
}

/// Types of identifiers that nobody should print: social security, driver's license, passport.
const PRIVATE_TYPES: [&str; 4] = ["SS", "SB", "DL", "PPN"];

/// Their systems.
const PRIVATE_SYSTEMS: [&str; 3] = [
    "http://hl7.org/fhir/sid/us-ssn",
    "https://hl7.org/fhir/sid/us-ssn",
    "urn:oid:2.16.840.1.113883.4.1",
];

/// How such systems begin: one a state or country that issues driver's licenses or passports.
const PRIVATE_ROOTS: [&str; 4] = [
    "urn:oid:2.16.840.1.113883.4.3.",
    "urn:oid:2.16.840.1.113883.4.330.",
    "http://hl7.org/fhir/sid/passport-",
    "https://hl7.org/fhir/sid/passport-",
];

fn is_private_system(system: &str) -> bool {
    let system = system.to_ascii_lowercase();
    // HL7 V2 and CDA have object identifiers without the scheme.
    let system = match system.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("urn:oid:{system}"),
        false => system,
    };
    let of_root = |root: &&str| system.starts_with(*root) || system == root.trim_end_matches('.');
    PRIVATE_SYSTEMS.contains(&system.trim_end_matches('/')) || PRIVATE_ROOTS.iter().any(of_root)
}

/// Value and system.
fn identifier(patient: &Value, at: At<'_>) -> (String, String) {
    let coded = |identifier: &Value, codes: &[&str]| {
        let codings = identifier.get("type").unwrap_or(&Value::Null);
        list(codings, "coding").any(|c| codes.contains(&text(c, "code").as_str()))
    };
    let usual = |identifier: &Value| text(identifier, "use") == "usual";
    let private = |identifier: &Value| {
        coded(identifier, &PRIVATE_TYPES) || is_private_system(&text(identifier, "system"))
    };
    let mut all: Vec<&Value> = list(patient, "identifier")
        .filter(|i| !text(i, "value").is_empty() && !private(i) && !at.is_over(i))
        .collect();
    all.sort_by_key(|identifier| {
        let old = text(identifier, "use") == "old";
        (old, !coded(identifier, &["MR"]), !usual(identifier))
    });
    let of = |identifier: &&Value| (text(identifier, "value"), text(identifier, "system"));
    all.first().map(of).unwrap_or_default()
}

/// The contact point of this system that is best tried first.
fn telecom(of: &Value, system: &str, at: At<'_>) -> String {
    let wanted = |point: &&Value| text(point, "system") == system && text(point, "use") != "old";
    let mut all: Vec<&Value> = list(of, "telecom").filter(wanted).collect();
    all.retain(|point| !text(point, "value").is_empty() && !at.is_over(point));
    all.sort_by_key(|point| {
        let rank = point.get("rank").and_then(Value::as_u64);
        let place = match text(point, "use").as_str() {
            "mobile" => 0,
            "home" => 1,
            "work" => 3,
            _ => 2,
        };
        (rank.unwrap_or(u64::MAX), place)
    });
    all.first()
        .map(|point| text(point, "value"))
        .unwrap_or_default()
}

/// The first person to turn to.
fn contact(patient: &Value, at: At<'_>) -> String {
    let of = |contact: &Value| {
        let name = contact.get("name").and_then(|name| human_name(name, at));
        let relationship = list(contact, "relationship").find_map(|concept| {
            let display = || list(concept, "coding").map(|c| text(c, "display"));
            let mut words = std::iter::once(text(concept, "text")).chain(display());
            words.find(|w| !w.is_empty())
        });
        let phone = Some(telecom(contact, "phone", at)).filter(|p| !p.is_empty());
        let parts = [name, relationship.map(|r| format!("({r})")), phone];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join(" ")
    };
    let mut all = list(patient, "contact").filter(|c| !at.is_over(c)).map(of);
    all.find(|c| !c.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use engine_patient::system::zone::UTC;

    use super::*;

    /// The last instant of 2025.
    const AT: At<'static> = At {
        instant: 1_767_225_599_999,
        zone: &UTC,
    };

    #[test]
    fn who_a_patient_is_and_how_to_reach_them() {
        let patient = json!({
            "name": [
                {"use": "nickname", "given": ["Al"]},
                {"use": "maiden", "family": "Old"},
                {"use": "official", "family": "Smith", "given": ["Alice", "B."]}],
            "birthDate": "1950-02-03",
            "deceasedDateTime": "2024-01-02",
            "identifier": [
                {"type": {"coding": [{"code": "SS"}]}, "use": "usual", "value": "999-11-8522"},
                {"use": "usual", "system": "urn:usual", "value": "u"},
                {"type": {"coding": [{"code": "MR"}]}, "use": "old", "value": "old"},
                {"type": {"coding": [{"code": "MR"}]}, "system": "urn:mrn", "value": "m1"}],
            "telecom": [
                {"system": "phone", "use": "work", "value": "1"},
                {"system": "email", "value": "a@example.org"},
                {"system": "phone", "use": "mobile", "value": "2"},
                {"system": "phone", "use": "old", "rank": 1, "value": "3"}],
            "contact": [{"relationship": [{"text": "mother"}], "name": {"family": "Smith", "given": ["Eve"]},
                "telecom": [{"system": "phone", "value": "4"}]}],
        });
        assert_eq!(
            Person::of(&patient, AT).cells(),
            [
                "Smith, Alice B.",
                "1950-02-03",
                "2024-01-02",
                "m1",
                "urn:mrn",
                "2",
                "a@example.org",
                "Smith, Eve (mother) 4"
            ]
        );
    }

    #[test]
    fn what_is_not_said_is_empty() {
        assert_eq!(Person::of(&json!({}), AT), Person::default());
        // Of a social security number alone nothing is shown.
        let private =
            json!({"identifier": [{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "1"}]});
        assert_eq!(Person::of(&private, AT), Person::default());
        let text = json!({"name": [{"text": "Dr. Who"}], "deceasedBoolean": false});
        let person = Person::of(&text, AT);
        assert_eq!((&*person.name, &*person.deceased), ("Dr. Who", "false"));
        let usual = json!({"identifier": [{"value": "first"}, {"use": "usual", "value": "usual"}]});
        assert_eq!(Person::of(&usual, AT).identifier, "usual");
        // What is of another type than it should be is not there.
        let odd =
            json!({"name": 1, "birthDate": 2, "identifier": "x", "telecom": [1], "contact": {}});
        assert_eq!(Person::of(&odd, AT), Person::default());
    }

    #[test]
    fn social_security_licenses_and_passports_are_never_shown() {
        for system in [
            "urn:oid:2.16.840.1.113883.4.1",
            "2.16.840.1.113883.4.1",
            "http://hl7.org/fhir/sid/us-ssn",
            "urn:oid:2.16.840.1.113883.4.3.25",
            "http://hl7.org/fhir/sid/passport-USA",
            "urn:oid:2.16.840.1.113883.4.330.840",
        ] {
            let patient = json!({"identifier": [{"system": system, "use": "usual", "value": "1"}]});
            assert_eq!(Person::of(&patient, AT), Person::default(), "{system}");
        }
        // Others that only begin so are what they are.
        for system in [
            "urn:oid:2.16.840.1.113883.4.10",
            "urn:oid:2.16.840.1.113883.4.349",
        ] {
            let patient = json!({"identifier": [{"system": system, "value": "1"}]});
            assert_eq!(Person::of(&patient, AT).identifier, "1", "{system}");
        }
    }

    #[test]
    fn what_ended_before_is_not_taken() {
        let patient = json!({
            "name": [
                {"use": "official", "family": "Before", "period": {"end": "2025-12-30"}},
                {"family": "Now", "period": {"start": "2025-12-31"}}],
            "identifier": [
                {"use": "usual", "value": "before", "period": {"end": "2024"}},
                {"value": "now", "period": {"end": "2025-12"}}],
            "telecom": [
                {"system": "phone", "use": "mobile", "value": "1", "period": {"end": "2025-06-01"}},
                {"system": "phone", "value": "2", "period": {"end": "2026-01-01"}},
                {"system": "email", "value": "3", "period": {"end": "soon"}}],
            "contact": [
                {"name": {"family": "Gone"}, "period": {"end": "2020"}},
                {"name": {"family": "Here"}}],
        });
        let person = Person::of(&patient, AT);
        let found = [
            &person.name,
            &person.identifier,
            &person.phone,
            &person.email,
            &person.contact,
        ];
        assert_eq!(found, ["Now", "now", "2", "3", "Here"]);
        // Earlier it held.
        let earlier = At { instant: 0, ..AT };
        assert_eq!(Person::of(&patient, earlier).name, "Before");
    }
}
