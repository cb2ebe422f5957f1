//! A CDS Hooks request, checked: everything that is wrong with it is said at once.
//!
//! What a call must have is asked for (400). What it may have, and what is written otherwise than the
//! specification has it but can mean one thing only, is taken as far as it can be understood; what cannot
//! is passed over, and told in the log.

use engine_patient::bundle::server_key;
use serde_json::value::RawValue;

use crate::hook::{Form, Hook};
use crate::host::is_host;
use crate::json::{Body, Members, Prefetch, string};
use crate::prefetch::Patient;
use crate::refusal::Refusal;

/// What a service needs of a request. Members it does not know are passed over.
pub(crate) struct HookRequest<'a> {
    pub(crate) hook_instance: String,
    pub(crate) patient: Patient,
    pub(crate) context: CallContext<'a>,
    pub(crate) prefetch: Vec<(String, &'a RawValue)>,
    /// What was there and could not be understood: names of members, never values.
    pub(crate) passed_over: Vec<String>,
}

/// What the context of a call holds beside the patient.
#[derive(Default)]
pub(crate) struct CallContext<'a> {
    /// `Practitioner/1`; `None` where the call names nobody in that form.
    pub(crate) user: Option<String>,
    pub(crate) encounter: Option<String>,
    /// A Bundle.
    pub(crate) drafts: Option<&'a RawValue>,
    /// As they came; the empty text for one that is no text.
    pub(crate) selections: Option<Vec<String>>,
}

impl<'a> HookRequest<'a> {
    /// Reads a body for a service of this hook.
    pub(crate) fn read(body: &'a [u8], hook: &Hook) -> Result<Self, Refusal> {
        let body = Body::of(body)?;
        let mut check = Check::default();
        let mut request = check.request(body, hook);
        request.passed_over = std::mem::take(&mut check.passed_over);
        if check.missing.is_empty() && check.wrong.is_empty() {
            return Ok(request);
        }
        let mut said = vec![];
        if !check.missing.is_empty() {
            said.push(format!("missing: {}", check.missing.join(", ")));
        }
        said.extend(check.wrong);
        Err(Refusal::Invalid(said))
    }
}

/// What is wrong, collected.
#[derive(Default)]
struct Check {
    missing: Vec<String>,
    wrong: Vec<String>,
    passed_over: Vec<String>,
}

impl Check {
    fn request<'a>(&mut self, body: Body<'a>, expected: &Hook) -> HookRequest<'a> {
        let members = &body.members;
        let hook = self.text(members, "", "hook", "a string", |hook| !hook.is_empty());
        if !hook.is_empty() && hook != expected.name {
            self.wrong.push(format!(
                "this service answers the hook `{}`, not another",
                expected.name
            ));
        }
        let uuid = "a UUID such as `d1577c69-dfbe-44ad-ba6d-3e05e953b2ea`";
        let is_name = |text: &str| !text.is_empty();
        let hook_instance = self.text(members, "", "hookInstance", uuid, is_name);
        if is_name(&hook_instance) && !is_uuid(&hook_instance) {
            // It only tells calls apart, which any text does.
            self.pass_over("", "hookInstance", uuid);
        }
        let context = match (self.object(members, "context"), members.get("context")) {
            (None, None) => {
                self.missing.push("`context`".to_owned());
                Some(Members::default())
            }
            // Of one that cannot be read nothing is missing.
            (context, _) => context,
        };
        let (id, context) = match context {
            Some(members) => self.context(&members, expected),
            None => (String::new(), CallContext::default()),
        };
        let server = self.server(members, &id);
        let prefetch = match body.prefetch {
            Prefetch::Object(members) => members.0,
            Prefetch::Absent => vec![],
            Prefetch::Wrong => {
                self.wrong.push(
                    "`prefetch` must be an object with the keys of `/cds-services` (`{}` where nothing is sent)"
                        .to_owned(),
                );
                vec![]
            }
            Prefetch::Twice => {
                self.wrong.push(twice("prefetch"));
                vec![]
            }
        };
        HookRequest {
            hook_instance,
            patient: Patient { id, server },
            context,
            prefetch,
            passed_over: vec![],
        }
    }

    /// The members that the hook's context has; the patient's id first.
    fn context<'a>(&mut self, members: &Members<'a>, hook: &Hook) -> (String, CallContext<'a>) {
        const USER: &str = "a reference such as `Practitioner/123`";
        let (mut id, mut found) = (String::new(), CallContext::default());
        for field in hook.context {
            let (name, path) = (field.name, "context.");
            let Some(raw) = members.get(name) else {
                if field.is_required {
                    self.missing.push(format!("`{path}{name}`"));
                }
                continue;
            };
            match field.form {
                Form::Patient => {
                    const ID: &str = "a FHIR id such as `123`";
                    let form = |text: &str| is_id(bare(text, "Patient"));
                    let text = self.text(members, path, name, ID, form);
                    id = bare(&text, "Patient").to_owned();
                }
                Form::User => {
                    let user = self.text(members, path, name, USER, |text| !text.is_empty());
                    found.user = Some(user).filter(|user| is_reference(user));
                    if found.user.is_none() {
                        self.pass_over(path, name, USER);
                    }
                }
                Form::Encounter => {
                    let text = string(raw);
                    let of = |text: &String| Some(bare(text, "Encounter")).filter(|id| is_id(id)).map(str::to_owned);
                    found.encounter = text.as_ref().and_then(of);
                    // An empty one is none.
                    if found.encounter.is_none() && text.as_deref() != Some("") {
                        self.pass_over(path, name, "a FHIR id such as `123`");
                    }
                }
                Form::Drafts => {
                    found.drafts = Some(raw);
                    let flaw = bundle_flaw(raw);
                    let flaw = flaw.map(|flaw| format!("`{path}{name}` must be {flaw}"));
                    self.wrong.extend(flaw);
                }
                Form::Selections => match selections(raw) {
                    Some(selections) => found.selections = Some(selections),
                    None => self.wrong.push(format!(
                        "`{path}{name}` must be a list of references such as `[\"MedicationRequest/123\"]`"
                    )),
                },
            }
        }
        (id, found)
    }

    fn pass_over(&mut self, path: &str, name: &str, form: &str) {
        self.passed_over
            .push(format!("`{path}{name}` is not {form}"));
    }

    /// `fhirServer`, without which there must be no `fhirAuthorization` (cds-r-1).
    fn server(&mut self, members: &Members<'_>, patient: &str) -> Option<String> {
        let server = members
            .get("fhirServer")
            .filter(|raw| raw.get() != "\"\"")
            .map(|raw| string(raw).filter(|url| is_base(url)));
        if server == Some(None) {
            self.wrong
                .push("`fhirServer` must be an absolute http or https URL such as `https://ehr.example/fhir`".to_owned());
        }
        if let Some(authorization) = self.object(members, "fhirAuthorization") {
            if server.is_none() {
                self.missing
                    .push("`fhirServer` (there is a `fhirAuthorization`)".to_owned());
            }
            let text = match authorization.get("patient").map(string) {
                Some(None) => Some("`fhirAuthorization.patient` must be a string"),
                Some(Some(granted)) if granted != patient => {
                    Some("`fhirAuthorization.patient` is not `context.patientId`")
                }
                _ => None,
            };
            self.wrong.extend(text.map(str::to_owned));
        }
        server.flatten().map(|url| server_key(&url).into_owned())
    }

    /// A member that must be there, a string, and of a form. Empty where it is not.
    fn text(
        &mut self,
        members: &Members<'_>,
        path: &str,
        name: &str,
        form: &str,
        fits: impl Fn(&str) -> bool,
    ) -> String {
        let Some(raw) = members.get(name) else {
            self.missing.push(format!("`{path}{name}`"));
            return String::new();
        };
        match string(raw).filter(|text| fits(text)) {
            Some(text) => text,
            None => {
                self.wrong.push(format!("`{path}{name}` must be {form}"));
                String::new()
            }
        }
    }

    /// A member that must be an object if it is there.
    fn object<'a>(&mut self, members: &Members<'a>, name: &str) -> Option<Members<'a>> {
        let raw = members.get(name)?;
        let object = Members::of(raw);
        if object.is_none() {
            let is_object = raw.get().starts_with('{');
            self.wrong.push(match is_object {
                true => twice(name),
                false => format!("`{name}` must be an object"),
            });
        }
        object
    }
}

