//! Coverage.

use super::super::calendar::{Day, Moment};
use super::super::codes::Coded;
use super::super::shared;
use super::super::shared::Payer;
use super::chart::{Chart, Kind};
use super::defect::{Defect, FOR_EVENT, for_code};

/// Coverage has no main code that a defect could touch.
const UNCODED: Coded = Coded {
    system: "",
    code: "",
    display: "",
};

impl Chart<'_> {
    /// Insurance from `from` to `to` (none: still in force).
    pub(in super::super) fn coverage(&mut self, payer: Payer, from: Day, to: Option<Day>) {
        self.emit(Kind::Coverage, "us-core-coverage", for_code(&FOR_EVENT, UNCODED), Moment::at(from, 600), |e| {
            e.raw(",\"identifier\":[{\"type\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"MB\",\"display\":\"Member Number\"}]},\"system\":\"https://payer.example.org/member\",\"value\":\"M-");
            let pid = e.pid;
            e.raw(pid);
            e.raw("\"}]");
            e.status(if to.is_some() { "cancelled" } else { "active" });
            e.raw(",\"type\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"");
            let (code, display) = match payer {
                Payer::Medicare => ("RETIRE", "retiree health program"),
                Payer::Medicaid => ("SUBSIDIZ", "subsidized health program"),
                Payer::Commercial | Payer::None => ("EHCPOL", "extended healthcare"),
            };
            let (payer_id, name) = shared::payer(payer);
            e.raw(code);
            e.raw("\",\"display\":\"");
            e.raw(display);
            e.raw("\"}],\"text\":\"");
            e.raw(name);
            e.raw("\"}");
            e.subject(",\"beneficiary\":");
            e.raw(",\"relationship\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/subscriber-relationship\",\"code\":\"self\",\"display\":\"Self\"}]}");
            if !e.has(Defect::DateMissing) {
                e.raw(",\"period\":{");
                e.main_date("\"start\":", from);
                if let Some(to) = to {
                    e.date(",\"end\":", to);
                }
                e.raw("}");
            }
            e.raw(",\"payor\":[");
            e.raw("{\"reference\":\"Organization/payer-");
            e.raw(payer_id);
            e.raw("\"}");
            e.raw("],\"class\":[{\"type\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/coverage-class\",\"code\":\"plan\",\"display\":\"Plan\"}]},\"value\":\"");
            e.raw(name);
            e.raw("\"}]");
        });
    }
}
