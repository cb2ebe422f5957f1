#!/usr/bin/env python3
"""Writes the value sets of the starter library: rules/content/valuesets/<id>.json and, of the same
codes in SNOMED CT, datasets/content/snomed-optional/<id>-snomed.json, and prints the rows of the tables
in the README.md of the one and the NOTICE.md of the other.

Usage: rules/gen/value_sets.py ../shared

Codes come from the value sets of the eCQM content repositories as `../shared` holds them, and from single
codes whose source stands beside them below. CPT is left out. Sets that other rules had before are not
touched.
"""
import csv, glob, hashlib, json, os, re, sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILT_IN = os.path.join(ROOT, "rules", "content", "valuesets")
OPTIONAL = os.path.join(ROOT, "datasets", "content", "snomed-optional")
VERSION, TIME = "2026.1", "2026-11-29T00:00:00Z"

RELEASES = {
    "eCQM-CMS-2025": "eCQM-CMS-2025, github.com/cqframework/ecqm-content-cms-2025 commit d80fd0a (2025-07-11)",
    "eCQM-QICore-2025": "eCQM-QICore-2025, github.com/cqframework/ecqm-content-qicore-2025 commit db5a7e1 (2025-08-20)",
    "eCQM-QICore-2024": "eCQM-QICore-2024, github.com/cqframework/ecqm-content-qicore-2024 commit 9ebd48f (2025-01-15)",
}
LOINC, ICD, SNOMED = "http://loinc.org", "http://hl7.org/fhir/sid/icd-10-cm", "http://snomed.info/sct"
CVX, PCS = "http://hl7.org/fhir/sid/cvx", "http://www.cms.gov/Medicare/Coding/ICD10"
HCPCS = ["http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"]
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ALIASES = {"LOINC": LOINC, "ICD10CM": ICD, "SNOMEDCT": SNOMED, "CVX": CVX, "HCPCS": HCPCS[0], "RXNORM": RXNORM,
           "http://www.nlm.nih.gov/research/umls/hcpcs": HCPCS[0], HCPCS[1]: HCPCS[0]}
SHIPPED = [LOINC, ICD, CVX, PCS, RXNORM, HCPCS[0]]

LOINC_NOTICE = "This material contains content from LOINC (http://loinc.org). LOINC is copyright © Regenstrief Institute, Inc. and the Logical Observation Identifiers Names and Codes (LOINC) Committee and is available at no cost under the license at http://loinc.org/license. LOINC® is a registered United States trademark of Regenstrief Institute, Inc."
SNOMED_NOTICE = "This value set includes content from SNOMED CT, which is copyright © SNOMED International. Use needs a SNOMED CT affiliate licence (free of charge in member countries; in the United States through the National Library of Medicine, UMLS licence). SNOMED CT® is a registered trademark of SNOMED International."

SYNTHEA = "codes of the public Synthea sample data (SMART on FHIR, Apache-2.0)"
GUIDE = "codes named in the USPSTF summaries and measures of the knowledge pack (care-gaps.yaml)"
IPS = "value set edd-method-uv-ips of the International Patient Summary (HL7, 2.0.1)"
ICD_ADDED = "single codes of ICD-10-CM (CDC/NCHS) that Tandem adds"
ICD_CHAPTER = "category M81 of ICD-10-CM (CDC/NCHS)"
PCS_ADDED = "single codes of ICD-10-PCS (CMS) that Tandem adds"
HCPCS_ADDED = "single codes of HCPCS level II (CMS), as their descriptions stand in Medicare's coding guides"
LOINC_ANSWERS = "answers of LOINC's list LL2201-3, tobacco smoking status, as HL7 guides have them"
LOINC_MEMORY = "a LOINC code that was not read in a source: to be checked before use"
US_CORE = "US Core 7.0.0, example of cigarette pack-years"
IMAGING = "value set LOINC Imaging Document Codes of C-CDA (HL7)"
CVX_UNREAD = "a CVX code whose row in the list of the CDC was not read: to be checked before use"
CVX_LIST = "the CVX list of the CDC, as US Core and the eCQM value sets have it"

# Of M80: code without the seventh character, and name.
OSTEOPOROTIC_FRACTURES = [
    (f"M80.{cause}{place}", f"{kind} osteoporosis with current pathological fracture, {where}")
    for cause, kind in (("0", "Age-related"), ("8", "Other"))
    for place, where in [("0X", "unspecified site"), ("8X", "vertebra(e)"), ("AX", "other site")] + [
        (bone + side, f"{which} {name}")
        for bone, name in (("1", "shoulder"), ("2", "humerus"), ("3", "forearm"), ("4", "hand"), ("5", "femur"),
                           ("6", "lower leg"), ("7", "ankle and foot"), ("B", "pelvis"))
        for side, which in (("1", "right"), ("2", "left"), ("9", "unspecified"))]
]
LATER_ENCOUNTERS = [("D", "routine healing"), ("G", "delayed healing"), ("K", "nonunion"), ("P", "malunion"), ("S", "sequela")]

