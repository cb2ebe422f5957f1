#!/usr/bin/env python3
"""Writes the tables of the drug-safety families, rules/content/drug-safety/*.csv, from the knowledge pack.

Usage: rules/gen/tables.py ../shared

A row whose statement was not read in a source goes to the table of the same name with `-unconfirmed`, whose
family is a draft. What the pack says in prose (thresholds, lists with combination partners in them) is
curated here, line by line, and everything left out says why.
"""
import csv, os, sys
import yaml

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OUT = os.path.join(ROOT, "rules", "content", "drug-safety")

ANSM = ("ANSM interaction thesaurus, 2016", "https://ansm.sante.fr/documents/reference/thesaurus-des-interactions-medicamenteuses-1")
LABEL = ("FDA label", "https://dailymed.nlm.nih.gov/dailymed/")
SOURCES = {
    "ONC-HP": ("ONC high-priority interactions, 2012", "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC3422823/"),
    "ANSM-WV-2016": ANSM,
    "FDA-SPL-2014": LABEL,
    "PMC9218784": ("ONC high-priority interactions", "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC9218784/"),
    "FDA 2011": ("FDA safety communication on simvastatin, 2011", "https://www.fda.gov/drugs/drug-safety-and-availability"),
    "FDA DSC 2016-08-31": ("FDA safety communication on opioids and benzodiazepines, 2016", "https://www.fda.gov/drugs/drug-safety-and-availability"),
    "BMJ 2014": ("Fralick et al., BMJ 2014", "https://pubmed.ncbi.nlm.nih.gov/25359996/"),
    "PMID 25646289": ("Antoniou et al., CMAJ 2015", "https://pubmed.ncbi.nlm.nih.gov/25646289/"),
    "renalandurologynews": ("Monograph of naltrexone, renalandurologynews.com", "https://www.renalandurologynews.com/"),
    "ONC low-priority": ("ONC low-priority interactions", ""),
    "label": LABEL,
}


def sources_of(one):
    found = []
    for source in one["sources"]:
        if not source.get("seen", True) or source["id"] == "GENERAL":
            continue
        key = source["id"]
        if key == "WEB":
            ref = source["ref"]
            key = next((k for k in ("PMC9218784", "FDA 2011", "FDA DSC 2016-08-31", "BMJ 2014", "PMID 25646289", "renalandurologynews", "ONC low-priority") if k in ref), "label")
            key = "FDA 2011" if "2011" in ref else key
        if key in SOURCES and SOURCES[key] not in found:
            found.append(SOURCES[key])
    return ("; ".join(label for label, _ in found) or "General label knowledge", next((url for _, url in found if url), "") if found else LABEL[1])


def sentence(text):
    text = text.strip()
    return text[:1].upper() + text[1:] if not text[:2].isupper() else text


def side(members):
    return "|".join(f"class:{m['class']}" if "class" in m else m["ingredient"] for m in members if "class" in m or m.get("rxcui"))


