//! An entry of the audit log as a FHIR R4 AuditEvent (<https://hl7.org/fhir/R4/auditevent.html>).

use serde_json::{Map, Value, json};

use super::entry::{AuditEntry, AuditKind};
use super::read::StoredEntry;

/// Codes of R4's own value sets.
const EVENT: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
const SOURCE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
const ENTITY: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const PURPOSE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// The detail of an entry that says why somebody asked: a code of v3 PurposeOfUse.
const PURPOSE_DETAIL: &str = "purpose";

/// Names of hooks.
const HOOKS: &str = "https://cds-hooks.hl7.org/hooks";

/// Our own kinds of entry, where R4 has none.
const OWN: &str = "https://tandem-cds.dev/audit-kind";

/// The AuditEvent of an entry. `site` names where the service runs (`source.site`), if that is known.
///
/// The patient is an entity of its own, and so is each service with what was asked (`query`); the rules
/// with their versions and outcomes, consent, hashes and the place in the chain are details of the service.
pub fn audit_event(stored: &StoredEntry, site: Option<&str>) -> Value {
    let entry = &stored.entry;
    let mut event = Map::new();
    let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
    put("resourceType", "AuditEvent".into());
    if is_id(&entry.id) {
        put("id", entry.id.as_str().into());
    }
    put("type", kind(entry));
    put("subtype", subtype(entry));
    put("action", action(entry.kind).into());
    put("recorded", entry.at.to_string().into());
    put("outcome", outcome(entry.status).into());
    if let Some(told) = entry.outcome.as_deref().filter(|told| !told.is_empty()) {
        put("outcomeDesc", told.into());
    }
    // Why somebody asked is known where they said so.
    let purpose = entry
        .details
        .iter()
        .find(|(name, _)| name == PURPOSE_DETAIL);
    let purpose = purpose.map(|(_, code)| code.trim());
    if let Some(code) =
        purpose.filter(|code| !code.is_empty() && !code.contains(char::is_whitespace))
    {
        let coding = json!([{ "system": PURPOSE, "code": code }]);
        put("purposeOfEvent", json!([{ "coding": coding }]));
    }
    put("agent", agents(entry).into());
    let mut source = Map::new();
    if let Some(site) = site.filter(|site| !site.is_empty()) {
        source.insert("site".into(), site.into());
    }
    source.insert("observer".into(), json!({ "display": "Tandem" }));
    let server = json!([{ "system": SOURCE, "code": "4", "display": "Application Server" }]);
    source.insert("type".into(), server);
    put("source", Value::Object(source));
    put("entity", entities(stored).into());
    Value::Object(event)
}

fn kind(entry: &AuditEntry) -> Value {
    match entry.kind {
        AuditKind::Call | AuditKind::Feedback | AuditKind::Explain | AuditKind::Read => {
            json!({ "system": EVENT, "code": "rest", "display": "RESTful Operation" })
        }
        AuditKind::Reload | AuditKind::Purge => {
            json!({ "system": OWN, "code": entry.kind.as_str() })
        }
    }
}

fn subtype(entry: &AuditEntry) -> Value {
    let interaction = match entry.kind {
        AuditKind::Call => "operation",
        AuditKind::Feedback => "create",
        AuditKind::Explain | AuditKind::Read => "read",
        AuditKind::Reload => "update",
        AuditKind::Purge => "delete",
    };
    let mut all = vec![
        json!({ "system": INTERACTION, "code": interaction, "display": interaction }),
        json!({ "system": OWN, "code": entry.kind.as_str() }),
    ];
    // A code has no blanks at its ends, and something in it.
    let hook = entry
        .hook
        .as_deref()
        .map(str::trim)
        .filter(|hook| !hook.is_empty());
    all.extend(hook.map(|hook| json!({ "system": HOOKS, "code": hook })));
    all.into()
}

fn action(kind: AuditKind) -> &'static str {
    match kind {
        AuditKind::Call => "E",
        AuditKind::Feedback => "C",
        AuditKind::Explain | AuditKind::Read => "R",
        AuditKind::Reload => "U",
        AuditKind::Purge => "D",
    }
}

/// Success, minor failure (the caller's), serious failure (ours).
fn outcome(status: u16) -> &'static str {
    match status {
        0..400 => "0",
        400..500 => "4",
        _ => "8",
    }
}

