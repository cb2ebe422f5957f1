//! Vaccines: CVX codes and names from `code-lists/cvx-codes.csv`, schedules from
//! `immunizations.csv`.

/// CVX code and name.
pub(in super::super) type Vaccine = (&'static str, &'static str);

pub(in super::super) const FLU: [Vaccine; 3] = [
    (
        "150",
        "Influenza, injectable, quadrivalent, preservative free",
    ),
    (
        "158",
        "influenza, injectable, quadrivalent, contains preservative",
    ),
    ("140", "Influenza, seasonal, injectable, preservative free"),
];
pub(in super::super) const FLU_OLDER: [Vaccine; 2] = [
    (
        "197",
        "influenza, high-dose seasonal, quadrivalent, .7mL dose, preservative free",
    ),
    (
        "205",
        "influenza, seasonal vaccine, quadrivalent, adjuvanted, .5mL dose, preservative free",
    ),
];
pub(in super::super) const PNEUMO_23: Vaccine =
    ("33", "pneumococcal polysaccharide vaccine, 23 valent");
pub(in super::super) const PNEUMO_13: Vaccine =
    ("133", "pneumococcal conjugate vaccine, 13 valent");
pub(in super::super) const PNEUMO_20: Vaccine = (
    "216",
    "Pneumococcal conjugate vaccine 20-valent (PCV20), polysaccharide CRM197 conjugate, adjuvant, preservative free",
);
pub(in super::super) const ZOSTER: Vaccine = ("187", "zoster vaccine recombinant");
pub(in super::super) const TDAP: Vaccine = (
    "115",
    "tetanus toxoid, reduced diphtheria toxoid, and acellular pertussis vaccine, adsorbed",
);
pub(in super::super) const HPV: Vaccine = ("165", "Human Papillomavirus 9-valent vaccine");
pub(in super::super) const MENINGO: Vaccine = (
    "114",
    "meningococcal polysaccharide (groups A, C, Y and W-135) diphtheria toxoid conjugate vaccine (MCV4P)",
);

const HEP_B: Vaccine = (
    "08",
    "hepatitis B vaccine, pediatric or pediatric/adolescent dosage",
);
const DTAP: Vaccine = (
    "20",
    "diphtheria, tetanus toxoids and acellular pertussis vaccine",
);
const IPV: Vaccine = ("10", "poliovirus vaccine, inactivated");
const HIB: Vaccine = (
    "48",
    "Haemophilus influenzae type b vaccine, PRP-T conjugate",
);
const ROTA: Vaccine = ("116", "rotavirus, live, pentavalent vaccine");
const MMR: Vaccine = ("03", "measles, mumps and rubella virus vaccine");
const VARICELLA: Vaccine = ("21", "varicella virus vaccine");
const HEP_A: Vaccine = (
    "83",
    "hepatitis A vaccine, pediatric/adolescent dosage, 2 dose schedule",
);

/// The childhood series: age in days when due, vaccine.
pub(in super::super) const CHILDHOOD: [(i32, Vaccine); 30] = [
    (0, HEP_B),
    (60, HEP_B),
    (60, DTAP),
    (60, IPV),
    (60, HIB),
    (60, PNEUMO_13),
    (60, ROTA),
    (122, DTAP),
    (122, IPV),
    (122, HIB),
    (122, PNEUMO_13),
    (122, ROTA),
    (183, HEP_B),
    (183, DTAP),
    (183, IPV),
    (183, HIB),
    (183, PNEUMO_13),
    (183, ROTA),
    (370, MMR),
    (370, VARICELLA),
    (370, HEP_A),
    (370, HIB),
    (370, PNEUMO_13),
    (480, DTAP),
    (560, HEP_A),
    (1480, DTAP),
    (1480, IPV),
    (1480, MMR),
    (1480, VARICELLA),
    (4050, TDAP),
];
