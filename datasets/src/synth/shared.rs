//! What patients share: organizations, their locations and practitioners. How many there are
//! follows from the number of patients, so that any patient can be made without the others.

use super::calendar::{Moment, day_of, push_moment};
use super::codes::names::{BOYS, FAMILY, GIRLS, STREETS, TOWNS};
use super::json::{push_int, push_string};
use super::rng::Rng;
use super::{ResourceSink, SynthOptions};

/// Practitioners at each organization.
pub(super) const DOCTORS: u32 = 6;
/// Random stream of the shared resources.
const STREAM: u64 = 2;

/// Organizations for a population: one for each 2,500 patients, 3 to 400.
pub(super) fn organizations(options: &SynthOptions) -> u32 {
    (options.patients / 2500).clamp(3, 400) as u32
}

/// `{"reference":"Organization/org-3","display":…}`.
pub(super) fn organization(out: &mut String, number: u32) {
    out.push_str("{\"reference\":\"Organization/org-");
    push_int(out, i64::from(number));
    out.push_str("\",\"display\":\"Tandem Health Center ");
    push_int(out, i64::from(number));
    out.push_str("\"}");
}

/// Who pays for a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payer {
    Medicare,
    Medicaid,
    Commercial,
    None,
}

/// Payers: code within the id, name.
const PAYERS: [(&str, &str); 3] = [
    ("medicare", "Medicare"),
    ("medicaid", "Medicaid"),
    ("commercial", "Commercial health plan"),
];

/// Id part and name of a payer; self pay has no organization and stands for the commercial one.
pub(super) fn payer(payer: Payer) -> (&'static str, &'static str) {
    let [medicare, medicaid, commercial] = PAYERS;
    match payer {
        Payer::Medicare => medicare,
        Payer::Medicaid => medicaid,
        Payer::Commercial | Payer::None => commercial,
    }
}

/// Reference to practitioner `doctor` of an organization.
pub(super) fn practitioner(out: &mut String, organization: u32, doctor: u32) {
    out.push_str("{\"reference\":\"Practitioner/prac-");
    push_int(out, i64::from(organization));
    out.push('-');
    push_int(out, i64::from(doctor));
    out.push_str("\"}");
}

/// Reference to the clinic or the hospital of an organization.
pub(super) fn location(out: &mut String, organization: u32, hospital: bool) {
    out.push_str("{\"reference\":\"Location/loc-");
    push_int(out, i64::from(organization));
    out.push_str(if hospital { "-2" } else { "-1" });
    out.push_str("\"}");
}

