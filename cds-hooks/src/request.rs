//! A CDS Hooks request, checked: everything that is wrong with it is said at once.
//!
//! What a call must have is asked for (400). What it may have, and what is written otherwise than the
//! specification has it but can mean one thing only, is taken as far as it can be understood; what cannot
//! is passed over, and told in the log.

use std::borrow::Cow;

use engine_patient::bundle::server_key;
use serde_json::value::RawValue;

use crate::configuration::Options;
use crate::hook::{Form, Hook};
use crate::host::is_host;
use crate::json::{Body, Members, Prefetch, string};
use crate::prefetch::Patient;
use crate::refusal::Refusal;
use crate::seams::{Authorization, Secret};

/// What a service needs of a request. Members it does not know are passed over.
pub(crate) struct HookRequest<'a> {
    pub(crate) hook_instance: String,
    pub(crate) patient: Patient,
    pub(crate) context: CallContext<'a>,
    pub(crate) prefetch: Vec<(String, &'a RawValue)>,
    /// `fhirServer` as it came.
    pub(crate) server: Option<String>,
    /// `fhirAuthorization`, where it has a token.
    pub(crate) authorization: Option<Authorization>,
    /// How the client wants to be answered.
    pub(crate) options: Options,
    /// What was there and could not be understood: names of members, never values.
    pub(crate) passed_over: Vec<String>,
}

/// What the context of a call holds beside the patient.
#[derive(Default)]
pub(crate) struct CallContext<'a> {
    /// `Practitioner/1`; `None` where the call names nobody in that form.
    pub(crate) user: Option<String>,
    pub(crate) encounter: Option<String>,
    /// A Bundle, and the member of the context that has it.
    pub(crate) drafts: Option<(&'static str, Cow<'a, str>)>,
    /// As they came; the empty text for one that is no text.
    pub(crate) selections: Option<Vec<String>>,
    /// References to orders that are stored already and that the call is about, with the member of the
    /// context that has them; as they came, the empty text for one that is no text.
    pub(crate) stored: Option<(&'static str, Vec<String>)>,
    /// What templates may name, with its value: `context.patientId`.
    pub(crate) tokens: Vec<(String, String)>,
}