/// An id that may stand behind its type.
fn bare<'t>(text: &'t str, ty: &str) -> &'t str {
    let id = text
        .strip_prefix(ty)
        .and_then(|rest| rest.strip_prefix('/'));
    id.unwrap_or(text)
}

/// What is selected: a list of texts, or one. What is no text in the list may be a Reference, and names
/// nothing otherwise.
fn selections(raw: &RawValue) -> Option<Vec<String>> {
    if let Some(one) = string(raw) {
        return Some(
            Some(one)
                .filter(|one| !one.is_empty())
                .into_iter()
                .collect(),
        );
    }
    let all: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
    let of = |one: &RawValue| {
        let reference = || Members::of(one)?.get("reference").and_then(string);
        string(one).or_else(reference).unwrap_or_default()
    };
    Some(all.into_iter().map(of).collect())
}

/// What a text that should be a Bundle is not. Its entries are looked at later, and may be anything.
fn bundle_flaw(raw: &RawValue) -> Option<&'static str> {
    const BUNDLE: &str = "a FHIR Bundle with the drafts as its entries";
    let Some(bundle) = Members::of(raw) else {
        return Some(match raw.get().starts_with('{') {
            true => "an object in which no member occurs twice",
            false => BUNDLE,
        });
    };
    let is_bundle = bundle.get("resourceType").and_then(string).as_deref() == Some("Bundle");
    let entries = bundle.get("entry");
    let fits = entries.is_none_or(|raw| raw.get().starts_with(['[', '{']));
    (!is_bundle || !fits).then_some(BUNDLE)
}

fn twice(name: &str) -> String {
    format!("`{name}` must be an object in which no member occurs twice")
}

/// 8-4-4-4-12 hexadecimal digits: the other forms have other lengths.
fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// A FHIR `id`.
fn is_id(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// `Type/id`.
fn is_reference(text: &str) -> bool {
    text.split_once('/').is_some_and(|(ty, id)| {
        !ty.is_empty() && ty.bytes().all(|b| b.is_ascii_alphabetic()) && is_id(id)
    })
}

/// The base URL of a FHIR server. Plain http is taken: the server is never contacted, and trials on one
/// machine have no certificate.
fn is_base(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let http = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let authority = rest.split('/').next().unwrap_or("");
    let legal = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}?#".contains(&b);
    // A user name has no business in it: what looks like the host would not be it.
    http && is_host(authority.as_bytes()) && rest.bytes().all(legal)
}
