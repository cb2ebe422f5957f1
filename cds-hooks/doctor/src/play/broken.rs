//! A client that sends drafts which are not valid FHIR, and members that nobody knows: as real ones do.

use serde_json::{Value, json};

use super::{Doctor, as_found, is_answered, is_failure, is_known_or_unknown, is_refusal};
use crate::chart::{context, drafts};
use crate::check::{
    AUTHORIZATION, BROKEN_DRAFTS, EXTENSION, MISSING, OTHER_PATIENT, UNKNOWN_MEMBERS, WRONG_HOOK,
    WRONG_TYPES,
};
use crate::http::{status, told};
use crate::judge::discovery::Service;

impl Doctor<'_> {
    /// All of it, for one service.
    pub(crate) async fn broken_client(&mut self, service: &Service) {
        self.broken_drafts(service).await;
        self.unknown(service).await;
        self.missing(service).await;
        self.wrong_types(service).await;
        self.wrong_hook(service).await;
        self.authorization(service).await;
    }

    async fn broken_drafts(&mut self, service: &Service) {
        let Some(member) = context::drafts_member(&service.hook) else {
            return self.broken_resource(service).await;
        };
        let orders = member != "appointments" && member != "conditions";
        for (what, bundle) in drafts::broken(&self.chart) {
            // Drafts of another type than the hook's are a case of their own.
            if !orders && !what.contains("Bundle") && !what.contains("entry") {
                continue;
            }
            let mut call = self.call(service, &as_found);
            let entries = bundle.get("entry").and_then(Value::as_array).cloned();
            let resources = entries.unwrap_or_default();
            call.drafts = resources
                .iter()
                .filter_map(|e| e.get("resource").cloned())
                .collect();
            let selected = drafts::references(&call.drafts);
            if let Some(context) = call.context() {
                context.insert(member.to_owned(), bundle);
                if context.contains_key("selections") && !selected.is_empty() {
                    context.insert("selections".to_owned(), json!(selected));
                }
            }
            let place = format!("POST {}: {what}", service.id);
            let (came, _) = self.cards(&call, &place).await;
            let fits = is_answered(&came);
            self.book
                .judge(&BROKEN_DRAFTS, fits, &place, || told(&came));
        }
        if service.hook == "order-select" {
            for (what, selections) in [
                (
                    "a selection that names no draft",
                    json!(["MedicationRequest/doctor-nothing"]),
                ),
                ("a selection by id alone", json!(["doctor-draft1"])),
            ] {
                let mut call = self.call(service, &as_found);
                if let Some(context) = call.context() {
                    context.insert("selections".to_owned(), selections);
                }
                let place = format!("POST {}: {what}", service.id);
                let (came, _) = self.cards(&call, &place).await;
                let fits = is_answered(&came);
                self.book
                    .judge(&BROKEN_DRAFTS, fits, &place, || told(&came));
            }
        }
    }

    /// Of a hook whose context carries one resource.
    async fn broken_resource(&mut self, service: &Service) {
        let member = match service.hook.as_str() {
            "allergyintolerance-create" => "allergyIntolerance",
            "medication-verify" => "medication",
            _ => return,
        };
        for (what, name, value) in [
            ("an empty code", "code", json!({})),
            ("`coding: [{}]`", "code", json!({"coding": [{}]})),
            (
                "a medication without content",
                "medicationCodeableConcept",
                json!({}),
            ),
            ("a list that is empty", "category", json!([])),
        ] {
            let mut call = self.call(service, &as_found);
            let resource = call.context().and_then(|c| c.get_mut(member));
            if let Some(members) = resource.and_then(Value::as_object_mut) {
                members.insert(name.to_owned(), value);
            }
            let place = format!("POST {}: {what}", service.id);
            let (came, _) = self.cards(&call, &place).await;
            let fits = is_answered(&came);
            self.book
                .judge(&BROKEN_DRAFTS, fits, &place, || told(&came));
        }
    }

    async fn unknown(&mut self, service: &Service) {
        let mut cases = vec![];
        for (parent, name, value) in Self::unknown_members() {
            let mut call = self.call(service, &as_found);
            match parent {
                "" => call = call.with(name, value),
                _ => {
                    if let Some(context) = call.context() {
                        context.insert(name.to_owned(), value);
                    }
                }
            }
            let whole = if parent.is_empty() {
                name.to_owned()
            } else {
                format!("{parent}.{name}")
            };
            cases.push((&UNKNOWN_MEMBERS, format!("`{whole}`"), call));
        }
        for (what, extension) in [
            (
                "of a vendor",
                json!({"com.example.ehr": {"release": "2026.2"}}),
            ),
            ("that is empty", json!({})),
            (
                "of Da Vinci CRD",
                json!({"davinci-crd.configuration": {"max-cards": 5}}),
            ),
        ] {
            let call = self.call(service, &as_found).with("extension", extension);
            cases.push((&EXTENSION, format!("an `extension` {what}"), call));
        }
        let mut call = self.call(service, &as_found);
        if let Some(context) = call.context() {
            context.insert("extension".to_owned(), json!({"com.example.ehr": 1}));
        }
        cases.push((&EXTENSION, "an `extension` of the context".to_owned(), call));
        for (check, what, call) in cases {
            let place = format!("POST {}: {what}", service.id);
            let whole = call.whole;
            let (came, _) = self.cards(&call, &place).await;
            let fits = is_answered(&came) || (!whole && status(&came) == 412);
            self.book.judge(check, fits, &place, || told(&came));
        }
    }

    async fn missing(&mut self, service: &Service) {
        let mut cases = vec![];
        for name in ["hook", "hookInstance", "context"] {
            let call = self.call(service, &as_found).without(name);
            cases.push((format!("without `{name}`"), call));
        }
        let known = context::of(&service.hook);
        let required = known.map_or(&["patientId"][..], |known| known.required);
        for name in required {
            let mut call = self.call(service, &as_found);
            if let Some(context) = call.context() {
                context.remove(*name);
            }
            cases.push((format!("without `context.{name}`"), call));
        }
        let empty = self.call(service, &as_found).with("context", json!({}));
        cases.push(("with an empty context".to_owned(), empty));
        for (what, call) in cases {
            let came = self.place(&call).await;
            let place = format!("POST {}: {what}", service.id);
            self.book
                .judge(&MISSING, is_refusal(&came), &place, || told(&came));
        }
    }

    /// Each member in turn, with each type that it should not have.
    async fn wrong_types(&mut self, service: &Service) {
        let call = self.call(service, &as_found);
        let members = |value: &Value| -> Vec<String> {
            value
                .as_object()
                .map_or_else(Vec::new, |m| m.keys().cloned().collect())
        };
        let mut paths: Vec<Vec<String>> =
            members(&call.body).into_iter().map(|m| vec![m]).collect();
        let context = call.body.get("context").map(members).unwrap_or_default();
        paths.extend(context.into_iter().map(|m| vec!["context".to_owned(), m]));
        for name in ["fhirServer", "fhirAuthorization", "extension"] {
            paths.push(vec![name.to_owned()]);
        }
        let values = [
            json!(7),
            json!(true),
            json!("text"),
            json!([]),
            json!([1]),
            json!({}),
            json!({"a": 1}),
            json!(null),
            json!(""),
            json!(1.5e300),
        ];
        for path in &paths {
            for value in &values {
                let mut body = call.body.clone();
                let (last, parents) = match path.split_last() {
                    Some(split) => split,
                    None => continue,
                };
                let parent = parents
                    .iter()
                    .try_fold(&mut body, |at, name| at.get_mut(name));
                if let Some(members) = parent.and_then(Value::as_object_mut) {
                    members.insert(last.clone(), value.clone());
                }
                let came = self.post(&format!("/{}", service.id), &body).await;
                let place = format!("POST {}: `{}` is {value}", service.id, path.join("."));
                // What cannot be called at all is refused; the rest may be passed over.
                let essential =
                    matches!(path.as_slice(), [one] if one == "hook" || one == "context");
                let fits = match essential {
                    true => is_refusal(&came),
                    false => !is_failure(&came),
                };
                self.book.judge(&WRONG_TYPES, fits, &place, || told(&came));
            }
        }
    }

    async fn wrong_hook(&mut self, service: &Service) {
        // One that shares its id with the service is no wrong hook.
        for hook in ["org.example.nobody-asks", "Patient-View", "no-such-hook"] {
            let call = self.call(service, &as_found).with("hook", json!(hook));
            let came = self.place(&call).await;
            let place = format!("POST {}: hook `{hook}`", service.id);
            self.book
                .judge(&WRONG_HOOK, is_refusal(&came), &place, || told(&came));
        }
    }

    async fn authorization(&mut self, service: &Service) {
        let server = match &self.server {
            Some(server) => server.base.clone(),
            None => "https://ehr.example/fhir".to_owned(),
        };
        for scope in [
            "patient/*.read user/Observation.read",
            "patient/Observation.rs user/*.rs launch",
        ] {
            let token = self.authorization_of(scope);
            let call = self.call(service, &as_found);
            let call = call
                .with("fhirServer", json!(server))
                .with("fhirAuthorization", token);
            let place = format!("POST {}: scope `{scope}`", service.id);
            let (came, _) = self.cards(&call, &place).await;
            let fits = is_known_or_unknown(&came);
            self.book
                .judge(&AUTHORIZATION, fits, &place, || told(&came));
        }
        let mut token = self.authorization_of("patient/*.rs");
        if let Some(members) = token.as_object_mut() {
            members.insert("patient".to_owned(), json!("doctor-other"));
        }
        let call = self.call(service, &as_found);
        let call = call
            .with("fhirServer", json!(server))
            .with("fhirAuthorization", token);
        let came = self.place(&call).await;
        let place = format!("POST {}", service.id);
        self.book
            .judge(&OTHER_PATIENT, is_refusal(&came), &place, || told(&came));
        // cds-r-1: without a server it is of no use; what else comes of it is the service's to say.
        let token = self.authorization_of("patient/*.rs");
        let call = self
            .call(service, &as_found)
            .with("fhirAuthorization", token);
        let came = self.place(&call).await;
        let place = format!("{place}: `fhirAuthorization` without `fhirServer`");
        self.book
            .judge(&AUTHORIZATION, !is_failure(&came), &place, || told(&came));
    }

    /// An authorization for the chart's patient.
    pub(crate) fn authorization_of(&self, scope: &str) -> Value {
        json!({
            "access_token": super::ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300,
            "scope": scope, "subject": "doctor", "patient": self.chart.patient,
        })
    }
}