PNEUMOCOCCAL_RISK = [
    ("I50.1", "Left ventricular failure, unspecified"), ("I50.9", "Heart failure, unspecified"),
    ("I50.20", "Unspecified systolic (congestive) heart failure"), ("I50.22", "Chronic systolic (congestive) heart failure"),
    ("I50.30", "Unspecified diastolic (congestive) heart failure"), ("I50.32", "Chronic diastolic (congestive) heart failure"),
    ("I50.40", "Unspecified combined systolic and diastolic heart failure"),
    ("I50.42", "Chronic combined systolic and diastolic heart failure"), ("I11.0", "Hypertensive heart disease with heart failure"),
    ("I42.0", "Dilated cardiomyopathy"), ("I42.1", "Obstructive hypertrophic cardiomyopathy"),
    ("I42.2", "Other hypertrophic cardiomyopathy"), ("I42.5", "Other restrictive cardiomyopathy"),
    ("I42.6", "Alcoholic cardiomyopathy"), ("I42.8", "Other cardiomyopathies"), ("I42.9", "Cardiomyopathy, unspecified"),
    ("I25.10", "Atherosclerotic heart disease of native coronary artery without angina pectoris"),
    ("I25.5", "Ischemic cardiomyopathy"),
    ("J41.0", "Simple chronic bronchitis"), ("J42", "Unspecified chronic bronchitis"), ("J43.9", "Emphysema, unspecified"),
    ("J44.0", "Chronic obstructive pulmonary disease with (acute) lower respiratory infection"),
    ("J44.1", "Chronic obstructive pulmonary disease with (acute) exacerbation"),
    ("J44.89", "Other specified chronic obstructive pulmonary disease"),
    ("J44.9", "Chronic obstructive pulmonary disease, unspecified"),
    ("J45.20", "Mild intermittent asthma, uncomplicated"), ("J45.30", "Mild persistent asthma, uncomplicated"),
    ("J45.40", "Moderate persistent asthma, uncomplicated"), ("J45.50", "Severe persistent asthma, uncomplicated"),
    ("J45.901", "Unspecified asthma with (acute) exacerbation"), ("J45.909", "Unspecified asthma, uncomplicated"),
    ("J45.998", "Other asthma"), ("J47.9", "Bronchiectasis, uncomplicated"), ("J84.10", "Pulmonary fibrosis, unspecified"),
    ("F10.20", "Alcohol dependence, uncomplicated"), ("D73.0", "Hyposplenism"), ("Q89.01", "Asplenia (congenital)"),
    ("Z90.81", "Acquired absence of spleen"), ("N04.9", "Nephrotic syndrome with unspecified morphologic changes"),
    ("N18.4", "Chronic kidney disease, stage 4 (severe)"), ("G96.00", "Cerebrospinal fluid leak, unspecified"),
    ("Z96.21", "Cochlear implant status"),
]

# Delivery (O80, O82, Z37), aftercare (Z39), termination (Z33.2), ectopic and molar pregnancy, miscarriage and
# abortion (O00 to O08).
PREGNANCY_ENDED = (
    "O80 O82 Z33.2 Z39.0 Z39.1 Z39.2 Z37.0 Z37.1 Z37.2 Z37.3 Z37.4 Z37.50 Z37.51 Z37.52 Z37.53 Z37.54 Z37.59 Z37.60 Z37.61 "
    "Z37.62 Z37.63 Z37.64 Z37.69 Z37.7 Z37.9 O00.00 O00.01 O00.101 O00.102 O00.109 O00.111 O00.112 O00.119 O00.201 O00.202 "
    "O00.209 O00.211 O00.212 O00.219 O00.80 O00.81 O00.90 O00.91 O01.0 O01.1 O01.9 O02.0 O02.1 O02.81 O02.89 O02.9 O03.0 "
    "O03.1 O03.2 O03.30 O03.31 O03.32 O03.33 O03.34 O03.35 O03.36 O03.37 O03.38 O03.39 O03.4 O03.5 O03.6 O03.7 O03.80 "
    "O03.81 O03.82 O03.83 O03.84 O03.85 O03.86 O03.87 O03.88 O03.89 O03.9 O04.5 O04.6 O04.7 O04.80 O04.81 O04.82 O04.83 "
    "O04.84 O04.85 O04.86 O04.87 O04.88 O04.89 O07.0 O07.1 O07.2 O07.30 O07.31 O07.32 O07.33 O07.34 O07.35 O07.36 O07.37 "
    "O07.38 O07.39 O07.4 O08.0 O08.1 O08.2 O08.3 O08.4 O08.5 O08.6 O08.7 O08.81 O08.82 O08.83 O08.89 O08.9").split()