def table(name, columns, rows):
    with open(os.path.join(OUT, name + ".csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(columns)
        out.writerows(rows)
    print(f"{name}: {len(rows)} rows")


# What the pack leaves open, or has at another level than its sources, and was read since: in the text of the US
# label or of the FDA, as it stood at the address. The day is that of the reading.
READ_ON = "2026-11-30"


def was_read(what, url):
    return (f"{what} (read {READ_ON})", url)


def copy(what, where, url):
    """A label as a page that is not the FDA's shows it."""
    return was_read(f"{what}, copied at {where}", url)


FLAGYL = copy("Label of Flagyl, Contraindications and Drug Interactions", "druglib.com", "http://www.druglib.com/druginfo/flagyl/interactions_overdosage_contraindications/")
READ = {
    "ac-03": FLAGYL,
    "id-16": FLAGYL,
    "cns-02": was_read("FDA safety communication on gabapentinoids, 19 December 2019", "https://fda.gov/drugs/drug-safety-and-availability/fda-warns-about-serious-breathing-problems-seizure-and-nerve-pain-medicines-gabapentin-neurontin"),
    "cns-24": was_read("FDA label of Wellbutrin, Contraindications, March 2013; the 14 days after bupropion by section 7.6 of the label of bupropion in openFDA, quoted in a public repository", "https://www.drugs.com/labeling-changes/March-2013/wellbutrin-bupropion-hydrochloride-wellbutrin-sr-bupropion-hydrochloride-sustained-release-3211.html"),
}
# Contraindications of the pack for which nothing that was read gives that level: shown as major, and why stands with
# the source. The drugs of them that a label contraindicates are rows of their own (MORE).
LOWER = {
    "cns-08": ("major", "not recommended there; for these tricyclics no label was read"),
    "cns-10": ("major", "not recommended or to be taken into account there; for these pairs no label was read that contraindicates them"),
    "cv-09": ("major", "the label contraindicates it in diabetes, which this table does not ask for"),
    "cv-13": ("major", "the labels of spironolactone, amiloride and triamterene say not to, that of eplerenone contraindicates it in hypertension"),
}
# What the pack advises for several drugs at once, in words that fit the row.
MANAGEMENT = {
    "onc-04": "Do not combine; 14 days between the last dose of the one and the first of the other, either way",
    "cns-24": "Do not combine; 14 days between the last dose of the one and the first of the other, either way",
    "cns-22": "Do not combine",
    "cv-09": "In diabetes do not combine (contraindicated); otherwise avoid, above all at a clearance below 60 mL/min",
    "cv-13": "Do not combine unless potassium is low, and then check it closely; eplerenone for hypertension: contraindicated",
}
# Days that must lie between the last dose of one and the first of the other, as the management of the pack or a
# label says: after the precipitant, after the object. Gaps of hours (nitrates, triptans with ergots) are not here: the
# record does not tell the hour of the last dose.
DAYS_BETWEEN = {
    "onc-01": (14, ""), "onc-04": (14, 14), "onc-05": (7, ""), "onc-06": (14, ""), "onc-07": (14, 14), "onc-15": (14, ""),
    "cns-24": (14, 14), "cns-04": ("", 10), "cv-10": (2, 2), "id-16": ("", 14),
}
# The antidepressants of onc-04 whose labels give another time before an MAO inhibitor have rows of their own.
# Quetiapine of cns-22 is not contraindicated: it has a row of its own.
OBJECTS = {"onc-04": "citalopram|escitalopram|fluvoxamine|paroxetine|sertraline", "cns-22": "lurasidone"}
SEROTONIN = ("Additive serotonergic effect", "Serotonin syndrome")
BLEEDING = ("Additive haemostatic impairment", "Major bleeding")
CYP3A = ("CYP3A4 inhibition", "Deep sedation")
URGENT = "Do not start unless urgent; stop antidepressant, monitor 2 weeks"


def apart(drug, days):
    return f"Do not combine; {days} days after {drug}, 14 days after the MAO inhibitor"


TRICYCLICS = "http://www.fda.gov/Safety/MedWatch/SafetyInformation/ucm327699.htm"
# Rows that were read, the interaction of the pack that they are part of (if any) before the dot: severity, object,
# precipitant, days after each, mechanism and effect, management, source.
MORE = [
    ("onc-04.fluoxetine", "contraindicated", "fluoxetine", "class:maoi", 14, 35, *SEROTONIN, "Do not combine; 5 weeks after fluoxetine, 14 days after the MAO inhibitor",
     was_read("FDA label of Prozac, section 4.1", "http://www.drugs.com/labeling-changes/January-2013/prozac-fluoxetine-hcl-10-mg-20-mg-40-mg-capsules-prozac-fluoxetine-hcl-delayed-release-90-mg-3114.html")),
    ("onc-04.venlafaxine", "contraindicated", "venlafaxine", "class:maoi", 14, 7, *SEROTONIN, "Do not combine; 7 days after venlafaxine, 14 days after the MAO inhibitor",
     was_read("FDA label of venlafaxine, Contraindications, December 2012", "http://www.fda.gov/Safety/MedWatch/SafetyInformation/ucm335420.htm")),
    ("onc-04.duloxetine", "contraindicated", "duloxetine", "class:maoi", 14, 5, *SEROTONIN, "Do not combine; 5 days after duloxetine, 14 days after the MAO inhibitor",
     was_read("FDA label of Cymbalta, Contraindications, October 2012", "http://www.fda.gov/Safety/MedWatch/SafetyInformation/ucm319241.htm")),
    ("onc-04.desvenlafaxine", "contraindicated", "desvenlafaxine", "class:maoi", 14, 7, *SEROTONIN, apart("desvenlafaxine", 7),
     was_read("Label of desvenlafaxine, Contraindications, as the maker tells it", "https://www.teva.co.il/news-and-media/latest-news/launch-of-generic-pristio-us/")),
    ("onc-04.milnacipran", "contraindicated", "milnacipran", "class:maoi", 14, 5, *SEROTONIN, apart("milnacipran", 5),
     was_read("Monograph of milnacipran, Drug Interactions", "http://www.medicinenet.com/milnacipran/page2.htm")),
    ("onc-04.levomilnacipran", "contraindicated", "levomilnacipran", "class:maoi", 14, 7, *SEROTONIN, apart("levomilnacipran", 7),
     copy("Label of Fetzima, Contraindications", "rxlist.com", "http://www.rxlist.com/fetzima-drug/overdosage-contraindications.htm")),
    ("onc-04.nefazodone", "contraindicated", "nefazodone", "class:maoi", 14, 7, *SEROTONIN, apart("nefazodone", 7),
     was_read("Monograph of nefazodone, Contraindications and Precautions", "https://www.empr.com/nefazodone/drug/413/")),
    ("onc-04.vortioxetine", "contraindicated", "vortioxetine", "class:maoi", 14, 21, *SEROTONIN, apart("vortioxetine", 21),
     copy("Label of Trintellix, section 7.1", "medlibrary.org", "https://medlibrary.org/lib/rx/meds/trintellix-1/page/3/")),
    ("onc-04.vilazodone", "contraindicated", "vilazodone", "class:maoi", 14, 14, *SEROTONIN, apart("vilazodone", 14),
     was_read("Monograph of Viibryd, Contraindications", "https://www.oncologynurseadvisor.com/drug/viibryd/")),
    ("onc-04.mirtazapine", "contraindicated", "mirtazapine", "class:maoi", 14, 14, *SEROTONIN, apart("mirtazapine", 14),
     copy("Label of Remeron, Contraindications", "scholarsinmedicine.com", "https://scholarsinmedicine.com/resources/drugs/50")),
    # How long to wait after trazodone nothing that was read says.
    ("onc-04.trazodone", "contraindicated", "trazodone", "class:maoi", 14, "", *SEROTONIN, "Do not combine; 14 days after the MAO inhibitor; after trazodone see its label",
     was_read("FDA class labelling of antidepressants, Warnings, which names Oleptro (trazodone), November 2012; the 14 days by psychiatrienet.nl, tranylcypromine to trazodone", TRICYCLICS)),
    ("cns-08.others", "contraindicated", "linezolid|methylene blue", "vilazodone|mirtazapine|trazodone", "", "", "MAO-A inhibition", "Serotonin syndrome", URGENT,
     was_read("FDA labels of Viibryd, Remeron and Oleptro, Contraindications, October to December 2012", "http://www.fda.gov/Safety/MedWatch/SafetyInformation/ucm335517.htm")),
    ("cns-08.vortioxetine", "contraindicated", "linezolid|methylene blue", "vortioxetine", "", "", "MAO-A inhibition", "Serotonin syndrome",
     "Do not start unless urgent; stop vortioxetine, monitor 3 weeks", copy("Label of Trintellix, section 7.1", "medlibrary.org", "https://medlibrary.org/lib/rx/meds/trintellix-1/page/3/")),
    ("cns-24.linezolid", "contraindicated", "linezolid|methylene blue", "bupropion", "", "", "Monoamine excess", "Hypertensive reactions",
     "Do not start one under the other unless urgent; then stop bupropion and monitor", was_read("FDA label of Wellbutrin, Contraindications, March 2013", "https://www.drugs.com/labeling-changes/March-2013/wellbutrin-bupropion-hydrochloride-wellbutrin-sr-bupropion-hydrochloride-sustained-release-3211.html")),
    ("cns-04.depot", "contraindicated", "class:opioid_full", "naltrexone", 28, "", "Opioid receptor antagonism", "Lost analgesia; overdose when it is overcome",
     "Depot naltrexone blocks opioids for about 28 days: another kind of analgesia", copy("Label of Vivitrol, section 5.1, December 2025", "prescriberpoint.com", "https://prescriberpoint.com/therapies/vivitrol-cd11c43")),
    ("cns-22.quetiapine", "major", "quetiapine", "class:cyp3a4_strong_inh", "", "", "CYP3A4 inhibition", "Over-sedation, QT", "One sixth of the dose of quetiapine", ANSM),
    ("cns-08.ssri", "contraindicated", "linezolid|methylene blue", "class:ssri", "", "", "MAO-A inhibition", "Serotonin syndrome", URGENT,
     was_read("FDA label of Zoloft, Contraindications, December 2012", "http://www.fda.gov/Safety/MedWatch/SafetyInformation/Safety-RelatedDrugLabelingChanges/ucm116470.htm")),
    ("cns-08.snri", "contraindicated", "linezolid|methylene blue", "class:snri", "", "", "MAO-A inhibition", "Serotonin syndrome", URGENT,
     was_read("FDA label of Cymbalta, Contraindications, October 2012", "http://www.fda.gov/Safety/MedWatch/SafetyInformation/ucm319241.htm")),
    ("cns-08.tca", "contraindicated", "linezolid|methylene blue", "clomipramine|imipramine|nortriptyline", "", "", "MAO-A inhibition", "Serotonin syndrome", URGENT,
     was_read("FDA labels of tricyclic antidepressants, Contraindications, October 2012", TRICYCLICS)),
    ("cns-10.azoles", "contraindicated", "alprazolam|triazolam", "ketoconazole|itraconazole", "", "", *CYP3A, "Do not combine; lorazepam/oxazepam instead",
     copy("Label of alprazolam, Contraindications", "wikidoc.org", "https://wikidoc.org./index.php?diff=618947&oldid=618931&title=Alprazolam_contraindications")),
    ("cns-10.triazolam", "contraindicated", "triazolam", "clarithromycin|nefazodone|class:hiv_pi", "", "", *CYP3A, "Do not combine; lorazepam/oxazepam instead",
     was_read("Monograph of Halcion, Contraindications", "https://www.neurologyadvisor.com/drug/halcion/")),
    # Edoxaban is among the unconfirmed: its label was not read.
    ("doac.apixaban", "major", "apixaban", "class:antiplatelet", "", "", *BLEEDING, "Confirm indication for both; gastroprotect",
     was_read("FDA label of Eliquis, section 7.3, 2014", "https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid=e9481622-7cc6-418a-acb6-c5450daae9b0")),
    ("doac.rivaroxaban", "major", "rivaroxaban", "class:antiplatelet", "", "", *BLEEDING, "Confirm indication for both; gastroprotect",
     was_read("FDA label of Xarelto, section 7.3, 2014", "https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid=10db92f9-2300-4a80-836b-673e1ae91610")),
    ("doac.dabigatran", "major", "dabigatran etexilate", "class:antiplatelet", "", "", *BLEEDING, "Confirm indication for both; gastroprotect",
     was_read("FDA label of Pradaxa, section 5, 2014", "https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid=ba74e3cd-b06f-4145-b284-5fd6b84ff3c9")),
]
# RxNorm has lithium carbonate and citrate as ingredients of their own, the pack has the element: each row of it is
# one of the salts, too.
SALTS = {"lithium": "lithium carbonate|lithium citrate"}
# Rows that nobody has read in a source: beside those of the pack.
UNCONFIRMED = [
    ("doac.edoxaban", "major", "edoxaban", "class:antiplatelet", "", "", *BLEEDING, "Confirm indication for both; gastroprotect", ("General label knowledge", LABEL[1])),
]
# The row is about these preparations of the precipitant: what their names contain.
FORMS = {"cns-04.depot": "Injection"}
# Object and precipitant share members: the same drug twice is no interaction.
SAME = {"onc-08", "id-21"}
RANK = {"contraindicated": 0, "major": 1, "moderate": 2}
INDICATOR = {"contraindicated": "critical", "major": "warning", "moderate": "info"}


def interactions(shared):
    with open(f"{shared}/knowledge/drug-interactions.yaml") as file:
        all_rows = yaml.safe_load(file)["interactions"]
    columns = ["interaction", "severity", "indicator", "object", "precipitant", "overlap", "days_after_precipitant", "days_after_object",
               "precipitant_form", "mechanism", "effect", "management", "source", "url"]
    for confirmed, name in ((True, "drug-drug-interactions"), (False, "drug-drug-interactions-unconfirmed")):
        rows = []
        for one in all_rows:
            # id-22 is metformin and contrast medium, which is a procedure: metformin-renal tells of it.
            id = one["id"]
            if (one["confirmed"] or id in READ) != confirmed or not side(one["precipitant"]):
                continue
            severity, why = LOWER.get(id, (one["severity"], ""))
            label, url = READ[id] if id in READ else sources_of(one)
            label = f"{label} ({why})" if why else label
            rows.append([id, severity, INDICATOR[severity], OBJECTS.get(id) or side(one["object"]), side(one["precipitant"]),
                         "yes" if id in SAME else "", *DAYS_BETWEEN.get(id, ("", "")), "", sentence(one["mechanism"]), sentence(one["effect"]),
                         MANAGEMENT.get(id) or sentence(one["management"]), label, url])
        for row in list(rows):
            if row[3] in SALTS:
                rows.append([f"{row[0]}.salts", *row[1:3], SALTS[row[3]], *row[4:]])
        for id, severity, object, precipitant, after_precipitant, after_object, mechanism, effect, management, (label, url) in MORE if confirmed else UNCONFIRMED:
            rows.append([id, severity, INDICATOR[severity], object, precipitant, "", after_precipitant, after_object, FORMS.get(id, ""), mechanism,
                         effect, management, label, url])
        rows.sort(key=lambda row: RANK[row[1]])
        table(name, columns, rows)


AAAAI = ("Drug Allergy practice parameter, AAAAI/ACAAI 2022", "https://doi.org/10.1016/j.jaci.2022.08.028")


def allergies(shared):
    with open(f"{shared}/knowledge/allergy-cross-reactivity.yaml") as file:
        pack = yaml.safe_load(file)
    members = {one["id"]: [m["name"] for m in one["members"]] for one in pack["classes"]}
    groups = {one["group"]: [m["name"] for m in one["members"]] for one in pack["beta_lactam_side_chain_groups"]}
    # Cefazolin shares no side chain with any other: never an alert from a class.
    cephalosporins = [m for m in members["cephalosporins"] if m != "cefazolin"]
    words = {
        "penicillins": "penicillins", "sulfonamide_antibiotics": "sulfonamide antibiotics",
        "nsaid_cox1": "NSAIDs (COX-1)", "macrolides": "macrolides", "tetracyclines": "tetracyclines",
        "fluoroquinolones": "fluoroquinolones", "aminoglycosides": "aminoglycosides", "ace_inhibitors": "ACE inhibitors",
        "statins": "statins", "opioids_phenanthrene": "opioids of the morphine type",
        "local_anaesthetic_ester": "local anaesthetics of the ester type", "aromatic_antiepileptics": "aromatic antiepileptics",
    }
    advice = {
        "penicillins": "Choose an antibiotic of another class, or have the allergy tested: most are not confirmed.",
        "sulfonamide_antibiotics": "Choose an antibiotic that is no sulfonamide.",
        "nsaid_cox1": "Acetaminophen or celecoxib where suitable.",
        "ace_inhibitors": "After angioedema choose another class: it is an effect of all of them. A cough may come back under any of them.",
        "aromatic_antiepileptics": "Severe skin reactions recur across these: choose another class, such as levetiracetam.",
        "statins": "Muscle symptoms: a lower dose or another statin may be tolerated.",
        "opioids_phenanthrene": "True allergy is rare; itching and nausea are no allergy. Ask what happened.",
    }
    level = {"high": 3, "moderate": 2, "low": 1}
    rows = []

    def add(allergen, ordered, strength, what, text):
        rows.append(["|".join(allergen), "|".join(ordered), strength, what, text, *AAAAI])

    for one in pack["classes"]:
        name = one["id"]
        if name in words and one.get("within_class"):
            add(members[name], members[name], level[one["severity"]], f"Cross-reactivity within the {words[name]}",
                advice.get(name, "Choose a drug of another class, or ask what happened."))
    for group, names in groups.items():
        # cefpodoxime's place in the methoxyimino group was not confirmed.
        names = [n for n in names if not (group == "methoxyimino" and n == "cefpodoxime")]
        if len(names) > 1:
            add(names, names, 2, "Same side chain (R1) among beta-lactams", "Choose a beta-lactam with another side chain, or another class.")
    add(["aztreonam"], ["ceftazidime", "cefiderocol"], 2, "Same side chain (R1) among beta-lactams", "Choose a beta-lactam with another side chain.")
    add(["ceftazidime", "cefiderocol"], ["aztreonam"], 2, "Same side chain (R1) among beta-lactams", "Choose another class.")
    add(members["ace_inhibitors"], ["sacubitril"], 3, "Reaction to an ACE inhibitor: was it angioedema?", "Sacubitril is contraindicated after angioedema under an ACE inhibitor, not after a cough.")
    add(members["penicillins"], cephalosporins, 1, "Penicillin allergy and another cephalosporin (about 2 % or less)", "May be given unless the reaction was severe.")
    add(cephalosporins, cephalosporins, 1, "Another cephalosporin without a shared side chain", "May be given unless the reaction was severe.")
    add(members["penicillins"], members["carbapenems"], 1, "Penicillin allergy and a carbapenem (below 1 %)", "May be given unless the reaction was severe.")
    rows.sort(key=lambda row: -row[2])
    table("drug-allergy-cross-reactivity", ["allergen", "ordered", "level", "what", "advice", "source", "url"], rows)


# Left out: ras_inhibitor (interactions of ACE inhibitors, ARBs and aliskiren are rows of the interactions),
# and the same ingredient twice, which mostly is a renewal or another strength.
LEFT_OUT_DUPLICATES = {"ras_inhibitor", "same_ingredient"}
COMBINED = {"combo:glp1+dpp4": "class:glp1|class:dpp4"}
EXCEPTIONS = {
    "anticoagulant_all": ("", "A switch or bridging is meant to overlap for a few days: then give a stop date."),
    "ssri": ("", "A cross-taper may take up to four weeks: then give the old one a stop date."),
    "antipsychotic": ("", "A cross-taper is meant to overlap: then give the old one a stop date."),
    "opioid_full": ("release", "A long-acting with a short-acting opioid is no duplicate."),
    "thyroid": ("", "Levothyroxine with liothyronine is used on purpose, rarely."),
}


def duplicates(shared):
    with open(f"{shared}/knowledge/duplicate-therapy.yaml") as file:
        pack = yaml.safe_load(file)["duplicate_therapy"]
    rows = []
    for one in pack:
        if one["class"] in LEFT_OUT_DUPLICATES:
            continue
        kind, note = EXCEPTIONS.get(one["class"], ("", ""))
        indicator = "warning" if one["severity"] == "major" else "info"
        rows.append([COMBINED.get(one["class"], f"class:{one['class']}"), sentence(one["finding"]), indicator, kind, note])
    # One ingredient of many combinations, which the class rows do not see.
    rows.append(["acetaminophen", "Acetaminophen in two products", "warning", "", "Add up the daily dose of all of them: too much harms the liver."])
    rows.sort(key=lambda row: row[2] != "warning")
    table("duplicate-therapy", ["drugs", "finding", "indicator", "exception", "note"], rows)


# drug, measure (eGFR or CrCl), below, indicator, action, source (of READ_FOR_KIDNEYS or SOURCES), confirmed
RENAL = [
    ("nitrofurantoin", "CrCl", 30, "warning", "Little reaches the urine and toxicity rises: choose another antibiotic. The label says from 60 mL/min down.", "nitrofurantoin", True),
    ("alendronate", "CrCl", 35, "warning", "Not recommended: choose another agent.", "alendronate", True),
    ("fondaparinux", "CrCl", 30, "critical", "Contraindicated: choose another anticoagulant.", "fondaparinux", True),
    ("sotalol", "CrCl", 40, "critical", "Contraindicated in atrial fibrillation by the label: risk of torsades.", "sotalol", True),
    ("eplerenone", "CrCl", 30, "critical", "Contraindicated: risk of hyperkalaemia.", "eplerenone", True),
    ("rivaroxaban", "CrCl", 50, "warning", "Atrial fibrillation: 15 mg once daily with the evening meal. Below 15 mL/min see the current label (that of 2014: avoid).", "rivaroxaban", True),
    ("atenolol", "CrCl", 35, "info", "At most 50 mg a day from 15 to 35 mL/min, 25 mg below 15.", "atenolol", True),
    ("digoxin", "CrCl", 50, "warning", "Reduce the dose and check the level.", "FDA-SPL-2014", True),
    ("potassium chloride", "eGFR", 30, "warning", "Risk of hyperkalaemia: avoid, or check potassium closely.", "FDA-SPL-2014", True),
    ("spironolactone", "eGFR", 30, "warning", "Risk of hyperkalaemia: contraindicated in significant renal impairment.", "FDA-SPL-2014", True),
    ("ketorolac", "eGFR", 30, "critical", "Contraindicated in advanced renal impairment: choose another analgesic.", "ketorolac", True),
    ("saxagliptin", "eGFR", 45, "info", "At most 2.5 mg a day.", "saxagliptin", True),
    ("alogliptin", "CrCl", 60, "info", "12.5 mg a day from 30 to 60 mL/min, 6.25 mg below 30.", "alogliptin", True),
    ("exenatide", "CrCl", 30, "warning", "Avoid.", "exenatide", True),
    ("levofloxacin", "CrCl", 50, "info", "Reduce dose or lengthen the interval.", "levofloxacin", True),
    ("fluconazole", "CrCl", 50, "info", "Half the dose after the loading dose. A single dose for vaginal candidiasis stays as it is.", "fluconazole", True),
    ("valacyclovir", "CrCl", 30, "warning", "Reduce the dose by indication: neurotoxicity. For zoster and cold sores from 49 mL/min down.", "valacyclovir", True),
    ("nirmatrelvir", "eGFR", 60, "warning", "From 30 to 60 mL/min 150 mg with ritonavir 100 mg twice daily. Below 30 another pack and schedule, once daily from the second day on: see the label.", "nirmatrelvir", True),
    ("vancomycin", "CrCl", 50, "warning", "Dose by levels.", "EACS", True),
    ("gentamicin|tobramycin|amikacin", "CrCl", 70, "warning", "Lengthen the interval, dose by levels.", "EACS", True),
    ("glyburide", "eGFR", 60, "warning", "Active metabolites accumulate, hypoglycaemia: glipizide instead.", "label", False),
    ("zoledronic acid", "CrCl", 35, "warning", "Contraindicated for osteoporosis.", "label", False),
    ("dabigatran etexilate", "CrCl", 30, "warning", "75 mg twice daily from 15 to 30 mL/min by the US label; avoid below 15.", "label", False),
    ("edoxaban", "CrCl", 50, "warning", "30 mg a day from 15 to 50 mL/min.", "label", False),
    ("enoxaparin", "CrCl", 30, "warning", "Reduced dose, once a day.", "label", False),
    ("dofetilide", "CrCl", 20, "critical", "Contraindicated.", "label", False),
    ("sitagliptin", "eGFR", 45, "info", "50 mg a day from 30 to 45, 25 mg below 30.", "label", False),
    ("ciprofloxacin", "CrCl", 30, "info", "Reduce dose or lengthen the interval.", "label", False),
    ("cefepime", "CrCl", 60, "warning", "Reduce the dose: neurotoxicity.", "label", False),
    ("trimethoprim|sulfamethoxazole", "CrCl", 30, "warning", "Half the dose from 15 to 30 mL/min; avoid below 15.", "label", False),
    ("allopurinol", "eGFR", 60, "info", "Start with at most 100 mg a day, 50 mg below 30.", "label", False),
    ("colchicine", "CrCl", 30, "warning", "Do not repeat a course within two weeks.", "label", False),
    ("gabapentin|pregabalin", "CrCl", 60, "info", "Reduce the dose in steps.", "label", False),
    ("duloxetine", "eGFR", 30, "warning", "Avoid.", "label", False),
    ("baclofen", "eGFR", 30, "warning", "Avoid: encephalopathy.", "label", False),
    ("methotrexate", "CrCl", 30, "critical", "Avoid.", "label", False),
    ("lithium|lithium carbonate|lithium citrate", "eGFR", 60, "warning", "Reduce from 30 to 60 with levels; avoid below 30.", "label", False),
    ("meperidine", "eGFR", 30, "warning", "Avoid: normeperidine accumulates.", "label", False),
    ("morphine", "eGFR", 30, "warning", "Avoid or reduce.", "label", False),
    ("tramadol", "CrCl", 30, "warning", "At most 200 mg a day, every 12 hours; no extended release.", "label", False),
    ("fenofibrate", "eGFR", 30, "critical", "Contraindicated.", "label", False),
    ("rosuvastatin", "CrCl", 30, "info", "Start with 5 mg, at most 10 mg.", "label", False),
    ("ibuprofen|naproxen|diclofenac|indomethacin|meloxicam|celecoxib", "eGFR", 30, "warning", "Avoid.", "label", False),
    ("famotidine", "CrCl", 60, "info", "Reduce the dose.", "label", False),
    ("memantine", "CrCl", 30, "info", "At most 14 mg (extended release) or 10 mg a day.", "label", False),
]


def of_2014(what, setid):
    return (f"FDA label of {what}, 2014", f"https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid={setid}")


READ_FOR_KIDNEYS = {
    "nitrofurantoin": copy("Label of nitrofurantoin, Contraindications", "druglib.com", "http://www.druglib.com/druginfo/nitrofurantoin/interactions_overdosage_contraindications/"),
    "alendronate": copy("Label of Fosamax, Special Populations", "healthscout.com", "http://www.healthscout.com/rxdetail/1/49/5/main_3.html"),
    "fondaparinux": copy("Label of Arixtra, Contraindications", "wikidoc.org", "https://wikidoc.org./index.php?diff=prev&oldid=938961&title=Fondaparinux_contraindications"),
    "sotalol": of_2014("Betapace AF", "21aea811-f47d-4a44-a552-dfc46d2773bf"),
    "eplerenone": of_2014("Inspra, section 4", "a55a39ff-1bd5-428b-a64f-c44262e2f3ed"),
    "rivaroxaban": of_2014("Xarelto, sections 2 and 5", "10db92f9-2300-4a80-836b-673e1ae91610"),
    "atenolol": of_2014("Tenormin, Dosage and Administration", "fcfc9676-4edc-460e-6199-8161b824908f"),
    "ketorolac": copy("Label of ketorolac, boxed warning", "drugs-library.com", "https://drugs-library.com/drugs/ketorolac-tromethamine.html"),
    "saxagliptin": copy("Label of Onglyza, section 2", "themeditary.com", "https://themeditary.com/dosage-information/onglyza-dosage-967.html"),
    "alogliptin": was_read("FDA label of Nesina, section 2, August 2023", "https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid=a3768c7e-aa4c-44d3-bc53-43bb7346c0b0"),
    "exenatide": copy("FDA safety communication on Byetta, 2 November 2009", "pdr.net", "https://www.pdr.net/fda-drug-safety-communication/?druglabelid=61&id=4975&hsLang=en"),
    "levofloxacin": was_read("Label of levofloxacin, section 2, as the maker shows it", "https://www.pfizermedicalinformation.com/en-us/levofloxacin/dosage-admin"),
    "fluconazole": copy("Label of fluconazole, Dosage in impaired renal function", "medlibrary.org", "https://medlibrary.org/lib/rx/meds/fluconazole-9/page/8/"),
    "valacyclovir": copy("Label of valacyclovir, section 2.4", "medlibrary.org", "https://medlibrary.org/lib/rx/meds/valacyclovir-hydrochloride-53/page/2/"),
    "nirmatrelvir": was_read("Paxlovid, dosing, by its maker", "https://paxlovid.pfizerpro.com/dosing"),
    # Of no page with an address: what the knowledge pack has read, which is no label.
    "EACS": ("EACS guidelines, table of doses in renal impairment", ""),
}
# The labels say "at most", not "below".
THRESHOLD_COUNTS = {"eplerenone", "rivaroxaban", "fluconazole"}
# Of what is not absorbed the name of the form says it.
NOT_ABSORBED = {"vancomycin": "Oral", "gentamicin|tobramycin|amikacin": "Inhal"}


# Whoever is on dialysis has doses of their own; what should not be given at all is told there, too.
NOT_AT_ALL = ("contraindicated", "avoid", "choose another", "not recommended", "instead")


def on_dialysis(row):
    return "tell" if row[3] == "critical" or any(word in row[4].lower() for word in NOT_AT_ALL) else ""


def renal():
    columns = ["drugs", "measure", "below", "threshold_counts", "unless_form", "indicator", "dialysis", "action", "source", "url"]
    for confirmed, name in ((True, "renal-dosing"), (False, "renal-dosing-unconfirmed")):
        table(name, columns, [[*row[:3], "yes" if row[0] in THRESHOLD_COUNTS else "", NOT_ABSORBED.get(row[0], ""), row[3], on_dialysis(row), row[4],
                              *(READ_FOR_KIDNEYS.get(row[5]) or SOURCES[row[5]])] for row in RENAL if row[6] == confirmed])


# Read since in the text of the FDA or of the label: what it is of, where.
READ_IN_PREGNANCY = {
    "warfarin": was_read("FDA label of Coumadin, section 8.1, October 2015", "http://www.fda.gov/Safety/MedWatch/SafetyInformation/ucm201100.htm"),
    "leflunomide": copy("Label of Arava, section 4, 2018", "epgonline.org", "https://www.epgonline.org/global/drugs/arava/"),
    "teriflunomide": copy("Label of teriflunomide, section 4, January 2023", "medpath.com", "https://trial.medpath.com/drug/approvals/fda/54f285cacf45137c"),
    "valproate": copy("Label of divalproex sodium, section 8.1", "medlibrary.org", "https://medlibrary.org/lib/rx/meds/divalproex-sodium-extended-release-5/page/9/"),
    "nitrofurantoin": copy("Label of nitrofurantoin, Contraindications", "druglib.com", "http://www.druglib.com/druginfo/nitrofurantoin/interactions_overdosage_contraindications/"),
}
# Where to find what the pack has read; of the table of REMS drugs no address is known.
LABEL_PAGES = {
    "FDA label": LABEL[1],
    "FDA safety communication, 2020": "https://www.fda.gov/drugs/drug-safety-and-availability",
    "Review (PMC1779429)": "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC1779429/",
}


# From which week on the harm is, as days before the expected date (40 weeks), and whether to tell of it where
# that date is not known.
FROM = {"avoid from 20 weeks": (140, "tell"), "contraindicated at term (38-42 wk)": (14, "")}


def pregnancy(shared):
    grouped = {False: {}, True: {}}
    with open(f"{shared}/knowledge/pregnancy-risk.csv", newline="") as file:
        for row in csv.DictReader(file):
            # What was read for one drug is the source of no other.
            key = (row["status"], row["fetal_risk"], row["action"], row["source"], READ_IN_PREGNANCY.get(row["ingredient"]))
            seen = row["source_seen"] == "yes" or row["ingredient"] in READ_IN_PREGNANCY
            grouped[seen].setdefault(key, []).append(row["ingredient"])
    for confirmed, name in ((True, "pregnancy-risk"), (False, "pregnancy-risk-unconfirmed")):
        rows = []
        for (status, risk, action, source, read), drugs in grouped[confirmed].items():
            critical = any(word in status for word in ("contraindicated", "boxed"))
            indicator = "critical" if critical else "info" if status == "caution" else "warning"
            risk = "As under ACE inhibitors: fetal kidney failure, oligohydramnios, death" if risk == "as ACE inhibitors" else sentence(risk)
            action = {"REMS": "Only within its REMS programme", "stop when pregnancy detected": "Stop as soon as pregnancy is detected"}.get(action, sentence(action))
            label = ("FDA safety communication, 2020" if source.startswith("FDA DSC") else "Published table of REMS drugs" if "REMS" in source and "FDA" not in source
                     else "Review (PMC1779429)" if "PMC1779429" in source else "FDA label")
            label, url = read or (label, LABEL_PAGES.get(label, ""))
            days, without_date = FROM.get(status, ("", "tell"))
            status = {"boxed: fetal toxicity": "boxed warning"}.get(status, status)
            drugs = [f"{drug}|{SALTS[drug]}" if drug in SALTS else drug for drug in drugs]
            rows.append(["|".join(drugs), sentence(status), indicator, days, without_date, risk, action, label, url])
        columns = ["drugs", "status", "indicator", "days_before_due", "without_date", "risk", "action", "source", "url"]
        if not confirmed:
            table(name, columns, rows)
            continue
        # Whether she is pregnant is asked for what is contraindicated; of the others a pregnancy counts that is known.
        table("pregnancy-risk", columns, [row for row in rows if row[2] == "critical"])
        table("pregnancy-caution", columns, [row for row in rows if row[2] != "critical"])


# Of the value sets of CMS156 the ingredients that are meant: their products carry partners (acetaminophen,
# caffeine, …). Left out, because the harm depends on dose or duration: digoxin above 0.125 mg, doxepin above
# 6 mg, nitrofurantoin beyond 90 days; and pimavanserin, which is made for the psychosis of Parkinson's disease.
OLDER = [
    ("Anticholinergic antihistamines", "brompheniramine|chlorpheniramine|cyproheptadine|dimenhydrinate|diphenhydramine|doxylamine|hydroxyzine|meclizine|promethazine|pyrilamine|triprolidine",
     "Confusion, dry mouth, constipation, urinary retention", "Loratadine or cetirizine for allergy; no sedating antihistamine for sleep", "", "info"),
    ("Anticholinergic antiparkinson drugs", "benztropine|trihexyphenidyl", "Confusion and other anticholinergic effects", "Not for side effects of antipsychotics; other drugs for Parkinson's disease", "", "warning"),
    ("Gastrointestinal antispasmodics", "atropine|clidinium|dicyclomine|hyoscyamine|scopolamine", "Strongly anticholinergic, uncertain benefit", "Avoid but for short palliative use", "injection", "info"),
    ("Antidepressants with anticholinergic effect", "amitriptyline|amoxapine|clomipramine|desipramine|imipramine|nortriptyline|paroxetine",
     "Sedation, orthostatic hypotension, confusion", "Another antidepressant, such as sertraline", "", "warning"),
    ("Antipsychotics", "aripiprazole|asenapine|brexpiprazole|cariprazine|chlorpromazine|clozapine|fluphenazine|haloperidol|iloperidone|loxapine|lurasidone|molindone|olanzapine|paliperidone|perphenazine|pimozide|quetiapine|risperidone|thioridazine|thiothixene|trifluoperazine|ziprasidone",
     "Stroke and death in dementia", "Only for schizophrenia or bipolar disorder, or where nothing else helps and harm threatens", "psychosis", "warning"),
    ("Barbiturates", "butalbital|phenobarbital|primidone", "Dependence, tolerance, overdose at low doses", "Another drug", "seizure", "warning"),
    ("Benzodiazepines", "alprazolam|chlordiazepoxide|clobazam|clonazepam|clorazepate|diazepam|estazolam|lorazepam|midazolam|oxazepam|temazepam|triazolam",
     "Falls, fractures, confusion, dependence", "Sleep hygiene or cognitive behavioural therapy; taper what is taken", "seizure", "warning"),
    ("Hypnotics", "eszopiclone|zaleplon|zolpidem", "Falls, fractures, delirium", "Sleep hygiene or cognitive behavioural therapy", "", "warning"),
    ("Estrogens", "estradiol|estrogens, conjugated (USP)|estrogens, esterified (USP)|estropipate", "Breast and endometrial cancer, no protection of heart or brain",
     "Not by mouth or patch; low-dose vaginal cream is fine", "systemic", "info"),
    ("Long-acting sulfonylureas", "glimepiride|glyburide", "Prolonged hypoglycaemia", "Glipizide, or another class", "", "warning"),
    ("Skeletal muscle relaxants", "carisoprodol|chlorzoxazone|cyclobenzaprine|metaxalone|methocarbamol|orphenadrine", "Sedation, falls, fractures", "Physical therapy, acetaminophen", "", "warning"),
    ("Pain medicines", "indomethacin|ketorolac|meperidine", "Bleeding and kidney injury; meperidine: neurotoxicity", "Acetaminophen, or another analgesic", "", "warning"),
    ("Others", "dipyridamole|guanfacine|megestrol|meprobamate", "More harm than benefit at this age", "Another drug", "", "info"),
    ("Desiccated thyroid", "thyroid (USP)", "More harm than benefit at this age", "Levothyroxine", "", "info"),
    ("Immediate-release nifedipine", "nifedipine", "Hypotension, myocardial ischaemia", "A long-acting dihydropyridine", "extended", "info"),
]


def older(shared):
    with open(f"{shared}/knowledge/older-adults-high-risk.csv", newline="") as file:
        known = {row["ingredient"] for row in csv.DictReader(file)}
    rows = []
    for group, drugs, harm, instead, unless, indicator in OLDER:
        strangers = [d for d in drugs.split("|") if d not in known]
        if strangers:
            sys.exit(f"not in the value sets of CMS156: {strangers}")
        rows.append([group, drugs, harm, instead, unless, indicator])
    table("high-risk-medicines-65", ["category", "drugs", "harm", "instead", "unless", "indicator"], rows)


def qt(shared):
    with open(f"{shared}/knowledge/qt-risk.csv", newline="") as file:
        drugs = [row["ingredient"] for row in csv.DictReader(file) if row["source_seen"] == "yes"]
    rows = [
        ["low-potassium", "|".join(drugs), "Low potassium adds to QT prolongation", "Correct potassium (and magnesium) first, ECG before and after the start.", "warning"],
        ["long-qt", "|".join(drugs), "Long QT syndrome or torsades de pointes in the record", "Do not give: choose a drug that does not prolong the QT interval.", "critical"],
    ]
    table("qt-prolongation", ["risk", "drugs", "reason", "action", "indicator"], rows)


def main(shared):
    interactions(shared)
    allergies(shared)
    duplicates(shared)
    renal()
    pregnancy(shared)
    older(shared)
    qt(shared)


main(sys.argv[1])
