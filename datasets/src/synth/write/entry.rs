//! One resource being written: the elements many types share, with the defect applied where the
//! element is written, so that no JSON is ever patched afterwards.

use super::super::calendar::{Day, Moment, Precision, push_date, push_moment};
use super::super::codes::labs::Lab;
use super::super::codes::{Coded, LOCAL, LOINC, UCUM};
use super::super::json::{push_decimal, push_int, push_string};
use super::defect::Defect;

/// Every element is written with a leading comma: `resourceType` always comes first.
pub(in super::super) struct Entry<'b> {
    pub(in super::super) out: &'b mut String,
    /// id of the patient
    pub(in super::super) pid: &'b str,
    pub(in super::super) defect: Option<Defect>,
    /// this is the changed copy of a duplicated id
    pub(in super::super) changed: bool,
}

impl Entry<'_> {
    pub(in super::super) fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    pub(in super::super) fn string(&mut self, text: &str) {
        push_string(self.out, text);
    }

    pub(in super::super) fn int(&mut self, value: i64) {
        push_int(self.out, value);
    }

    pub(in super::super) fn decimal(&mut self, value: f64, places: u32) {
        push_decimal(self.out, value, places);
    }

    pub(in super::super) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// `,"status":"…"`, or entered-in-error.
    pub(in super::super) fn status(&mut self, status: &str) {
        self.raw(",\"status\":\"");
        self.raw(if self.has(Defect::EnteredInError) {
            "entered-in-error"
        } else {
            status
        });
        self.raw("\"");
    }

    /// The main code of the resource. `key` comes with its comma and colon.
    pub(in super::super) fn main_code(&mut self, key: &str, coded: Coded, text: &str) {
        self.raw(key);
        if self.has(Defect::CodeMissing) || coded.code.is_empty() {
            self.raw("{\"text\":");
        } else if self.has(Defect::CodeLocal) {
            self.raw("{\"coding\":[{\"system\":\"");
            self.raw(LOCAL);
            self.raw("\",\"code\":\"L");
            // A local code that keeps its identity: the letters and digits of the standard one.
            for c in coded.code.chars().filter(char::is_ascii_alphanumeric) {
                self.out.push(c);
            }
            self.raw("\",\"display\":");
            self.string(text);
            self.raw("}],\"text\":");
        } else {
            self.raw("{\"coding\":[");
            self.coding(coded);
            self.raw("],\"text\":");
        }
        self.string(text);
        self.raw("}");
    }

    /// A concept that is not the main code: never defective.
    pub(in super::super) fn concept(&mut self, coded: Coded) {
        if coded.code.is_empty() {
            self.raw("{\"text\":");
        } else {
            self.raw("{\"coding\":[");
            self.coding(coded);
            self.raw("],\"text\":");
        }
        self.string(coded.display);
        self.raw("}");
    }

    fn coding(&mut self, coded: Coded) {
        self.raw("{\"system\":\"");
        self.raw(coded.system);
        self.raw("\",\"code\":\"");
        self.raw(coded.code);
        self.raw("\",\"display\":");
        self.string(coded.display);
        self.raw("}");
    }

    /// `{"reference":"Patient/…"}` under `key` (with comma and colon).
    pub(in super::super) fn subject(&mut self, key: &str) {
        self.raw(key);
        self.raw("{\"reference\":\"");
        let ghost = self.has(Defect::SubjectGhost);
        if self.has(Defect::SubjectAbsolute) {
            self.raw("https://ehr.example.org/fhir/");
        }
        self.raw(if ghost { "Patient/ghost-" } else { "Patient/" });
        let pid = self.pid;
        self.raw(pid);
        self.raw("\"}");
    }

    /// The id of another resource of this patient: `<prefix>-<patient>-<number>`.
    pub(in super::super) fn own_id(&mut self, prefix: &str, number: u32) {
        self.raw(prefix);
        self.raw("-");
        let pid = self.pid;
        self.raw(pid);
        self.raw("-");
        self.int(i64::from(number));
    }

    /// `,"encounter":{…}`; nothing for 0, which stands for "outside the recorded visits".
    pub(in super::super) fn encounter(&mut self, number: u32) {
        if number > 0 {
            self.raw(",\"encounter\":{\"reference\":\"Encounter/");
            self.own_id("enc", number);
            self.raw("\"}");
        }
    }

    /// The main date as date and time; may be cut short or left out.
    pub(in super::super) fn main_moment(&mut self, key: &str, moment: Moment) {
        let precision = match self.defect {
            Some(Defect::DateMissing) => return,
            Some(Defect::DateYear) => Precision::Year,
            Some(Defect::DateMonth) => Precision::Month,
            _ => Precision::Full,
        };
        self.raw(key);
        self.raw("\"");
        if precision == Precision::Full {
            push_moment(self.out, moment);
        } else {
            push_date(self.out, moment.day, precision);
        }
        self.raw("\"");
    }

    /// The main date as a date; may be cut short or left out.
    pub(in super::super) fn main_date(&mut self, key: &str, day: Day) {
        let precision = match self.defect {
            Some(Defect::DateMissing) => return,
            Some(Defect::DateYear) => Precision::Year,
            Some(Defect::DateMonth) => Precision::Month,
            _ => Precision::Full,
        };
        self.raw(key);
        self.raw("\"");
        push_date(self.out, day, precision);
        self.raw("\"");
    }

    /// A date and time that is never defective.
    pub(in super::super) fn moment(&mut self, key: &str, moment: Moment) {
        self.raw(key);
        self.raw("\"");
        push_moment(self.out, moment);
        self.raw("\"");
    }

    /// A date that is never defective.
    pub(in super::super) fn date(&mut self, key: &str, day: Day) {
        self.raw(key);
        self.raw("\"");
        push_date(self.out, day, Precision::Full);
        self.raw("\"");
    }

    /// `,"valueQuantity":{…}` of a whole observation, with every defect a value can have.
    pub(in super::super) fn value(&mut self, lab: &Lab, value: f64) {
        match self.defect {
            Some(Defect::ValueMissing) => {}
            Some(Defect::ValueAbsentReason) => self.absent(),
            Some(Defect::ValueAsString) => {
                self.raw(",\"valueString\":\"");
                self.decimal(value, lab.places);
                self.raw(" ");
                self.raw(lab.unit);
                self.raw("\"");
            }
            _ => {
                self.raw(",\"valueQuantity\":");
                self.quantity(lab, value);
            }
        }
    }

    /// A quantity object, with the unit defects.
    pub(in super::super) fn quantity(&mut self, lab: &Lab, value: f64) {
        self.raw("{\"value\":");
        // Half of the HbA1c results in odd units are IFCC ones; the value itself decides which, as
        // writing draws no random numbers.
        let ifcc = lab.code == "4548-4" && (value * 10.0).round() as i64 % 2 == 0;
        if self.has(Defect::UnitOdd) && ifcc {
            // IFCC = 10.93 × NGSP − 23.5
            self.decimal(10.93 * value - 23.5, 0);
            self.raw(",\"unit\":\"mmol/mol\",\"system\":\"");
            self.raw(UCUM);
            self.raw("\",\"code\":\"mmol/mol\"}");
            return;
        }
        self.decimal(value, lab.places);
        if self.has(Defect::UnitMissing) {
            self.raw("}");
            return;
        }
        self.raw(",\"unit\":\"");
        if self.has(Defect::UnitOdd) {
            self.raw(lab.odd);
            self.raw("\"}");
            return;
        }
        self.raw(lab.unit);
        self.raw("\",\"system\":\"");
        self.raw(UCUM);
        self.raw("\",\"code\":\"");
        self.raw(lab.unit);
        self.raw("\"}");
    }

    /// `,"dataAbsentReason":{…}`.
    pub(in super::super) fn absent(&mut self) {
        self.raw(",\"dataAbsentReason\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/data-absent-reason\",\"code\":\"unknown\",\"display\":\"Unknown\"}],\"text\":\"Unknown\"}");
    }
}

/// LOINC code and name of an observation.
pub(in super::super) const fn loinc(code: &'static str, display: &'static str) -> Coded {
    Coded {
        system: LOINC,
        code,
        display,
    }
}
