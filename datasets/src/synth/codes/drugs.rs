//! Clinical drugs. RxNorm SCD codes from `ingredient-map-common.csv`; those marked (full) from
//! `ingredient-map-full.csv`, where the common list has no single-ingredient product.

/// One prescribable product and how it is usually taken.
#[derive(Debug)]
pub(in super::super) struct Drug {
    pub(in super::super) rxcui: &'static str,
    pub(in super::super) name: &'static str,
    /// doses in `period_days` days
    pub(in super::super) times: u8,
    pub(in super::super) period_days: u8,
    pub(in super::super) as_needed: bool,
    /// days one dispensing lasts: 90 for long-term medicine, the length of the course otherwise
    pub(in super::super) supply: u16,
}

const fn long(rxcui: &'static str, name: &'static str, times: u8) -> Drug {
    Drug {
        rxcui,
        name,
        times,
        period_days: 1,
        as_needed: false,
        supply: 90,
    }
}

const fn weekly(rxcui: &'static str, name: &'static str) -> Drug {
    Drug {
        rxcui,
        name,
        times: 1,
        period_days: 7,
        as_needed: false,
        supply: 84,
    }
}

const fn course(rxcui: &'static str, name: &'static str, times: u8, supply: u16) -> Drug {
    Drug {
        rxcui,
        name,
        times,
        period_days: 1,
        as_needed: false,
        supply,
    }
}

const fn needed(rxcui: &'static str, name: &'static str, times: u8, supply: u16) -> Drug {
    Drug {
        rxcui,
        name,
        times,
        period_days: 1,
        as_needed: true,
        supply,
    }
}

macro_rules! drugs {
    ($($name:ident = $value:expr;)*) => {
        $(pub(in super::super) static $name: Drug = $value;)*
    };
}