/// Writes every shared resource.
pub(super) fn write(options: &SynthOptions, sink: &mut dyn ResourceSink) {
    // A fixed early day: shared resources are older than anything that refers to them.
    let updated = Moment::at(day_of(options.end.0 - 12, 1, 4), 600);
    let mut line = String::with_capacity(2048);
    for (id, name) in PAYERS {
        open(
            &mut line,
            "Organization",
            "us-core-organization",
            updated,
            |out| {
                out.push_str("payer-");
                out.push_str(id);
            },
        );
        line.push_str(",\"active\":true,\"type\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/organization-type\",\"code\":\"pay\",\"display\":\"Payer\"}]}],\"name\":");
        push_string(&mut line, name);
        line.push('}');
        sink.write("Organization", &line);
    }
    for number in 1..=organizations(options) {
        let mut rng = Rng::new(options.seed, STREAM, u64::from(number));
        let town = rng.pick(&TOWNS).copied().unwrap_or(("Worcester", "01608"));
        let street = rng.pick(&STREETS).copied().unwrap_or("Main Street");
        open(
            &mut line,
            "Organization",
            "us-core-organization",
            updated,
            |out| {
                out.push_str("org-");
                push_int(out, i64::from(number));
            },
        );
        line.push_str(
            ",\"identifier\":[{\"system\":\"http://hl7.org/fhir/sid/us-npi\",\"value\":\"",
        );
        push_int(&mut line, 9_999_000_000 + i64::from(number));
        line.push_str("\"}],\"active\":true,\"type\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/organization-type\",\"code\":\"prov\",\"display\":\"Healthcare Provider\"}]}],\"name\":\"Tandem Health Center ");
        push_int(&mut line, i64::from(number));
        line.push_str(
            "\",\"telecom\":[{\"system\":\"phone\",\"value\":\"508-555-0100\"}],\"address\":[",
        );
        address(&mut line, i64::from(number), street, town);
        line.push_str("]}");
        sink.write("Organization", &line);

        for (place, name) in [(1, "Clinic"), (2, "Hospital")] {
            open(&mut line, "Location", "us-core-location", updated, |out| {
                out.push_str("loc-");
                push_int(out, i64::from(number));
                out.push('-');
                push_int(out, place);
            });
            line.push_str(",\"status\":\"active\",\"name\":\"Tandem ");
            line.push_str(name);
            line.push(' ');
            push_int(&mut line, i64::from(number));
            line.push_str("\",\"mode\":\"instance\",\"type\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-RoleCode\",\"code\":");
            line.push_str(if place == 1 {
                "\"OF\",\"display\":\"Outpatient facility\""
            } else {
                "\"HOSP\",\"display\":\"Hospital\""
            });
            line.push_str("}]}],\"address\":");
            address(&mut line, i64::from(number), street, town);
            line.push_str(",\"managingOrganization\":");
            organization(&mut line, number);
            line.push('}');
            sink.write("Location", &line);
        }

        for doctor in 1..=DOCTORS {
            let female = rng.chance(0.5);
            let given = rng
                .pick(if female { &GIRLS } else { &BOYS })
                .copied()
                .unwrap_or("Maria");
            let family = rng.pick(&FAMILY).copied().unwrap_or("Baker");
            open(
                &mut line,
                "Practitioner",
                "us-core-practitioner",
                updated,
                |out| {
                    out.push_str("prac-");
                    push_int(out, i64::from(number));
                    out.push('-');
                    push_int(out, i64::from(doctor));
                },
            );
            line.push_str(
                ",\"identifier\":[{\"system\":\"http://hl7.org/fhir/sid/us-npi\",\"value\":\"",
            );
            push_int(
                &mut line,
                9_999_100_000 + i64::from(number) * 10 + i64::from(doctor),
            );
            line.push_str("\"}],\"active\":true,\"name\":[{\"use\":\"official\",\"family\":");
            push_string(&mut line, family);
            line.push_str(",\"given\":[");
            push_string(&mut line, given);
            line.push_str("],\"prefix\":[\"Dr.\"]}],\"gender\":\"");
            line.push_str(if female { "female\"}" } else { "male\"}" });
            sink.write("Practitioner", &line);
        }
    }
}

fn open(line: &mut String, kind: &str, profile: &str, updated: Moment, id: impl Fn(&mut String)) {
    line.clear();
    line.push_str("{\"resourceType\":\"");
    line.push_str(kind);
    line.push_str("\",\"id\":\"");
    id(line);
    line.push_str("\",\"meta\":{\"versionId\":\"1\",\"lastUpdated\":\"");
    push_moment(line, updated);
    line.push_str("\",\"profile\":[\"http://hl7.org/fhir/us/core/StructureDefinition/");
    line.push_str(profile);
    line.push_str("\"]}");
}

fn address(line: &mut String, house: i64, street: &str, town: (&str, &str)) {
    line.push_str("{\"line\":[\"");
    push_int(line, house);
    line.push(' ');
    line.push_str(street);
    line.push_str("\"],\"city\":");
    push_string(line, town.0);
    line.push_str(",\"state\":\"MA\",\"postalCode\":\"");
    line.push_str(town.1);
    line.push_str("\",\"country\":\"US\"}");
}
