//! Diagnoses. ICD-10-CM codes from `code-lists/valueset-codes.csv` (Diabetes, Diabetic
//! Retinopathy, Essential Hypertension, Chronic Kidney Disease Stage 5, End Stage Renal Disease,
//! Initial Myocardial Infarction, Familial Hypercholesterolemia, Statin Associated Muscle Symptoms,
//! HIV). Problems without a code in the knowledge files are text only (`text`): fill the code in
//! here once a list that carries it is at hand.

use super::{Coded, ICD10};

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
pub(in super::super) const LIPIDS: Coded = text("Hyperlipidemia");
pub(in super::super) const LIPIDS_FAMILIAL: Coded = icd("E78.01", "Familial hypercholesterolemia");
pub(in super::super) const KIDNEY: Coded = text("Chronic kidney disease, stage 3");
pub(in super::super) const KIDNEY_5: Coded = icd("N18.5", "Chronic kidney disease, stage 5");
pub(in super::super) const KIDNEY_END: Coded = icd("N18.6", "End stage renal disease");
pub(in super::super) const FIBRILLATION: Coded = text("Atrial fibrillation");
pub(in super::super) const HEART_FAILURE: Coded = text("Heart failure");
pub(in super::super) const INFARCTION: [Coded; 3] = [
    icd("I21.4", "Non-ST elevation (NSTEMI) myocardial infarction"),
    icd(
        "I21.11",
        "ST elevation (STEMI) myocardial infarction involving right coronary artery",
    ),
    icd("I21.9", "Acute myocardial infarction, unspecified"),
];
pub(in super::super) const DEPRESSION: Coded = text("Major depressive disorder");
pub(in super::super) const ANXIETY: Coded = text("Generalized anxiety disorder");
pub(in super::super) const ASTHMA: Coded = text("Asthma");
pub(in super::super) const COPD: Coded = text("Chronic obstructive pulmonary disease");
pub(in super::super) const OSTEOPOROSIS: Coded = text("Age-related osteoporosis");
pub(in super::super) const HYPOTHYROID: Coded = text("Hypothyroidism");
pub(in super::super) const COLON_CANCER: Coded = text("Malignant neoplasm of colon");
pub(in super::super) const REFLUX: Coded = text("Gastro-esophageal reflux disease");
pub(in super::super) const ARTHRITIS: Coded = text("Osteoarthritis of knee");
pub(in super::super) const OBESITY: Coded = text("Obesity");
pub(in super::super) const GOUT: Coded = text("Gout");
pub(in super::super) const HIV: Coded = icd("B20", "Human immunodeficiency virus [HIV] disease");
pub(in super::super) const PREGNANCY: Coded = text("Normal pregnancy");
pub(in super::super) const DELIVERY: Coded = text("Delivery of live newborn");
pub(in super::super) const MYALGIA: Coded = icd("M79.10", "Myalgia, unspecified site");
pub(in super::super) const CHECKUP: Coded = text("General adult medical examination");
pub(in super::super) const CHILD_CHECKUP: Coded = text("Routine child health examination");
pub(in super::super) const ANTICOAGULATION: Coded = text("Long term use of anticoagulants");

// Short illnesses of ambulatory and emergency care.
pub(in super::super) const COLD: Coded = text("Acute upper respiratory infection");
pub(in super::super) const SINUSITIS: Coded = text("Acute sinusitis");
pub(in super::super) const PHARYNGITIS: Coded = text("Acute pharyngitis");
pub(in super::super) const OTITIS: Coded = text("Otitis media");
pub(in super::super) const BRONCHITIS: Coded = text("Acute bronchitis");
pub(in super::super) const CYSTITIS: Coded = text("Acute cystitis");
pub(in super::super) const BACK_PAIN: Coded = text("Low back pain");
pub(in super::super) const RASH: Coded = text("Contact dermatitis");
pub(in super::super) const SPRAIN: Coded = text("Sprain of ankle");
pub(in super::super) const CELLULITIS: Coded = text("Cellulitis of lower limb");
pub(in super::super) const CANDIDA: Coded = text("Candidiasis of vulva and vagina");
pub(in super::super) const CHEST_PAIN: Coded = text("Chest pain");
pub(in super::super) const ABDOMINAL_PAIN: Coded = text("Abdominal pain");
pub(in super::super) const LACERATION: Coded = text("Laceration of hand");
pub(in super::super) const PNEUMONIA: Coded = text("Pneumonia");
pub(in super::super) const SEPSIS: Coded = text("Sepsis");
