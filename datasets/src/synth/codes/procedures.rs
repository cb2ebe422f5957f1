//! Procedures, imaging and visit codes: HCPCS level II and LOINC from
//! `code-lists/valueset-codes.csv`; G0438 and G0439 were given with the task.

use super::{Coded, HCPCS, LOINC};

const fn hcpcs(code: &'static str, display: &'static str) -> Coded {
    Coded {
        system: HCPCS,
        code,
        display,
    }
}

const fn loinc(code: &'static str, display: &'static str) -> Coded {
    Coded {
        system: LOINC,
        code,
        display,
    }
}

pub(in super::super) const COLONOSCOPY: Coded = hcpcs(
    "G0121",
    "Colorectal cancer screening; colonoscopy on individual not meeting criteria for high risk",
);
pub(in super::super) const COLONOSCOPY_RISK: Coded = hcpcs(
    "G0105",
    "Colorectal cancer screening; colonoscopy on individual at high risk",
);
pub(in super::super) const SIGMOIDOSCOPY: Coded = hcpcs(
    "G0104",
    "Colorectal cancer screening; flexible sigmoidoscopy",
);
/// The display is the beginning of the official one, which runs to 90 words.
pub(in super::super) const HOSPICE: Coded = hcpcs(
    "G0182",
    "Physician supervision of a patient under a medicare-approved hospice (patient not present)",
);
pub(in super::super) const WELLNESS_FIRST: Coded =
    hcpcs("G0438", "Annual wellness visit, first visit");
pub(in super::super) const WELLNESS_NEXT: Coded =
    hcpcs("G0439", "Annual wellness visit, subsequent visit");

pub(in super::super) const MAMMOGRAPHY: [Coded; 3] = [
    loinc("24606-6", "MG Breast Screening"),
    loinc("26175-0", "MG Breast - bilateral Screening"),
    loinc("72142-3", "DBT Breast - bilateral screening"),
];
pub(in super::super) const PAP: Coded = loinc(
    "47527-7",
    "Cytology report of Cervical or vaginal smear or scraping Cyto stain.thin prep",
);
pub(in super::super) const CT_COLON: Coded = loinc(
    "79101-2",
    "CT Colon and Rectum for screening W air contrast PR",
);
pub(in super::super) const DXA: Coded =
    loinc("38268-9", "DXA Skeletal system Views for bone density");

// Laboratory panels: no panel code stands in the knowledge files, so they are text only.
pub(in super::super) const PANEL_METABOLIC: Coded = loinc("", "Basic metabolic panel");
pub(in super::super) const PANEL_DIABETES: Coded = loinc("", "Diabetes monitoring panel");
pub(in super::super) const PANEL_LIPID: Coded = loinc("", "Lipid panel");
