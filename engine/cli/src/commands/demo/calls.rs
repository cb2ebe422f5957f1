//! The calls that a demo ends with: a care gap, an interaction, and a patient who needs nothing. Each
//! answers every prefetch template of its service, as an EHR would.

use std::sync::Arc;

use cds_hooks::{CardService, Hook, ORDER_SIGN, PATIENT_VIEW, Templates};
use engine_patient::system::date_time::DateTime;
use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// The rule whose card is shown.
pub const SHOWN: &str = "hba1c-control";

/// One of the calls.
pub struct SampleCall {
    /// For people.
    pub what: &'static str,
    /// Where its body is written.
    pub file: &'static str,
    rule: &'static str,
    hook: &'static Hook,
    /// The patient's resources, and the drafts.
    chart: fn(&Days) -> (Vec<Value>, Vec<Value>),
}

/// The calls, in the order in which they are shown.
pub const CALLS: [SampleCall; 3] = [
    SampleCall {
        what: "A care gap: the chart of a patient with diabetes is opened, whose last HbA1c was too high",
        file: "patient-view.json",
        rule: SHOWN,
        hook: &PATIENT_VIEW,
        chart: uncontrolled,
    },
    SampleCall {
        what: "An interaction: warfarin is about to be signed for a patient who takes amiodarone",
        file: "order-sign.json",
        rule: "drug-drug-interactions",
        hook: &ORDER_SIGN,
        chart: warfarin,
    },
    SampleCall {
        what: "A healthy patient: no card",
        file: "healthy.json",
        rule: SHOWN,
        hook: &PATIENT_VIEW,
        chart: healthy,
    },
];

/// Times before now.
pub struct Days {
    /// Milliseconds of 1970.
    pub now_ms: i64,
}

impl Days {
    fn ago(&self, days: i64) -> String {
        DateTime::from_utc_millis(self.now_ms - days * 86_400_000, 0).to_string()
    }
}

impl SampleCall {
    /// The service that it is for, among these.
    pub fn service<'s>(
        &self,
        services: &'s [Arc<dyn CardService>],
    ) -> Result<&'s dyn CardService, Failure> {
        // At another hook than its first a rule has the hook in its id.
        let ids = [
            self.rule.to_owned(),
            format!("{}-{}", self.rule, self.hook.name),
        ];
        let fits =
            |s: &&Arc<dyn CardService>| s.hook() == self.hook && ids.contains(&s.id().to_owned());
        let found = services.iter().find(fits).map(AsRef::as_ref);
        let none = || format!("there is no rule `{}` at {}", self.rule, self.hook.name);
        found.ok_or_else(|| Failure::Internal(none()))
    }

    /// The body of the call.
    pub fn body(&self, service: &dyn CardService, now: &Days) -> String {
        let (record, drafts) = (self.chart)(now);
        let of_type = |ty: &str| record.iter().filter(|r| r["resourceType"] == *ty).collect();
        let templates = Templates::of_service(service).list.into_iter();
        let prefetch: Map<String, Value> = templates
            .map(|template| {
                let found: Vec<&Value> = of_type(template.resource_type.as_str());
                let answer = match (template.is_read, found.first()) {
                    (true, Some(patient)) => (*patient).clone(),
                    _ => searchset(&found),
                };
                (template.key, answer)
            })
            .collect();
        let mut context = json!({ "userId": "Practitioner/example", "patientId": "1" });
        if let (Some(field), Some(context)) = (self.hook.drafts(), context.as_object_mut()) {
            let entries: Vec<Value> = drafts.iter().map(|d| json!({ "resource": d })).collect();
            let bundle =
                json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });
            context.insert(field.name.to_owned(), bundle);
        }
        let call = json!({
            "hook": self.hook.name, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": context, "prefetch": prefetch,
        });
        serde_json::to_string_pretty(&call).unwrap_or_default()
    }
}

fn searchset(resources: &[&Value]) -> Value {
    let entry = |r: &&Value| json!({ "resource": r, "search": { "mode": "match" } });
    let entries: Vec<Value> = resources.iter().map(entry).collect();
    json!({ "resourceType": "Bundle", "type": "searchset", "total": entries.len(), "entry": entries })
}

fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code, "display": display }] })
}

fn patient(gender: &str, born: &str) -> Value {
    json!({ "resourceType": "Patient", "id": "1", "gender": gender, "birthDate": born })
}

fn uncontrolled(now: &Days) -> (Vec<Value>, Vec<Value>) {
    let condition = json!({
        "resourceType": "Condition", "id": "c1", "subject": { "reference": "Patient/1" },
        "clinicalStatus": coding("http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"),
        "verificationStatus": coding("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed", "Confirmed"),
        "code": coding("http://hl7.org/fhir/sid/icd-10-cm", "E11.9", "Type 2 diabetes mellitus without complications"),
        "onsetDateTime": "2015-03-01",
    });
    let hba1c = json!({
        "resourceType": "Observation", "id": "o1", "status": "final", "subject": { "reference": "Patient/1" },
        "code": coding("http://loinc.org", "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"),
        "effectiveDateTime": now.ago(40),
        "valueQuantity": { "value": 9.6, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%" },
    });
    (
        vec![patient("female", "1965-04-12"), condition, hba1c],
        vec![],
    )
}

fn warfarin(now: &Days) -> (Vec<Value>, Vec<Value>) {
    const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
    let order = |id: &str, status: &str, medication: Value, at: String| {
        json!({
            "resourceType": "MedicationRequest", "id": id, "status": status, "intent": "order",
            "subject": { "reference": "Patient/1" }, "authoredOn": at,
            "medicationCodeableConcept": medication,
        })
    };
    let taken = coding(
        RXNORM,
        "833528",
        "amiodarone hydrochloride 200 MG Oral Tablet",
    );
    let ordered = coding(RXNORM, "855332", "warfarin sodium 5 MG Oral Tablet");
    (
        vec![
            patient("male", "1950-09-30"),
            order("m1", "active", taken, now.ago(120)),
        ],
        vec![order("draft-1", "draft", ordered, now.ago(0))],
    )
}

fn healthy(_: &Days) -> (Vec<Value>, Vec<Value>) {
    (vec![patient("female", "1990-07-21")], vec![])
}
