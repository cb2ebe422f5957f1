//! Diagnoses. ICD-10-CM codes from `code-lists/valueset-codes.csv` (Diabetes, Diabetic
//! Retinopathy, Essential Hypertension, Chronic Kidney Disease Stage 5, End Stage Renal Disease,
//! Initial Myocardial Infarction, Familial Hypercholesterolemia, Statin Associated Muscle Symptoms,
//! HIV). Problems without a code in the knowledge files are text only (`text`): fill the code in
//! here once a list that carries it is at hand.

use super::{Coded, ICD10};

/// Codes beyond the knowledge pack are ICD-10-CM as published by CDC/NCHS (public domain).
const fn icd(code: &'static str, display: &'static str) -> Coded {
    Coded {
        system: ICD10,
        code,
        display,
    }
}

const fn text(display: &'static str) -> Coded {
    icd("", display)
}

pub(in super::super) const DIABETES_2: Coded =
    icd("E11.9", "Type 2 diabetes mellitus without complications");
pub(in super::super) const DIABETES_2_HIGH: Coded =
    icd("E11.65", "Type 2 diabetes mellitus with hyperglycemia");
pub(in super::super) const DIABETES_2_KIDNEY: Coded = icd(
    "E11.22",
    "Type 2 diabetes mellitus with diabetic chronic kidney disease",
);
pub(in super::super) const DIABETES_2_NERVE: Coded = icd(
    "E11.42",
    "Type 2 diabetes mellitus with diabetic polyneuropathy",
);
pub(in super::super) const DIABETES_2_EYE: Coded = icd(
    "E11.319",
    "Type 2 diabetes mellitus with unspecified diabetic retinopathy without macular edema",
);
pub(in super::super) const DIABETES_1: Coded =
    icd("E10.9", "Type 1 diabetes mellitus without complications");
pub(in super::super) const DIABETES_PREGNANT: [Coded; 3] = [
    icd(
        "O24.111",
        "Pre-existing type 2 diabetes mellitus, in pregnancy, first trimester",
    ),
    icd(
        "O24.112",
        "Pre-existing type 2 diabetes mellitus, in pregnancy, second trimester",
    ),
    icd(
        "O24.113",
        "Pre-existing type 2 diabetes mellitus, in pregnancy, third trimester",
    ),
];
pub(in super::super) const HYPERTENSION: Coded = icd("I10", "Essential (primary) hypertension");
pub(in super::super) const LIPIDS: Coded = icd("E78.5", "Hyperlipidemia, unspecified");
pub(in super::super) const LIPIDS_FAMILIAL: Coded = icd("E78.01", "Familial hypercholesterolemia");
pub(in super::super) const KIDNEY: Coded =
    icd("N18.30", "Chronic kidney disease, stage 3 unspecified");
pub(in super::super) const KIDNEY_5: Coded = icd("N18.5", "Chronic kidney disease, stage 5");
pub(in super::super) const KIDNEY_END: Coded = icd("N18.6", "End stage renal disease");
pub(in super::super) const FIBRILLATION: Coded = icd("I48.91", "Unspecified atrial fibrillation");
pub(in super::super) const HEART_FAILURE: Coded = icd("I50.9", "Heart failure, unspecified");
pub(in super::super) const INFARCTION: [Coded; 3] = [
    icd("I21.4", "Non-ST elevation (NSTEMI) myocardial infarction"),
    icd(
        "I21.11",
        "ST elevation (STEMI) myocardial infarction involving right coronary artery",
    ),
    icd("I21.9", "Acute myocardial infarction, unspecified"),
];
pub(in super::super) const DEPRESSION: Coded = icd(
    "F32.9",
    "Major depressive disorder, single episode, unspecified",
);
pub(in super::super) const ANXIETY: Coded = icd("F41.1", "Generalized anxiety disorder");
pub(in super::super) const ASTHMA: Coded = icd("J45.909", "Unspecified asthma, uncomplicated");
pub(in super::super) const COPD: Coded = icd(
    "J44.9",
    "Chronic obstructive pulmonary disease, unspecified",
);
pub(in super::super) const OSTEOPOROSIS: Coded = icd(
    "M81.0",
    "Age-related osteoporosis without current pathological fracture",
);
pub(in super::super) const HYPOTHYROID: Coded = icd("E03.9", "Hypothyroidism, unspecified");
pub(in super::super) const COLON_CANCER: Coded =
    icd("C18.9", "Malignant neoplasm of colon, unspecified");
pub(in super::super) const REFLUX: Coded = icd(
    "K21.9",
    "Gastro-esophageal reflux disease without esophagitis",
);
pub(in super::super) const ARTHRITIS: Coded = icd("M17.9", "Osteoarthritis of knee, unspecified");
pub(in super::super) const OBESITY: Coded = icd("E66.9", "Obesity, unspecified");
pub(in super::super) const GOUT: Coded = icd("M10.9", "Gout, unspecified");
pub(in super::super) const HIV: Coded = icd("B20", "Human immunodeficiency virus [HIV] disease");
pub(in super::super) const PREGNANCY: Coded = icd(
    "Z34.90",
    "Encounter for supervision of normal pregnancy, unspecified, unspecified trimester",
);
pub(in super::super) const DELIVERY: Coded =
    icd("O80", "Encounter for full-term uncomplicated delivery");
pub(in super::super) const MYALGIA: Coded = icd("M79.10", "Myalgia, unspecified site");
pub(in super::super) const CHECKUP: Coded = icd(
    "Z00.00",
    "Encounter for general adult medical examination without abnormal findings",
);
pub(in super::super) const CHILD_CHECKUP: Coded = icd(
    "Z00.129",
    "Encounter for routine child health examination without abnormal findings",
);
pub(in super::super) const ANTICOAGULATION: Coded =
    icd("Z79.01", "Long term (current) use of anticoagulants");

// Short illnesses of ambulatory and emergency care.
pub(in super::super) const COLD: Coded =
    icd("J06.9", "Acute upper respiratory infection, unspecified");
pub(in super::super) const SINUSITIS: Coded = icd("J01.90", "Acute sinusitis, unspecified");
pub(in super::super) const PHARYNGITIS: Coded = icd("J02.9", "Acute pharyngitis, unspecified");
pub(in super::super) const OTITIS: Coded =
    icd("H66.90", "Otitis media, unspecified, unspecified ear");
pub(in super::super) const BRONCHITIS: Coded = icd("J20.9", "Acute bronchitis, unspecified");
pub(in super::super) const CYSTITIS: Coded = icd("N30.00", "Acute cystitis without hematuria");
pub(in super::super) const BACK_PAIN: Coded = icd("M54.50", "Low back pain, unspecified");
pub(in super::super) const RASH: Coded =
    icd("L25.9", "Unspecified contact dermatitis, unspecified cause");
pub(in super::super) const SPRAIN: Coded = text("Sprain of ankle");
pub(in super::super) const CELLULITIS: Coded =
    icd("L03.119", "Cellulitis of unspecified part of limb");
pub(in super::super) const CANDIDA: Coded = text("Candidiasis of vulva and vagina");
pub(in super::super) const CHEST_PAIN: Coded = icd("R07.9", "Chest pain, unspecified");
pub(in super::super) const ABDOMINAL_PAIN: Coded = icd("R10.9", "Unspecified abdominal pain");
pub(in super::super) const LACERATION: Coded = text("Laceration of hand");
pub(in super::super) const PNEUMONIA: Coded = icd("J18.9", "Pneumonia, unspecified organism");
pub(in super::super) const SEPSIS: Coded = icd("A41.9", "Sepsis, unspecified organism");
