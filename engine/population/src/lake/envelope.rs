//! What the lake must know of a resource: whose it is, its identity, its codes, its time.

use engine_patient::bundle::is_id;
use engine_patient::fhir::clinical_time::clinical_time;
use engine_patient::fhir::model::Model;
use engine_patient::fhir::names::Name;
use engine_patient::record::{Age, Element, Kind};
use engine_patient::requirements::{choice, reference_target};
use engine_patient::system::codes;
use engine_patient::system::zone::{EASTERNMOST, WESTERNMOST, Zone};

use super::paths::{CodedPath, PRESENCE, REFERENCE_KEY, coded_paths};

/// A code of a resource, on one of the indexed paths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coded {
    /// Number of the path; [`PRESENCE`] for the resource itself.
    pub path: i16,
    /// 64-bit hash of `system|code`.
    pub key: i64,
}

/// Whose resource it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Owner {
    /// A patient's, by id.
    Patient(String),
    /// Its type is about no patient (Organization, Location, Medication).
    Shared,
    /// Its type is about a patient, but it names none that can be resolved.
    Unlinked,
}

/// Everything the lake's index needs of one resource. Reused: see [`Envelope::read`].
#[derive(Debug)]
pub struct Envelope {
    /// Resource type.
    pub ty: Name,
    /// `id`
    pub id: String,
    /// `meta.versionId` as it came (some servers write an ETag there, `W/"2"`), or empty.
    pub version: String,
    /// What of two versions tells the newer.
    pub age: Age,
    /// Whose it is.
    pub owner: Owner,
    /// First instant of its clinical time, in milliseconds: date-times without an offset may stand
    /// for any zone from +14:00 to −12:00, so these bounds are safe for pruning.
    pub start: Option<i64>,
    /// Last instant of its clinical time; see `start`.
    pub end: Option<i64>,
    /// Its codes; the first is [`PRESENCE`] with the key 0.
    pub codes: Vec<Coded>,
    /// The first code of the primary code path, for clustering.
    pub first_key: i64,
}

/// Why a resource cannot be stored. Repeats no data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EnvelopeError {
    NoId,
    BadId,
    MetaNotObject,
    NotReference(&'static str),
}

impl std::fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoId => write!(f, "no `id`"),
            Self::BadId => write!(f, "`id` is not a FHIR id (1 to 64 of A-Z a-z 0-9 - .)"),
            Self::MetaNotObject => write!(f, "`meta` must be an object"),
            Self::NotReference(e) => write!(f, "`{e}` must be a Reference object"),
        }
    }
}

impl std::error::Error for EnvelopeError {}

/// Told each code that is read: key, system, code, display.
pub type SeeCode<'a> = &'a mut dyn FnMut(i64, &str, &str, Option<&str>);

/// `Patient` and `Group` are asked for on every line: looked up once.
struct Names {
    patient: Name,
    id: Name,
    meta: Name,
}

static NAMES: std::sync::LazyLock<Names> = std::sync::LazyLock::new(|| {
    let name = |text| Name::of(text).unwrap_or(Name::UNKNOWN);
    Names {
        patient: name("Patient"),
        id: name("id"),
        meta: name("meta"),
    }
});

/// A `meta.versionId` of more bytes is not kept as a column.
const LONGEST_VERSION: usize = 256;

/// The widest offsets in use: no zone is beyond them.
static EAST: Zone = Zone::fixed(EASTERNMOST);
static WEST: Zone = Zone::fixed(WESTERNMOST);

impl Envelope {
    /// Reads a resource of this type, its references resolved ([`engine_patient::bundle`]). `see` is
    /// told each code: key, system, code, display.
    pub fn read(
        ty: Name,
        resource: Element<'_>,
        see: SeeCode<'_>,
    ) -> Result<Envelope, EnvelopeError> {
        let id = resource.get(NAMES.id).ok_or(EnvelopeError::NoId)?;
        let id = id.as_str().ok_or(EnvelopeError::BadId)?;
        if !is_id(&id) {
            return Err(EnvelopeError::BadId);
        }
        let mut version = String::new();
        if let Some(meta) = resource.get(NAMES.meta) {
            if meta.kind() != Kind::Object {
                return Err(EnvelopeError::MetaNotObject);
            }
            let text = meta.get_str("versionId");
            version = text
                .filter(|v| v.len() <= LONGEST_VERSION)
                .map(String::from)
                .unwrap_or_default();
        }
        let owner = owner(ty, &id, resource)?;
        let time = clinical_time(ty.as_str(), resource);
        let presence = Coded {
            path: PRESENCE,
            key: 0,
        };
        let mut codes = vec![presence];
        for path in coded_paths(ty) {
            read_path(resource, path, &mut codes, see);
        }
        let primary = Model::r4()
            .resource(ty.as_str())
            .and_then(|t| t.primary_code_path);
        let primary = primary.and_then(|p| super::paths::path_id(ty, p));
        let first = codes
            .iter()
            .find(|c| Some(c.path) == primary && c.key != REFERENCE_KEY);
        Ok(Envelope {
            ty,
            id: id.into_owned(),
            version,
            age: Age::of(resource),
            owner,
            start: time.start.map(|t| t.earliest(&EAST)),
            end: time.end.map(|t| t.latest(&WEST)),
            first_key: first.map_or(0, |c| c.key),
            codes,
        })
    }
}