/// Exactly one agent asked: the user if one is known, else the client, else somebody unknown.
fn agents(entry: &AuditEntry) -> Vec<Value> {
    let mut agents = vec![];
    let subject = entry.subject.as_deref().filter(|s| !s.is_empty());
    let client = entry.client.as_deref().filter(|c| !c.is_empty());
    if let Some(subject) = subject {
        let mut agent = Map::new();
        agent.insert("who".into(), reference(subject));
        if !entry.roles.is_empty() {
            let roles = entry.roles.iter().filter(|role| !role.trim().is_empty());
            let roles: Vec<Value> = roles.map(|role| json!({ "text": role })).collect();
            if !roles.is_empty() {
                agent.insert("role".into(), roles.into());
            }
        }
        agent.insert("requestor".into(), true.into());
        agents.push(Value::Object(agent));
    }
    if let Some(client) = client {
        agents.push(json!({
            "who": { "identifier": { "value": client } },
            "name": client,
            "requestor": subject.is_none(),
        }));
    }
    if agents.is_empty() {
        agents.push(json!({ "name": "not known", "requestor": true }));
    }
    agents
}

/// A reference where it is one, else an identifier.
fn reference(text: &str) -> Value {
    let parts = text.split_once('/');
    let is_reference = parts.is_some_and(|(ty, id)| {
        ty.starts_with(|c: char| c.is_ascii_uppercase())
            && ty.bytes().all(|b| b.is_ascii_alphanumeric())
            && is_id(id)
    });
    match is_reference {
        true => json!({ "reference": text }),
        false => json!({ "identifier": { "value": text } }),
    }
}

/// FHIR's `id`.
fn is_id(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

fn entities(stored: &StoredEntry) -> Vec<Value> {
    let entry = &stored.entry;
    let mut all = vec![];
    if let Some(patient) = entry.patient.as_deref().filter(|p| !p.is_empty()) {
        let what = match is_id(patient) {
            true => json!({ "reference": format!("Patient/{patient}") }),
            false => json!({ "identifier": { "value": patient } }),
        };
        all.push(json!({
            "what": what,
            "type": { "system": ENTITY, "code": "1", "display": "Person" },
            "role": { "system": ROLE, "code": "1", "display": "Patient" },
        }));
    }
    let detail = details(stored);
    let service = |query: String| {
        json!({
            "type": { "system": ENTITY, "code": "2", "display": "System Object" },
            "role": { "system": ROLE, "code": "24", "display": "Query" },
            "query": base64(query.as_bytes()),
            "detail": detail,
        })
    };
    match entry.services.is_empty() {
        true => all.push(json!({
            "type": { "system": ENTITY, "code": "2", "display": "System Object" },
            "name": entry.kind.as_str(),
            "detail": detail,
        })),
        false => all.extend(entry.services.iter().map(|id| service(query(entry, id)))),
    }
    all
}

/// What was asked, as a line of HTTP, with the hook and the hook instance.
fn query(entry: &AuditEntry, service: &str) -> String {
    let (method, end) = match entry.kind {
        AuditKind::Feedback => ("POST", "/feedback"),
        AuditKind::Explain => ("GET", "/explain"),
        _ => ("POST", ""),
    };
    let mut out = format!("{method} /cds-services/{service}{end}");
    for (name, value) in [
        ("hook", &entry.hook),
        ("hookInstance", &entry.hook_instance),
    ] {
        if let Some(value) = value {
            out.push_str(&format!(" {name}={value}"));
        }
    }
    out
}

fn details(stored: &StoredEntry) -> Vec<Value> {
    let entry = &stored.entry;
    let mut all = vec![];
    let mut put = |name: &str, value: &str| {
        // A string of FHIR is not empty.
        if !value.trim().is_empty() {
            all.push(json!({ "type": name, "valueString": value }));
        }
    };
    for run in &entry.rules {
        let (rule, version) = (&run.rule, &run.version);
        let outcome = run.outcome.as_str();
        put(
            "rule",
            &format!(
                "{rule}|{version} {outcome}, cards: {}, sha256: {}",
                run.cards, run.hash
            ),
        );
    }
    put("tenant", &entry.tenant);
    let optional = [
        ("consent", &entry.consent),
        ("rule-set", &entry.rule_set),
        ("configuration", &entry.configuration),
        ("request-sha256", &entry.request_hash),
        ("response-sha256", &entry.response_hash),
    ];
    for (name, value) in optional {
        put(name, value.as_deref().unwrap_or_default());
    }
    for (name, value) in &entry.details {
        put(name, value);
    }
    if entry.status > 0 {
        put("http-status", &entry.status.to_string());
    }
    put("chain", &stored.head.to_string());
    all
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let at = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4_usize {
            let digit = word >> (18 - 6 * place) & 63;
            let digit = DIGITS.get(usize::try_from(digit).unwrap_or(0));
            out.push(match place <= chunk.len() {
                true => digit.copied().map_or('=', char::from),
                false => '=',
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_standard() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ];
        for (text, expected) in cases {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }
}