drugs! {
    // Diabetes
    METFORMIN = long("861007", "metformin hydrochloride 500 MG Oral Tablet", 2); // (full)
    METFORMIN_1000 = long("861004", "metformin hydrochloride 1000 MG Oral Tablet", 2); // (full)
    GLIPIZIDE = long("310490", "glipizide 5 MG Oral Tablet", 1);
    GLIMEPIRIDE = long("199246", "glimepiride 2 MG Oral Tablet", 1);
    EMPAGLIFLOZIN = long("1545658", "empagliflozin 10 MG Oral Tablet", 1);
    DAPAGLIFLOZIN = long("1488569", "dapagliflozin 10 MG Oral Tablet", 1);
    SITAGLIPTIN = long("665033", "sitagliptin 100 MG Oral Tablet", 1);
    SEMAGLUTIDE = weekly("2619152", "0.25 MG, 0.5 MG Dose 3 ML semaglutide 0.68 MG/ML Pen Injector");
    LIRAGLUTIDE = long("897122", "3 ML liraglutide 6 MG/ML Pen Injector", 1);
    GLARGINE = long("847230", "3 ML insulin glargine 100 UNT/ML Pen Injector", 1);
    LISPRO = long("1652639", "3 ML insulin lispro 100 UNT/ML Pen Injector", 3);
    // Blood pressure and heart
    LISINOPRIL_10 = long("314076", "lisinopril 10 MG Oral Tablet", 1);
    LISINOPRIL_20 = long("314077", "lisinopril 20 MG Oral Tablet", 1);
    LOSARTAN = long("979492", "losartan potassium 50 MG Oral Tablet", 1);
    AMLODIPINE = long("197361", "amlodipine 5 MG Oral Tablet", 1);
    HYDROCHLOROTHIAZIDE = long("310798", "hydrochlorothiazide 25 MG Oral Tablet", 1);
    CHLORTHALIDONE = long("197499", "chlorthalidone 25 MG Oral Tablet", 1);
    METOPROLOL = long("866436", "24 HR metoprolol succinate 50 MG Extended Release Oral Tablet", 1);
    CARVEDILOL = long("200031", "carvedilol 6.25 MG Oral Tablet", 2);
    SPIRONOLACTONE = long("313096", "spironolactone 25 MG Oral Tablet", 1);
    FUROSEMIDE = long("313988", "furosemide 40 MG Oral Tablet", 1);
    SACUBITRIL = long("1656340", "sacubitril 24 MG / valsartan 26 MG Oral Tablet", 2);
    DILTIAZEM = long("830845", "24 HR diltiazem hydrochloride 180 MG Extended Release Oral Capsule", 1);
    DIGOXIN = long("197604", "digoxin 0.125 MG Oral Tablet", 1);
    AMIODARONE = long("833528", "amiodarone hydrochloride 200 MG Oral Tablet", 1);
    APIXABAN = long("1364445", "apixaban 5 MG Oral Tablet", 2);
    RIVAROXABAN = long("1232086", "rivaroxaban 20 MG Oral Tablet", 1);
    WARFARIN = long("855332", "warfarin sodium 5 MG Oral Tablet", 1);
    ASPIRIN = long("308416", "aspirin 81 MG Delayed Release Oral Tablet", 1);
    CLOPIDOGREL = long("309362", "clopidogrel 75 MG Oral Tablet", 1);
    NITROGLYCERIN = needed("198039", "nitroglycerin 0.4 MG Sublingual Tablet", 1, 90);
    // Lipids
    ATORVASTATIN_20 = long("617310", "atorvastatin 20 MG Oral Tablet", 1);
    ATORVASTATIN_40 = long("617311", "atorvastatin 40 MG Oral Tablet", 1);
    ATORVASTATIN_80 = long("259255", "atorvastatin 80 MG Oral Tablet", 1);
    SIMVASTATIN_20 = long("312961", "simvastatin 20 MG Oral Tablet", 1);
    SIMVASTATIN_40 = long("198211", "simvastatin 40 MG Oral Tablet", 1);
    ROSUVASTATIN_10 = long("859747", "rosuvastatin calcium 10 MG Oral Tablet", 1);
    ROSUVASTATIN_20 = long("859751", "rosuvastatin calcium 20 MG Oral Tablet", 1);
    PRAVASTATIN = long("904475", "pravastatin sodium 40 MG Oral Tablet", 1);
    // Mind, thyroid, bone, lung, stomach, joints, infection
    SERTRALINE = long("312941", "sertraline 50 MG Oral Tablet", 1);
    ESCITALOPRAM = long("349332", "escitalopram 10 MG Oral Tablet", 1);
    CITALOPRAM = long("309314", "citalopram 40 MG Oral Tablet", 1);
    FLUOXETINE = long("310385", "fluoxetine 20 MG Oral Capsule", 1);
    BUPROPION = long("993541", "24 HR bupropion hydrochloride 150 MG Extended Release Oral Tablet", 1);
    VENLAFAXINE = long("313585", "24 HR venlafaxine 75 MG Extended Release Oral Capsule", 1);
    TRAZODONE = long("856377", "trazodone hydrochloride 50 MG Oral Tablet", 1); // (full)
    ZOLPIDEM = needed("854876", "zolpidem tartrate 5 MG Oral Tablet", 1, 30);
    LEVOTHYROXINE = long("966222", "levothyroxine sodium 0.075 MG Oral Tablet", 1);
    ALENDRONATE = long("904419", "Alendronic acid 10 MG Oral Tablet", 1);
    ALBUTEROL = needed("630208", "albuterol 0.83 MG/ML Inhalation Solution", 4, 30); // (full)
    FLUTICASONE_SALMETEROL = long("896209", "60 ACTUAT fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler", 2);
    TIOTROPIUM = long("485032", "tiotropium 0.018 MG Inhalation Powder", 1); // (full)
    MONTELUKAST = long("200224", "montelukast 10 MG Oral Tablet", 1); // (full)
    OMEPRAZOLE = long("198051", "omeprazole 20 MG Delayed Release Oral Capsule", 1); // (full)
    PANTOPRAZOLE = long("314200", "pantoprazole 40 MG Delayed Release Oral Tablet", 1); // (full)
    ALLOPURINOL = long("197319", "Allopurinol 100 MG Oral Tablet", 1);
    COLCHICINE = course("197541", "colchicine 0.6 MG Oral Tablet", 2, 10);
    GABAPENTIN = long("310431", "gabapentin 300 MG Oral Capsule", 3);
    MELOXICAM = long("152695", "meloxicam 15 MG Oral Tablet", 1); // (full)
    NAPROXEN = needed("198014", "naproxen 500 MG Oral Tablet", 2, 14);
    IBUPROFEN = needed("197807", "ibuprofen 800 MG Oral Tablet", 3, 10); // (full)
    ACETAMINOPHEN = needed("198440", "Acetaminophen 500 MG Oral Tablet", 3, 10); // (full)
    TRAMADOL = needed("835603", "tramadol hydrochloride 50 MG Oral Tablet", 3, 7);
    HYDROCODONE = needed("857002", "acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet", 3, 5);
    CYCLOBENZAPRINE = needed("828348", "cyclobenzaprine hydrochloride 10 MG Oral Tablet", 3, 7);
    BICTEGRAVIR = long("1999667", "bictegravir 50 MG / emtricitabine 200 MG / tenofovir alafenamide 25 MG Oral Tablet", 1); // (full)
    CONTRACEPTIVE = long("238019", "ethinyl estradiol 0.03 MG / levonorgestrel 0.15 MG Oral Tablet", 1);
    AMOXICILLIN = course("308191", "amoxicillin 500 MG Oral Capsule", 3, 10);
    AMOXICILLIN_CHILD = course("308188", "amoxicillin 400 MG Chewable Tablet", 2, 10);
    AMOXICILLIN_CLAVULANATE = course("562508", "amoxicillin 875 MG / clavulanate 125 MG Oral Tablet", 2, 10);
    AZITHROMYCIN = course("308460", "azithromycin 250 MG Oral Tablet", 1, 5);
    CLARITHROMYCIN = course("197517", "clarithromycin 500 MG Oral Tablet", 2, 7);
    CEPHALEXIN = course("309114", "cephalexin 500 MG Oral Capsule", 4, 7);
    DOXYCYCLINE = course("1649988", "doxycycline hyclate 100 MG Oral Capsule", 2, 10);
    CIPROFLOXACIN = course("309309", "ciprofloxacin 500 MG Oral Tablet", 2, 7);
    LEVOFLOXACIN = course("311296", "levofloxacin 750 MG Oral Tablet", 1, 5);
    TRIMETHOPRIM_SULFA = course("198335", "sulfamethoxazole 800 MG / trimethoprim 160 MG Oral Tablet", 2, 5);
    NITROFURANTOIN = course("1648755", "nitrofurantoin, macrocrystals 25 MG / nitrofurantoin, monohydrate 75 MG Oral Capsule", 2, 5); // (full)
    FLUCONAZOLE = course("197699", "fluconazole 150 MG Oral Tablet", 1, 1); // (full)
    PREDNISONE = course("312615", "prednisone 20 MG Oral Tablet", 2, 5);
}

/// Ingredients people report an allergy to (RxNorm IN, `ingredient-index.csv` and
/// `allergy-cross-reactivity.yaml`) with the usual reaction.
pub(in super::super) static ALLERGENS: [(&str, &str, &str); 8] = [
    ("7980", "penicillin G", "Hives"),
    ("723", "amoxicillin", "Rash"),
    ("10180", "sulfamethoxazole", "Rash"),
    ("2670", "codeine", "Nausea"),
    ("1191", "aspirin", "Wheezing"),
    ("2231", "cephalexin", "Rash"),
    ("29046", "lisinopril", "Angioedema"),
    ("36567", "simvastatin", "Muscle pain"),
];