P = "2.16.840.1.113883.3."
# id, title, description, value sets (a pattern picks codes or displays of a wider set), single codes
# (system, code, display, source), what to leave out
SETS = [
    ("mammography", "Mammography", "Mammography, of one or both breasts.", [(P + "464.1003.108.12.1018", None)],
     [(SNOMED, "24623002", "Screening mammography (procedure)", SYNTHEA)]),
    ("bilateral-mastectomy", "Removal of both breasts", "Mastectomy of both breasts, as a procedure or as absence of both.",
     [(P + "464.1003.198.12.1005", None), (P + "464.1003.198.12.1068", None)], []),
    ("left-mastectomy", "Removal of the left breast", "Mastectomy of the left breast, as a procedure or as absence of it.", [],
     [(ICD, "Z90.12", "Acquired absence of left breast and nipple", ICD_ADDED),
      (PCS, "0HTU0ZZ", "Resection of Left Breast, Open Approach", PCS_ADDED)]),
    ("right-mastectomy", "Removal of the right breast", "Mastectomy of the right breast, as a procedure or as absence of it.", [],
     [(ICD, "Z90.11", "Acquired absence of right breast and nipple", ICD_ADDED),
      (PCS, "0HTT0ZZ", "Resection of Right Breast, Open Approach", PCS_ADDED)]),
    ("pap-test", "Cervical cytology", "Cytology of the cervix (Pap test).", [(P + "464.1003.108.12.1017", None)],
     [(SNOMED, "90226004", "Cytopathology procedure, preparation of smear, genital source", SYNTHEA)]),
    ("hpv-test", "HPV test", "Test for high-risk human papilloma virus in the cervix.", [(P + "464.1003.110.12.1059", None)], []),
    ("absence-of-cervix", "No cervix", "Absence of the cervix, or hysterectomy without residual cervix.",
     [(P + "464.1003.111.12.1016", None), (P + "464.1003.198.12.1014", None)], []),
    ("egfr", "Estimated glomerular filtration rate", "Estimated glomerular filtration rate per 1.73 square metres.",
     [(P + "6929.3.1000", None)], [(LOINC, "33914-3", "Glomerular filtration rate/1.73 sq M.predicted", SYNTHEA)]),
    ("urine-albumin-creatinine", "Urine albumin-creatinine ratio", "Albumin-creatinine ratio in urine.", [(P + "6929.3.1007", None)], []),
    ("creatinine", "Creatinine", "Creatinine in serum, plasma or blood.", [(P + "666.5.2363", None)], []),
    ("potassium", "Potassium", "Potassium in serum, plasma or blood.", [("2.16.840.1.113762.1.4.1045.117", None)], []),
    ("retinal-exam", "Eye exam in diabetes", "Retinal or dilated eye exam, or findings of the macula.",
     [(P + "526.3.1251", None), (P + "464.1003.115.12.1088", None)], []),
    ("diabetic-retinopathy", "Diabetic retinopathy", "Diabetic retinopathy.", [(P + "526.3.327", None)], []),
    ("dialysis", "Dialysis", "Dialysis as a service or procedure, and dependence on it.", [(P + "464.1003.109.12.1013", None)],
     [(SNOMED, "265764009", "Renal dialysis (procedure)", SYNTHEA),
      (ICD, "Z99.2", "Dependence on renal dialysis", "code Z99.2 of ICD-10-CM (CDC/NCHS)")]),
    ("hepatitis-c-test", "Hepatitis C antibody test", "Test for antibodies against hepatitis C virus.", [],
     [(LOINC, "16128-1", "Hepatitis C virus Ab [Presence] in Serum", GUIDE),
      (LOINC, "13955-0", "Hepatitis C virus Ab [Presence] in Serum or Plasma by Immunoassay", GUIDE),
      (SNOMED, "104375008", "Hepatitis C antibody test", SYNTHEA)]),
    ("hepatitis-c", "Hepatitis C", "Acute, chronic or unspecified hepatitis C.",
     [("2.16.840.1.113762.1.4.1047.42", r"hepatitis C\b|type C")], []),
    ("hiv-test", "HIV test", "Laboratory test for HIV antibodies or antigen.", [("2.16.840.1.113762.1.4.1056.50", None)],
     [(SNOMED, "31676001", "Human immunodeficiency virus antigen test", SYNTHEA)]),
    ("hiv", "HIV", "Infection with HIV.", [(P + "464.1003.120.12.1003", None)], []),
    ("influenza-vaccine", "Influenza vaccine", "Seasonal influenza vaccine.", [(P + "526.3.1254", None)],
     [(CVX, c, None, CVX_LIST) for c in ("15", "16", "111")]
     + [(CVX, "320", "Influenza, MDCK, trivalent, preservative", CVX_UNREAD)]),
    ("tetanus-diphtheria-vaccine", "Td or Tdap vaccine", "Tetanus and diphtheria vaccine for adults, with or without pertussis.", [],
     [(CVX, c, None, CVX_LIST) for c in ("09", "113", "115", "138", "139")]
     + [(CVX, "196", "Td, adsorbed, preservative free, adult use, Lf unspecified", CVX_UNREAD)]),
    ("zoster-vaccine", "Recombinant zoster vaccine", "Recombinant zoster vaccine; the live vaccine does not count.", [],
     [(CVX, "187", None, CVX_LIST)]),
    ("pneumococcal-complete", "Pneumococcal vaccine that needs no further dose", "20- or 21-valent pneumococcal conjugate vaccine.", [],
     [(CVX, "216", None, CVX_LIST), (CVX, "327", "Pneumococcal conjugate PCV21, polysaccharide CRM197 conjugate, PF", CVX_LIST)]),
    ("pneumococcal-conjugate", "Pneumococcal conjugate vaccine that needs a further one", "13- or 15-valent pneumococcal conjugate vaccine.", [],
     [(CVX, "133", None, CVX_LIST), (CVX, "215", None, CVX_LIST)]),
    ("pneumococcal-ppsv23", "23-valent pneumococcal vaccine", "23-valent pneumococcal polysaccharide vaccine.", [],
     [(CVX, "33", None, CVX_LIST)]),
    ("hepatitis-b-vaccine", "Hepatitis B vaccine", "Hepatitis B vaccine, alone or combined.", [],
     [(CVX, c, None, CVX_LIST) for c in ("08", "42", "43", "44", "45", "51", "104", "110", "132", "146", "189", "198")]
     + [(CVX, "220", "Hepatitis B vaccine recombinant, 3-antigen", CVX_UNREAD)]),
    ("hepatitis-b-vaccine-two-dose", "Hepatitis B vaccine of two doses", "Hepatitis B vaccine with CpG adjuvant, which needs two doses.", [],
     [(CVX, "189", None, CVX_LIST)]),
    ("hepatitis-b", "Hepatitis B", "Acute, chronic or unspecified hepatitis B.", [(P + "67.1.101.1.269", None)], []),
    ("depression-screening", "Depression screening", "Total score of a questionnaire for depression, or the screening as a procedure.",
     [(P + "67.1.101.1.263", None)],
     [(LOINC, "55758-7", "Patient Health Questionnaire 2 item (PHQ-2) total score [Reported]", GUIDE),
      (SNOMED, "171207006", "Depression screening (procedure)", SYNTHEA),
      (SNOMED, "454711000124102", "Depression screening using Patient Health Questionnaire Two-Item score (procedure)", SYNTHEA),
      (SNOMED, "715252007", "Depression screening using Patient Health Questionnaire Nine Item score (procedure)", SYNTHEA)]),
    ("depression", "Depression", "Major depression.", [(P + "464.1003.105.12.1007", None)],
     [(ICD, "F32.A", "Depression, unspecified", ICD_ADDED), (ICD, "F34.1", "Dysthymic disorder", ICD_ADDED),
      (SNOMED, "370143000", "Major depression disorder", SYNTHEA)]),
    ("bipolar-disorder", "Bipolar disorder", "Bipolar disorder.", [(P + "67.1.101.1.128", None)], []),
    ("psychosis", "Schizophrenia or psychotic disorder", "Schizophrenia or another psychotic disorder.",
     [(P + "464.1003.105.12.1104", None), (P + "464.1003.105.12.1205", None)], []),
    ("seizure", "Seizure disorder", "Epilepsy or another seizure disorder.", [(P + "464.1003.105.12.1206", None)], []),
    ("tobacco-screening", "Tobacco use asked", "Status of tobacco use, as asked.", [(P + "526.3.1278", None)], []),
    ("dxa-scan", "Bone density scan", "Bone density by dual energy X-ray absorptiometry.", [(P + "464.1003.113.12.1051", None)],
     [(SNOMED, "312681000", "Bone density scan (procedure)", SYNTHEA)]),
    ("osteoporosis", "Osteoporosis", "Osteoporosis, with or without a fracture.",
     [("2.16.840.1.113762.1.4.1147.120", r"^M8[01]")],
     [(ICD, code + encounter, f"{name}, {word}", ICD_ADDED)
      for code, name in OSTEOPOROTIC_FRACTURES for encounter, word in LATER_ENCOUNTERS]
     + [(ICD, "M81.0", "Age-related osteoporosis without current pathological fracture", ICD_CHAPTER),
      (ICD, "M81.6", "Localized osteoporosis [Lequesne]", ICD_CHAPTER),
      (ICD, "M81.8", "Other osteoporosis without current pathological fracture", ICD_CHAPTER),
      (SNOMED, "64859006", "Osteoporosis (disorder)", SYNTHEA),
      (SNOMED, "443165006", "Pathological fracture due to osteoporosis (disorder)", SYNTHEA)]),
    ("ascvd", "Atherosclerotic cardiovascular disease",
     "Myocardial infarction, other ischemic heart disease, stroke or transient ischemic attack, peripheral artery disease.",
     # The sequelae of bleeding (I69.0 to I69.2) are no atherosclerosis.
     [(oid, r"^(?:\d+$|I69\.[^012]|(?!I69)[A-Z]\d)") for oid in
      (P + "526.3.403", "2.16.840.1.113762.1.4.1047.46", "2.16.840.1.113762.1.4.1047.44", "2.16.840.1.113762.1.4.1047.21",
       "2.16.840.1.113762.1.4.1047.47")],
     [(ICD, f"{kind}.5{gangrene}", f"{name} with diabetic peripheral angiopathy {word} gangrene", ICD_ADDED)
      for kind, name in (("E10", "Type 1 diabetes mellitus"), ("E11", "Type 2 diabetes mellitus"), ("E13", "Other specified diabetes mellitus"))
      for gangrene, word in (("1", "without"), ("2", "with"))]
     + [(SNOMED, "53741008", "Coronary Heart Disease", SYNTHEA), (SNOMED, "230690007", "Stroke", SYNTHEA),
      (SNOMED, "399211009", "History of myocardial infarction (situation)", SYNTHEA),
      (ICD, "I73.9", "Peripheral vascular disease, unspecified", ICD_ADDED),
      (ICD, "Z95.1", "Presence of aortocoronary bypass graft", ICD_ADDED),
      (ICD, "Z95.5", "Presence of coronary angioplasty implant and graft", ICD_ADDED)]),
    ("pregnancy-ended", "End of a pregnancy", "Delivery, miscarriage, ectopic pregnancy, abortion and their aftercare.", [],
     [(ICD, code, None, ICD_ADDED) for code in PREGNANCY_ENDED]),
    ("statin-intolerance", "Muscle disease under statins", "Muscle symptoms attributed to statins, or rhabdomyolysis.",
     [("2.16.840.1.113762.1.4.1108.85", None), ("2.16.840.1.113762.1.4.1047.102", None)], []),
    ("liver-disease", "Liver disease", "Active liver disease, which speaks against a statin.", [("2.16.840.1.113762.1.4.1047.42", None)], []),
    ("dialysis-dependence", "Kidney failure with dialysis", "End-stage kidney disease, or dependence on dialysis.", [(P + "526.3.353", None)],
     [(ICD, "Z99.2", "Dependence on renal dialysis", "code Z99.2 of ICD-10-CM (CDC/NCHS)")]),
    ("breastfeeding", "Breastfeeding", "Breastfeeding.", [("2.16.840.1.113762.1.4.1047.73", None)], []),
    ("long-qt", "Long QT syndrome", "Long QT syndrome or torsades de pointes.",
     [("2.16.840.1.113762.1.4.1029.341", r"Long QT|[Tt]orsades")], []),
    ("aortic-aneurysm", "Aortic aneurysm", "Aneurysm of the aorta, which is followed up, not screened for.",
     [("2.16.840.1.113762.1.4.1029.219", None)], []),
    # "Smoker" is F17.200 in the index of ICD-10-CM; what is chewed (F17.22), vaporised or else (F17.29) is not smoking.
    ("nicotine-dependence", "Nicotine dependence by smoking", "Dependence on nicotine of cigarettes, or of a product that is not named, without what is in remission.",
     [("2.16.840.1.113762.1.4.1029.320", r"^F17\.2[01][^1]$")], [(SNOMED, "449868002", "Smokes tobacco daily", SYNTHEA)]),
    ("pregnancy-due-date", "Expected date of delivery", "Expected date of delivery, by whatever method.", [],
     [(LOINC, "11778-8", "Delivery date Estimated", IPS), (LOINC, "11779-6", "Delivery date Estimated from last menstrual period", IPS),
      (LOINC, "11780-4", "Delivery date Estimated from ovulation date", IPS)]),
    ("body-weight", "Body weight", "Body weight.", [], [(LOINC, "29463-7", "Body weight", SYNTHEA)]),
    ("bmi", "Body mass index", "Body mass index.", [], [(LOINC, "39156-5", "Body mass index (BMI) [Ratio]", SYNTHEA)]),
    ("breast-cancer", "Breast cancer", "Cancer of the breast, invasive or in situ, present or in history.",
     [(P + "526.3.1010", r"^C50|breast.*\(disorder\)")],
     [(ICD, f"D05.{kind}{side}", f"{name} of {where} breast", ICD_ADDED)
      for kind, name in (("0", "Lobular carcinoma in situ"), ("1", "Intraductal carcinoma in situ"),
                         ("8", "Other specified type of carcinoma in situ"), ("9", "Unspecified type of carcinoma in situ"))
      for side, where in (("0", "unspecified"), ("1", "right"), ("2", "left"))]
     + [(ICD, "Z85.3", "Personal history of malignant neoplasm of breast", ICD_ADDED),
        (ICD, "Z86.000", "Personal history of in-situ neoplasm of breast", ICD_ADDED),
        (SNOMED, "254837009", "Malignant neoplasm of breast (disorder)", SYNTHEA)]),
    ("cervical-cancer", "Cervical cancer or high-grade precancer",
     "Cancer of the cervix, carcinoma in situ or moderate dysplasia of it, present or in history.",
     [(P + "526.3.1010", r"^C53|(cervix uteri|uterine cervix|of cervix).*\(disorder\)")],
     [(ICD, "D06.0", "Carcinoma in situ of endocervix", ICD_ADDED), (ICD, "D06.1", "Carcinoma in situ of exocervix", ICD_ADDED),
      (ICD, "D06.7", "Carcinoma in situ of other parts of cervix", ICD_ADDED),
      (ICD, "D06.9", "Carcinoma in situ of cervix, unspecified", ICD_ADDED),
      (ICD, "N87.1", "Moderate cervical dysplasia", ICD_ADDED),
      (ICD, "Z85.41", "Personal history of malignant neoplasm of cervix uteri", ICD_ADDED),
      (ICD, "Z86.001", "Personal history of in-situ neoplasm of cervix uteri", ICD_ADDED)]),
    ("lung-cancer", "Lung cancer", "Cancer of bronchus or lung, present or in history.", [(P + "526.3.1010", r"^C34|(lung|[Bb]ronch).*\(disorder\)")],
     [(ICD, "Z85.118", "Personal history of other malignant neoplasm of bronchus and lung", ICD_ADDED),
      (SNOMED, "254637007", "Non-small cell lung cancer (disorder)", SYNTHEA),
      (SNOMED, "424132000", "Non-small cell carcinoma of lung, TNM stage 1 (disorder)", SYNTHEA)]),
    ("type-1-diabetes", "Type 1 diabetes", "Type 1 diabetes mellitus, with or without complications.",
     [(P + "464.1003.103.12.1001", r"^E10|(?<!young, )[Tt]ype 1\b")], []),
    ("immunocompromised", "Immunocompromising conditions", "Conditions that compromise the immune system: cancer of blood and lymph, immunodeficiency, HIV and others.",
     [(P + "666.5.1940", None)], []),
    # Without lack of antibodies, of granulocytes and of all blood cells: what keeps zoster down is cellular immunity.
    ("zoster-risk", "Impaired cellular immunity", "Conditions that impair cellular immunity: cancer of blood and lymph, immunodeficiency, HIV and others.",
     [(P + "666.5.1940", r"^(?:\d+$|(?!D61|D70|D73|D80)[A-Z]\d)")], []),
    ("pneumococcal-risk", "Risk of pneumococcal disease", "Heart failure, cardiomyopathy, chronic lung disease, alcohol dependence, sickle cell disease, no spleen, nephrotic syndrome, leak of cerebrospinal fluid, cochlear implant.",
     [("2.16.840.1.113762.1.4.1111.175", None)],
     [(ICD, code, name, ICD_ADDED) for code, name in PNEUMOCOCCAL_RISK]),
    ("chest-ct-screening", "CT of the chest for screening", "Computed tomography of the chest for screening, with low dose.",
     [(P + "464.1003.198.12.1034", r"^CT Chest for screening")],
     [(HCPCS[0], "G0297", "Low dose CT scan (LDCT) for lung cancer screening", HCPCS_ADDED),
      (SNOMED, "16334891000119106", "Low dose computed tomography of thorax (procedure)", SYNTHEA)]),
    ("abdominal-aorta-imaging", "Imaging of the abdominal aorta", "Ultrasound or computed tomography that shows how wide the abdominal aorta is.",
     [(P + "464.1003.198.12.1034", r"^CT Abdominal Aorta")],
     [(LOINC, "24534-0", "US.doppler Abdominal vessels", IMAGING),
      (HCPCS[0], "G0389", "Ultrasound b-scan and/or real time with image documentation; for abdominal aortic aneurysm (aaa) screening", HCPCS_ADDED)]),
    ("pack-years", "Cigarette pack-years", "Packs of cigarettes a day, times the years of smoking.", [],
     [(LOINC, "8664-5", "Cigarettes smoked total (pack per year) - Reported", LOINC_MEMORY),
      (SNOMED, "401201003", "Cigarette pack-years (observable entity)", US_CORE)]),
    ("smoker", "Smokes now", "Smokes tobacco now, as the answer to a question.",
     [(P + "526.3.1170", r"(?i)smoker|smokes")],
     [(LOINC, "LA18976-3", "Current every day smoker", LOINC_ANSWERS), (LOINC, "LA18977-1", "Current some day smoker", LOINC_ANSWERS),
      (LOINC, "LA18981-3", "Heavy tobacco smoker", LOINC_ANSWERS),
      (LOINC, "LA18982-1", "Light tobacco smoker", LOINC_ANSWERS), (LOINC, "LA20356-4", "Current smoker", LOINC_ANSWERS)]),
    ("former-smoker", "Smoked formerly", "Smoked tobacco formerly, or whether it goes on is not known; as the answer to a question or as a problem.",
     [(P + "526.3.1189", r"(?i)^(?!.*(electronic|smokeless))(?=.*(smok|cigarette)).*(\bex-|\bex |former)")],
     [(LOINC, "LA18979-7", "Smoker, current status unknown", LOINC_ANSWERS), (LOINC, "LA15920-4", "Former smoker", LOINC_ANSWERS),
      (ICD, "F17.201", "Nicotine dependence, unspecified, in remission", ICD_ADDED),
      (ICD, "F17.211", "Nicotine dependence, cigarettes, in remission", ICD_ADDED),
      (ICD, "Z87.891", "Personal history of nicotine dependence", ICD_ADDED)]),
    ("non-smoker", "Does not smoke now", "Smoked formerly or never, as the answer to a question.",
     [(P + "526.3.1189", r"(?i)^(?!.*(electronic|smokeless))(?=.*(smok|cigarette)).*(\bex-|\bex |former|never smoked|non-?smoker|does not smoke)")],
     [(LOINC, "LA15920-4", "Former smoker", LOINC_ANSWERS), (LOINC, "LA18978-9", "Never smoker", LOINC_ANSWERS)]),
    ("smoking-status", "Smoking status", "Status of smoking tobacco, as asked.", [],
     [(LOINC, "72166-2", "Tobacco smoking status", GUIDE)]),
    ("smoking-cessation-help", "Help to stop smoking", "Counselling of somebody who wants to stop using tobacco, or should.",
     [(P + "526.3.509", None)],
     [(HCPCS[0], "G0436", "Smoking and tobacco cessation counseling visit for the asymptomatic patient; intermediate, greater than 3 minutes, up to 10 minutes", HCPCS_ADDED),
      (HCPCS[0], "G0437", "Smoking and tobacco cessation counseling visit for the asymptomatic patient; intensive, greater than 10 minutes", HCPCS_ADDED)]),
    ("inr", "INR", "International normalized ratio of the prothrombin time.", [(P + "117.1.7.1.213", None)], []),
]