impl<'a> HookRequest<'a> {
    /// Reads a body for a service of these hooks; tells which of them it is for.
    pub(crate) fn read(
        body: &'a [u8],
        hooks: &[&'static Hook],
    ) -> Result<(&'static Hook, Self), Refusal> {
        let body = Body::of(body)?;
        let mut check = Check::default();
        let (hook, mut request) = check.request(body, hooks);
        request.passed_over = std::mem::take(&mut check.passed_over);
        if check.missing.is_empty()
            && check.wrong.is_empty()
            && let Some(hook) = hook
        {
            return Ok((hook, request));
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
    fn request<'a>(
        &mut self,
        body: Body<'a>,
        hooks: &[&'static Hook],
    ) -> (Option<&'static Hook>, HookRequest<'a>) {
        let members = &body.members;
        let name = self.text(members, "", "hook", "a string", |hook| !hook.is_empty());
        let meant = hooks.iter().copied().find(|hook| hook.name == name);
        if !name.is_empty() && meant.is_none() {
            let names: Vec<String> = hooks.iter().map(|h| format!("`{}`", h.name)).collect();
            let (s, another) = match names.len() {
                1 => ("", "another"),
                _ => ("s", "others"),
            };
            let names = names.join(", ");
            let said = format!("this service answers the hook{s} {names}, not {another}");
            self.wrong.push(said);
        }
        // Of a service with one hook it is clear what its context must hold.
        let only = || hooks.first().copied().filter(|_| hooks.len() == 1);
        let expected = meant.or_else(only);
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
        let (id, context) = match (context, expected) {
            (Some(members), Some(hook)) => self.context(&members, hook),
            _ => (String::new(), CallContext::default()),
        };
        let (server, authorization) = self.server(members, &id, expected.is_some());
        let options = self.options(members);
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
        let key = server.as_deref().map(|url| server_key(url).into_owned());
        let request = HookRequest {
            hook_instance,
            patient: Patient { id, server: key },
            context,
            prefetch,
            server,
            authorization,
            options,
            passed_over: vec![],
        };
        (expected, request)
    }

    /// What the client's extension asks of the answer. Extensions of others are none of ours.
    fn options(&mut self, members: &Members<'_>) -> Options {
        let extension = members.get("extension").and_then(Members::of);
        let mut options = Options::default();
        if let Some(extension) = extension {
            options.read(&extension, &mut self.wrong, &mut self.passed_over);
        }
        options
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
            let flawed = match field.form {
                Form::Drafts => bundle_flaw(raw),
                Form::Draft => resource_flaw(raw),
                Form::DraftList => list_flaw(raw),
                _ => None,
            };
            // An organization's own hook may mean something else by the name.
            if let Some(flaw) = flawed {
                match hook.is_own() {
                    true => self.pass_over(path, name, flaw),
                    false => self.wrong.push(format!("`{path}{name}` must be {flaw}")),
                }
                continue;
            }
            match field.form {
                Form::Patient => {
                    const ID: &str = "a FHIR id such as `123`";
                    let form = |text: &str| is_id(bare(text, "Patient"));
                    let text = self.text(members, path, name, ID, form);
                    id = bare(&text, "Patient").to_owned();
                }
                Form::User => {
                    let user = match field.is_required {
                        true => self.text(members, path, name, USER, |text| !text.is_empty()),
                        false => string(raw).unwrap_or_default(),
                    };
                    found.user = Some(user).filter(|user| is_reference(user));
                    if found.user.is_none() {
                        self.pass_over(path, name, USER);
                    }
                }
                Form::Encounter => {
                    let text = string(raw);
                    let of = |text: &String| {
                        Some(bare(text, "Encounter"))
                            .filter(|id| is_id(id))
                            .map(str::to_owned)
                    };
                    found.encounter = text.as_ref().and_then(of);
                    // An empty one is none.
                    if found.encounter.is_none() && text.as_deref() != Some("") {
                        self.pass_over(path, name, "a FHIR id such as `123`");
                    }
                    if found.encounter.is_none() && field.is_required {
                        // The call is about it; rules that look at it cannot tell.
                        self.missing.push(format!("`{path}{name}`"));
                    }
                }
                Form::Drafts => {
                    let bundle = (name, Cow::Borrowed(raw.get()));
                    found.drafts.get_or_insert(bundle);
                }
                Form::Draft => {
                    let entry = format!(r#"{{"resource":{}}}"#, raw.get());
                    found.drafts.get_or_insert((name, bundle_of(&[entry])));
                }
                Form::DraftList => {
                    let all = list(raw).unwrap_or_default();
                    let entry = |raw: &&RawValue| format!(r#"{{"resource":{}}}"#, raw.get());
                    let entries: Vec<String> = all.iter().map(entry).collect();
                    found.drafts.get_or_insert((name, bundle_of(&entries)));
                }
                Form::References => match selections(raw) {
                    Some(all) => {
                        let named = all.iter().filter(|one| is_reference(one));
                        let named: Vec<&str> = named.map(String::as_str).collect();
                        if field.is_token && !named.is_empty() {
                            found
                                .tokens
                                .push((format!("{path}{name}"), named.join(",")));
                        }
                        found.stored = Some((name, all));
                    }
                    None => self.wrong.push(references_wanted(path, name)),
                },
                Form::Reference => {
                    const REFERENCE: &str = "a reference such as `Organization/123`";
                    let text =
                        string(raw).or_else(|| Members::of(raw)?.get("reference").and_then(string));
                    match text.filter(|text| is_reference(text)) {
                        Some(text) if field.is_token => {
                            found.tokens.push((format!("{path}{name}"), text));
                        }
                        Some(_) => {}
                        None => self.pass_over(path, name, REFERENCE),
                    }
                }
                Form::Selections => match selections(raw) {
                    Some(selections) => found.selections = Some(selections),
                    None if hook.is_own() => self.pass_over(path, name, REFERENCES),
                    None => self.wrong.push(references_wanted(path, name)),
                },
            }
        }
        found.name_tokens(&id);
        (id, found)
    }

    fn pass_over(&mut self, path: &str, name: &str, form: &str) {
        self.passed_over
            .push(format!("`{path}{name}` is not {form}"));
    }

    /// `fhirServer`, without which there must be no `fhirAuthorization` (cds-r-1), and that. Where the
    /// context could not be read there is no patient to compare with.
    fn server(
        &mut self,
        members: &Members<'_>,
        patient: &str,
        is_read: bool,
    ) -> (Option<String>, Option<Authorization>) {
        let mut granted = None;
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
                Some(Some(granted)) if is_read && bare(&granted, "Patient") != patient => {
                    Some("`fhirAuthorization.patient` is not `context.patientId`")
                }
                _ => None,
            };
            self.wrong.extend(text.map(str::to_owned));
            granted = token(&authorization);
            if granted.is_none() {
                self.pass_over("", "fhirAuthorization", "one with an `access_token`");
            }
        }
        (server.flatten(), granted)
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

impl CallContext<'_> {
    /// What templates may name of it: first-level primitives, and who the user is (CDS Hooks 2.0,
    /// "Prefetch tokens").
    fn name_tokens(&mut self, patient: &str) {
        let mut name = |token: &str, value: &str| {
            if !value.is_empty() {
                self.tokens.push((token.to_owned(), value.to_owned()));
            }
        };
        name("context.patientId", patient);
        name(
            "context.encounterId",
            self.encounter.as_deref().unwrap_or_default(),
        );
        let Some(user) = &self.user else { return };
        name("context.userId", user);
        let (ty, id) = user.split_once('/').unwrap_or_default();
        match ty {
            "Practitioner" => name("userPractitionerId", id),
            "PractitionerRole" => name("userPractitionerRoleId", id),
            "Patient" => name("userPatientId", id),
            "RelatedPerson" => name("userRelatedPersonId", id),
            _ => {}
        }
    }
}

/// What is granted, where there is a token.
fn token(authorization: &Members<'_>) -> Option<Authorization> {
    let text = |name| authorization.get(name).and_then(string);
    let token = Secret::new(text("access_token")?);
    let seconds = authorization.get("expires_in").map(RawValue::get);
    (!token.is_empty()).then(|| Authorization {
        access_token: token,
        expires_in: seconds.and_then(|s| s.trim_matches('"').parse().ok()),
        scope: text("scope").unwrap_or_default(),
        subject: text("subject").unwrap_or_default(),
        patient: text("patient").map(|id| bare(&id, "Patient").to_owned()),
    })
}

const REFERENCES: &str = "a list of references such as `[\"MedicationRequest/123\"]`";

fn references_wanted(path: &str, name: &str) -> String {
    format!("`{path}{name}` must be {REFERENCES}")
}

fn bundle_of(entries: &[String]) -> Cow<'static, str> {
    let entries = entries.join(",");
    Cow::Owned(format!(
        r#"{{"resourceType":"Bundle","entry":[{entries}]}}"#
    ))
}

/// A list, or the one that stands in its place.
fn list(raw: &RawValue) -> Option<Vec<&RawValue>> {
    match raw.get().starts_with('{') {
        true => Some(vec![raw]),
        false => serde_json::from_str(raw.get()).ok(),
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

/// What should be one resource and is not. What of it is no FHIR is looked at later.
fn resource_flaw(raw: &RawValue) -> Option<&'static str> {
    (!raw.get().starts_with('{')).then_some("a FHIR resource")
}

/// What should be a list of resources and is not. What stands in it is looked at later.
fn list_flaw(raw: &RawValue) -> Option<&'static str> {
    list(raw).is_none().then_some("a list of FHIR resources")
}

fn twice(name: &str) -> String {
    format!("`{name}` must be an object in which no member occurs twice")
}

/// 8-4-4-4-12 hexadecimal digits: the other forms have other lengths.
pub(crate) fn is_uuid(text: &str) -> bool {
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

/// The base URL of a FHIR server. Plain http is taken: trials on one machine have no certificate, and whether
/// the server is contacted is for the data source to say.
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
