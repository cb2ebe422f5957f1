//! Patient.

use super::super::calendar::Moment;
use super::super::json::push_string;
use super::super::shared;
use super::chart::{Chart, Kind};
use super::defect::{Defect, FOR_PATIENT};

impl Chart<'_> {
    /// The Patient resource, as last updated at `at`.
    pub(in super::super) fn patient(&mut self, at: Moment) {
        let person = self.person;
        self.emit(Kind::Patient, "us-core-patient", &FOR_PATIENT, at, |e| {
            e.raw(",\"extension\":[");
            if e.has(Defect::ExtensionUnknown) {
                e.raw("{\"url\":\"https://ehr.example.org/fhir/StructureDefinition/import-batch\",\"valueString\":\"b-17\"},");
            }
            category(e.out, "us-core-race", person.race.0, person.race.1);
            e.raw(",");
            let (code, display) = if person.hispanic {
                ("2135-2", "Hispanic or Latino")
            } else {
                ("2186-5", "Not Hispanic or Latino")
            };
            category(e.out, "us-core-ethnicity", code, display);
            e.raw(",{\"url\":\"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex\",\"valueCode\":\"");
            e.raw(if person.female { "F" } else { "M" });
            e.raw("\"}],\"identifier\":[{\"use\":\"usual\",\"type\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"MR\",\"display\":\"Medical record number\"}],\"text\":\"Medical Record Number\"},\"system\":\"https://hospital.example.org/mrn\",\"value\":\"MRN-");
            e.raw(&person.id);
            e.raw("\"}],\"active\":");
            e.raw(if person.death.is_some() { "false" } else { "true" });
            e.raw(",\"name\":[{\"use\":\"official\",\"family\":");
            e.string(person.family);
            e.raw(",\"given\":[");
            e.string(person.given);
            e.raw("]}],\"telecom\":[{\"system\":\"phone\",\"value\":\"508-555-01");
            e.int(i64::from(person.house % 90 + 10));
            e.raw("\",\"use\":\"home\"}],\"gender\":\"");
            e.raw(if person.female { "female" } else { "male" });
            e.raw("\"");
            e.main_date(",\"birthDate\":", person.birth);
            if let Some(death) = person.death {
                e.moment(",\"deceasedDateTime\":", Moment::at(death, 22 * 60));
            }
            e.raw(",\"address\":[{\"use\":\"home\",\"line\":[\"");
            e.int(i64::from(person.house));
            e.raw(" ");
            e.raw(person.street);
            e.raw("\"],\"city\":");
            e.string(person.town.0);
            e.raw(",\"state\":\"MA\",\"postalCode\":\"");
            e.raw(person.town.1);
            e.raw("\",\"country\":\"US\"}],\"communication\":[{\"language\":{\"coding\":[{\"system\":\"urn:ietf:bcp:47\",\"code\":\"en-US\",\"display\":\"English (United States)\"}]}}],\"generalPractitioner\":[");
            shared::practitioner(e.out, person.organization, person.doctor);
            e.raw("],\"managingOrganization\":");
            shared::organization(e.out, person.organization);
        });
    }
}

/// A US Core race or ethnicity extension with one OMB category.
fn category(out: &mut String, name: &str, code: &str, display: &str) {
    out.push_str("{\"url\":\"http://hl7.org/fhir/us/core/StructureDefinition/");
    out.push_str(name);
    out.push_str("\",\"extension\":[{\"url\":\"ombCategory\",\"valueCoding\":{\"system\":\"urn:oid:2.16.840.1.113883.6.238\",\"code\":\"");
    out.push_str(code);
    out.push_str("\",\"display\":");
    push_string(out, display);
    out.push_str("}},{\"url\":\"text\",\"valueString\":");
    push_string(out, display);
    out.push_str("}]}");
}
