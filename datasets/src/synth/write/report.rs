//! DiagnosticReport.

use super::super::calendar::Moment;
use super::super::codes::Coded;
use super::super::shared;
use super::chart::{Chart, Kind};
use super::defect::{FOR_EVENT, for_code};

/// HL7 v2 table 0074 section of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Section {
    Laboratory,
    Imaging,
    Pathology,
}

/// What a DiagnosticReport says.
pub(in super::super) struct Report<'r> {
    pub(in super::super) section: Section,
    pub(in super::super) code: Coded,
    pub(in super::super) at: Moment,
    pub(in super::super) encounter: u32,
    /// number of the ServiceRequest, 0 for none
    pub(in super::super) order: u32,
    /// numbers of the Observations
    pub(in super::super) results: &'r [u32],
    pub(in super::super) conclusion: &'static str,
}

impl Chart<'_> {
    pub(in super::super) fn report(&mut self, report: &Report<'_>) {
        let person = self.person;
        let profile = match report.section {
            Section::Laboratory => "us-core-diagnosticreport-lab",
            Section::Imaging | Section::Pathology => "us-core-diagnosticreport-note",
        };
        self.emit(Kind::DiagnosticReport, profile, for_code(&FOR_EVENT, report.code), report.at, |e| {
            e.status("final");
            e.raw(",\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0074\",\"code\":\"");
            e.raw(match report.section {
                Section::Laboratory => "LAB\",\"display\":\"Laboratory",
                Section::Imaging => "RAD\",\"display\":\"Radiology",
                Section::Pathology => "PAT\",\"display\":\"Pathology (gross & histopath, not surgical)",
            });
            e.raw("\"}]}]");
            if report.order > 0 {
                e.raw(",\"basedOn\":[{\"reference\":\"ServiceRequest/");
                e.own_id("srv", report.order);
                e.raw("\"}]");
            }
            e.main_code(",\"code\":", report.code, report.code.display);
            e.subject(",\"subject\":");
            e.encounter(report.encounter);
            e.main_moment(",\"effectiveDateTime\":", report.at);
            e.moment(",\"issued\":", report.at.plus(15));
            e.raw(",\"performer\":[");
            shared::organization(e.out, person.organization);
            e.raw("]");
            for (at, number) in report.results.iter().enumerate() {
                e.raw(if at == 0 { ",\"result\":[{\"reference\":\"Observation/" } else { ",{\"reference\":\"Observation/" });
                e.own_id("obs", *number);
                e.raw("\"}");
            }
            if !report.results.is_empty() {
                e.raw("]");
            }
            if !report.conclusion.is_empty() {
                e.raw(",\"conclusion\":");
                e.string(report.conclusion);
            }
        });
    }
}