def read_sources(shared):
    """Value sets by OID: title, release, and codes as (system, code, display)."""
    found, names = {}, {}

    def offer(oid, title, release, codes):
        names.update({(s, c): d for s, c, d in codes if d})
        if oid not in found or len(codes) > len(found[oid][2]):
            found[oid] = (title, release, codes)

    with open(f"{shared}/knowledge/code-lists/valueset-codes.csv", newline="") as file:
        rows = {}
        for row in csv.DictReader(file):
            key = (row["value_set_oid"], row["title"], row["source_release"])
            rows.setdefault(key, []).append((ALIASES.get(row["system"], row["system"]), row["code"], row["display"] or None))
        for (oid, title, release), codes in rows.items():
            if all(system.startswith("http") for system, _, _ in codes):
                offer(oid, title, release, codes)
    for folder, release in (("ecqm", "eCQM-QICore-2025"), ("ecqm-2024", "eCQM-QICore-2024")):
        for path in sorted(glob.glob(f"{shared}/conformance/{folder}/**/valuesets.ndjson", recursive=True)):
            for line in open(path):
                one = json.loads(line)
                codes = [(x["system"], x["code"], x.get("display")) for x in one.get("expansion", {}).get("contains", [])]
                for include in one.get("compose", {}).get("include", []):
                    codes += [(include["system"], x["code"], x.get("display")) for x in include.get("concept", [])]
                codes = [(ALIASES.get(s, s), c, d) for s, c, d in codes]
                offer(one["url"].rsplit("/", 1)[1], one.get("title") or one.get("name"), release, list(dict.fromkeys(codes)))
    return {oid: (title, release, [(s, c, d or names.get((s, c))) for s, c, d in codes])
            for oid, (title, release, codes) in found.items()}


