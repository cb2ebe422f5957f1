//! Observations. LOINC codes from `code-lists/valueset-codes.csv` (laboratory, screening),
//! `care-gaps.yaml` (PHQ, GAD-7, hepatitis C) and the vital-signs profiles of FHIR and US Core.

/// A numeric observation: code, unit and reference range (`high <= low` means none is reported).
#[derive(Debug)]
pub(in super::super) struct Lab {
    pub(in super::super) code: &'static str,
    pub(in super::super) display: &'static str,
    pub(in super::super) text: &'static str,
    /// UCUM code; also the printed unit
    pub(in super::super) unit: &'static str,
    /// how a careless sender writes that unit
    pub(in super::super) odd: &'static str,
    pub(in super::super) places: u32,
    pub(in super::super) low: f64,
    pub(in super::super) high: f64,
}

macro_rules! labs {
    ($($name:ident = ($code:literal, $display:literal, $text:literal, $unit:literal, $odd:literal, $places:literal, $low:literal, $high:literal);)*) => {
        $(pub(in super::super) static $name: Lab = Lab {
            code: $code, display: $display, text: $text, unit: $unit, odd: $odd, places: $places, low: $low, high: $high,
        };)*
    };
}

labs! {
    A1C = ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "Hemoglobin A1c", "%", "percent", 1, 4.0, 5.6);
    LDL = ("13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation", "LDL cholesterol", "mg/dL", "MG/DL", 0, 0.0, 100.0);
    CREATININE = ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "Creatinine", "mg/dL", "mg/dl", 2, 0.6, 1.3);
    EGFR = ("98979-8", "Glomerular filtration rate/1.73 sq M.predicted [Volume Rate/Area] in Serum, Plasma or Blood by Creatinine-based formula (CKD-EPI 2021)", "eGFR", "mL/min/{1.73_m2}", "mL/min/1.73m2", 0, 60.0, 120.0);
    POTASSIUM = ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "Potassium", "mmol/L", "meq/l", 1, 3.5, 5.1);
    ALBUMIN_RATIO = ("9318-7", "Albumin/Creatinine [Mass Ratio] in Urine", "Urine albumin/creatinine ratio", "mg/g", "mg/g creat", 0, 0.0, 30.0);
    INR = ("6301-6", "INR in Platelet poor plasma by Coagulation assay", "INR", "{INR}", "ratio", 1, 0.9, 1.1);
    BONE_T = ("38267-1", "DXA Lumbar spine [T-score] Bone density", "T-score lumbar spine", "{Tscore}", "SD", 1, -1.0, 4.0);
    SYSTOLIC = ("8480-6", "Systolic blood pressure", "Systolic blood pressure", "mm[Hg]", "mmHg", 0, 0.0, 0.0);
    DIASTOLIC = ("8462-4", "Diastolic blood pressure", "Diastolic blood pressure", "mm[Hg]", "mmHg", 0, 0.0, 0.0);
    BMI = ("39156-5", "Body mass index (BMI) [Ratio]", "Body mass index", "kg/m2", "kg/m²", 1, 0.0, 0.0);
    WEIGHT = ("29463-7", "Body weight", "Body weight", "kg", "kilos", 1, 0.0, 0.0);
    HEIGHT = ("8302-2", "Body height", "Body height", "cm", "centimeter", 1, 0.0, 0.0);
    PULSE = ("8867-4", "Heart rate", "Heart rate", "/min", "bpm", 0, 0.0, 0.0);
    BREATHS = ("9279-1", "Respiratory rate", "Respiratory rate", "/min", "breaths/min", 0, 0.0, 0.0);
    TEMPERATURE = ("8310-5", "Body temperature", "Body temperature", "Cel", "C", 1, 0.0, 0.0);
    PHQ2 = ("55758-7", "PHQ-2 total score", "PHQ-2 total score", "{score}", "points", 0, 0.0, 0.0);
    PHQ9 = ("44261-6", "PHQ-9 total score", "PHQ-9 total score", "{score}", "points", 0, 0.0, 0.0);
    GAD7 = ("70274-6", "GAD-7 total score", "GAD-7 total score", "{score}", "points", 0, 0.0, 0.0);
}

/// Tests reported as positive or negative: code, display, short text.
#[derive(Debug)]
pub(in super::super) struct Finding {
    pub(in super::super) code: &'static str,
    pub(in super::super) display: &'static str,
    pub(in super::super) text: &'static str,
}

macro_rules! findings {
    ($($name:ident = ($code:literal, $display:literal, $text:literal);)*) => {
        $(pub(in super::super) static $name: Finding = Finding { code: $code, display: $display, text: $text };)*
    };
}

findings! {
    FIT = ("57905-2", "Hemoglobin.gastrointestinal.lower [Presence] in Stool by Immunoassay --1st specimen", "Fecal immunochemical test");
    STOOL_DNA = ("77354-9", "Noninvasive colorectal cancer DNA and occult blood screening [Presence] in Stool", "Stool DNA-FIT test");
    HIV_TEST = ("56888-1", "HIV 1+2 Ab+HIV1 p24 Ag [Presence] in Serum or Plasma by Immunoassay", "HIV screen");
    HEPATITIS_C = ("13955-0", "Hepatitis C virus Ab [Presence] in Serum or Plasma by Immunoassay", "Hepatitis C antibody");
    HPV_TEST = ("82675-0", "Human papilloma virus 16+18+31+33+35+39+45+51+52+56+58+59+66+68 DNA [Presence] in Cervix by NAA with probe detection", "High-risk HPV DNA");
    CHLAMYDIA = ("42931-6", "Chlamydia trachomatis rRNA [Presence] in Urine by NAA with probe detection", "Chlamydia NAA");
    PREGNANCY_TEST = ("2106-3", "Choriogonadotropin (pregnancy test) [Presence] in Urine", "Urine pregnancy test");
}

/// LOINC 72166-2 and its answers (answer codes given with the task).
pub(in super::super) static SMOKING: Finding = Finding {
    code: "72166-2",
    display: "Tobacco smoking status",
    text: "Tobacco smoking status",
};
pub(in super::super) static SMOKING_ANSWERS: [(&str, &str); 3] = [
    ("LA18978-9", "Never smoker"),
    ("LA15920-4", "Former smoker"),
    ("LA18976-3", "Current every day smoker"),
];