fn owner(ty: Name, id: &str, resource: Element<'_>) -> Result<Owner, EnvelopeError> {
    if ty == NAMES.patient {
        return Ok(Owner::Patient(id.to_owned()));
    }
    let links = Model::r4()
        .resource(ty.as_str())
        .map_or(&[][..], |t| &t.patient_links);
    if links.is_empty() {
        return Ok(Owner::Shared);
    }
    for link in links {
        let found = resource.get_named(link).or_else(|| choice(resource, link));
        let Some(found) = found else { continue };
        for reference in found.items() {
            if reference.kind() != Kind::Object {
                return Err(EnvelopeError::NotReference(link));
            }
            let Some(text) = reference.get_str("reference") else {
                continue;
            };
            if let Some(patient) = patient_of(&text) {
                return Ok(Owner::Patient(patient));
            }
        }
    }
    Ok(Owner::Unlinked)
}

/// The patient id that a reference names. A URL was resolved before, or is another server's.
fn patient_of(reference: &str) -> Option<String> {
    if let Some(uuid) = reference.strip_prefix("urn:uuid:") {
        // Nothing says what it names: a server's id is often the same uuid.
        return is_id(uuid).then(|| uuid.to_owned());
    }
    let (ty, id) = reference_target(reference)?;
    (ty == "Patient" && is_id(id)).then(|| id.to_owned())
}

fn read_path(resource: Element<'_>, path: &CodedPath, codes: &mut Vec<Coded>, see: SeeCode<'_>) {
    let mut level = vec![resource];
    for names in &path.steps {
        let mut next = vec![];
        for element in level {
            let found = names.iter().filter_map(|n| element.get(*n));
            next.extend(found.flat_map(Element::items));
        }
        level = next;
    }
    for concept in level {
        if let Some(reference) = concept.get_str("reference") {
            let contained = reference
                .strip_prefix('#')
                .and_then(|id| contained(resource, id));
            match contained.and_then(|c| c.get_named("code")) {
                Some(code) => code
                    .items()
                    .for_each(|c| read_concept(c, path.id, codes, see)),
                None => {
                    push(
                        codes,
                        Coded {
                            path: path.id,
                            key: REFERENCE_KEY,
                        },
                    );
                }
            }
        } else {
            read_concept(concept, path.id, codes, see);
        }
    }
}

fn contained<'r>(resource: Element<'r>, id: &str) -> Option<Element<'r>> {
    let all = resource.get_named("contained")?;
    all.items()
        .find(|c| c.get_named("id").is_some_and(|i| i.is_str(id)))
}

fn read_concept(concept: Element<'_>, path: i16, found: &mut Vec<Coded>, see: SeeCode<'_>) {
    for (key, coding) in codes::keyed(concept) {
        if push(found, Coded { path, key }) {
            let part = |name| coding.get_str(name);
            // A plain `code` element has no system of its own.
            let code = coding.as_str().or_else(|| part("code")).unwrap_or_default();
            let system = part("system").unwrap_or_default();
            see(key, &system, &code, part("display").as_deref());
        }
    }
}

fn push(codes: &mut Vec<Coded>, code: Coded) -> bool {
    let new = !codes.contains(&code);
    if new {
        codes.push(code);
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine_patient::record::PatientRecord;

    /// What is no FHIR has the keys that it had in every lake so far: `lake check` compares them.
    #[test]
    fn what_is_no_coding_has_no_key() {
        for (code, wanted) in [
            (
                r#"{"coding":["44054006",{"system":"s","code":"a"}]}"#,
                vec!["s|a"],
            ),
            (
                r#"{"coding":[null,[{"system":"s","code":"a"}],"z"]}"#,
                vec![],
            ),
            (r#"[["x",{"coding":[{"system":"s","code":"a"}]}]]"#, vec![]),
            (
                r#"["x",{"coding":{"system":"s","code":"a"}}]"#,
                vec!["|x", "s|a"],
            ),
        ] {
            let mut record = PatientRecord::new();
            let json = format!(r#"{{"resourceType":"Condition","id":"c","code":{code}}}"#);
            record.push(&json).unwrap();
            let mut seen = vec![];
            let mut see = |_, system: &str, code: &str, _: Option<&str>| {
                seen.push(format!("{system}|{code}"));
            };
            let ty = Name::of("Condition").unwrap();
            let resource = record.resources().next().unwrap();
            let envelope = Envelope::read(ty, resource, &mut see).unwrap();
            assert_eq!(seen, wanted, "{code}");
            assert_eq!(envelope.codes.len(), 1 + wanted.len(), "{code}");
        }
    }
}