def collect(sources, wanted, single):
    codes, lines, releases, oids = {}, [], [], []
    for oid, pattern in wanted:
        title, release, members = sources[oid]
        picked = [m for m in members if not pattern or re.search(pattern, m[1]) or re.search(pattern, m[2] or "")]
        for system, code, display in picked:
            codes.setdefault((system, code), display)
        called = f"value set {oid}" + (f" ({title})" if title else "") + f" of {RELEASES[release]}"
        lines.append(("" if not pattern else "part of ") + called)
        releases.append(release)
        oids.append(oid)
    for system, code, display, source in single:
        codes.setdefault((system, code), display)
        if source not in lines:
            lines.append(source)
    return codes, lines, list(dict.fromkeys(releases)), oids


def write(folder, name, base, version, title, description, purpose, notices, codes):
    entries = []
    for (system, code), display in sorted(codes.items()):
        for written in HCPCS if system == HCPCS[0] else [system]:
            entries.append({"system": written, "code": code} | ({"display": display} if display else {}))
    entries.sort(key=lambda e: (e["system"], e["code"]))
    url = f"https://tandem-cds.dev/ValueSet/{base}"
    made = {
        "resourceType": "ValueSet", "id": name, "url": url, "version": version,
        "name": "".join(part.capitalize() for part in name.split("-")), "title": title, "status": "draft",
        "experimental": False, "publisher": "Tandem", "description": description, "purpose": purpose,
    }
    if notices:
        made["copyright"] = notices
    made["expansion"] = {"identifier": f"{url}/{version}", "timestamp": TIME, "total": len(entries), "contains": entries}
    text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    with open(os.path.join(folder, name + ".json"), "w") as file:
        file.write(text)
    return len(entries), hashlib.sha256(text.encode()).hexdigest()


def main(shared):
    sources = read_sources(shared)
    with open(f"{shared}/knowledge/code-lists/cvx-codes.csv", newline="") as file:
        vaccines = {row["cvx"]: row["display"] for row in csv.DictReader(file)}
    labels = {LOINC: "LOINC", ICD: "ICD-10-CM", CVX: "CVX", PCS: "ICD-10-PCS", RXNORM: "RxNorm", HCPCS[0]: "HCPCS"}
    rows, optional, in_optional = [], [], 0
    for name, title, description, wanted, single in SETS:
        codes, lines, releases, oids = collect(sources, wanted, single)
        codes = {k: (vaccines.get(k[1], v) if k[0] == CVX and not v else v) for k, v in codes.items()}
        shipped = {k: v for k, v in codes.items() if k[0] in SHIPPED}
        snomed = {k: v for k, v in codes.items() if k[0] == SNOMED}
        left = sorted({k[0] for k in codes} - set(SHIPPED) - {SNOMED})
        purpose = "Source: " + "; ".join(lines) + "."
        out = []
        if snomed:
            out.append(f"{len(snomed)} SNOMED CT codes (optional supplement {name}-snomed)")
        for system in left:
            count = sum(1 for k in codes if k[0] == system)
            out.append(f"{count} codes of {system}")
        purpose += f" Left out of this set: {'; '.join(out)}." if out else ""
        if any(k[0] == HCPCS[0] for k in shipped):
            purpose += " HCPCS codes are listed under both urls in use, http and https."
        notice = LOINC_NOTICE if any(k[0] == LOINC for k in shipped) else None
        if not shipped:
            sys.exit(f"{name}: no code that may be shipped")
        entries, digest = write(BUILT_IN, name, name, VERSION, title, description, purpose, notice, shipped)
        counts = ", ".join(f"{labels[s]} {n}" for s in SHIPPED if (n := sum(1 for k in shipped if k[0] == s)))
        source = ", ".join(oids) or "see `purpose`"
        rows.append(f"| {name} | {counts} | {entries} | {source} | {', '.join(releases) or '–'} | `{digest}` |")
        if snomed:
            about = f"Optional supplement: adds to https://tandem-cds.dev/ValueSet/{name}. Source: " + "; ".join(lines) + "."
            entries, digest = write(OPTIONAL, name + "-snomed", name, VERSION + "-snomed", title + " (SNOMED CT supplement)",
                                    description, about, SNOMED_NOTICE, snomed)
            in_optional += entries
            optional.append(f"| {name}-snomed | {entries} | {source} | {', '.join(releases) or '–'} | `{digest}` |")
    print("\n".join(rows), "\n", "\n".join(optional), sep="\n")
    print(f"\n{len(optional)} value sets, {in_optional:,} codes.")


main(sys.argv[1])
