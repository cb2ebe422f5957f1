#!/usr/bin/env python3
"""Writes src/fhir/profiles/table.txt, what tells the QI-Core and US Core profiles of one resource
type from each other, from the model facts in ../shared/model.

Usage: engine/patient/gen/profiles.py ../shared/model > engine/patient/src/fhir/profiles/table.txt

Lines:  `P ig name type base`  a profile; ig `q` is QI-Core, `u` US Core, `f` FHIR R4 itself; base '-' where it is the type itself
        `A name`               another name of it in the same guide (see ALIASES)
        `N`                    it says that something was not done or not asked for
        `S status`             the status it fixes
        `D`                    it fixes `doNotPerform` (an element or a modifier extension) to true
        `C system code code`   it requires one of these in `category`; of the system the last segment of its url
        `K system code`        it requires this in `code`; several lines: one of them is enough
A profile that stands alone for its type in its guide tells nothing apart: its fixed values (an active
Claim, an active Location) are left out, the resource type decides. `C` is left out where `K` says more.
Sources: HL7/fhir-qi-core, HL7/US-Core, FHIR R4 (CC0).
"""
import csv, json, sys
from collections import Counter

# Profiles that the newest guide calls otherwise: the names of QI-Core 6.0, which the official packages
# use, then those of QI-Core 4.1.
ALIASES = {
    "qicore-serviceprohibited": ["qicore-servicenotrequested"],
    "qicore-medicationprohibited": ["qicore-medicationnotrequested", "qicore-mednotrequested"],
    "qicore-deviceprohibited": ["qicore-devicenotrequested"],
    "qicore-medicationadministrationnotdone": ["qicore-mednotadministered"],
    "qicore-medicationdispensedeclined": ["qicore-medicationnotdispensed", "qicore-mednotdispensed"],
    "qicore-observationcancelled": ["qicore-observationnotdone"],
    "qicore-taskrejected": ["qicore-tasknotdone"],
}
# Profiles of QI-Core 6.0 that the newest guide does not have.
ADDED = [("qicore", "qicore-observationcancelled", "Observation", "Observation", "Observation.status", "fixed", "cancelled")]
# The vital signs profiles of FHIR R4 (https://hl7.org/fhir/R4/observation-vitalsigns.html), which QI-Core
# 4.1 names in its retrieves, without a code beside them: the LOINC code that each fixes.
VITAL_SIGNS = {
    "vitalspanel": "85353-1", "resprate": "9279-1", "heartrate": "8867-4", "oxygensat": "2708-6", "bodytemp": "8310-5",
    "bodyheight": "8302-2", "headcircum": "9843-4", "bodyweight": "29463-7", "bmi": "39156-5", "bp": "85354-9",
}
ADDED += [("fhir", name, "Observation", "vitalsigns", "Observation.code", "pattern", f'["http://loinc.org|{code}"]') for name, code in VITAL_SIGNS.items()]
ADDED += [
    ("fhir", "vitalsigns", "Observation", "Observation", "Observation.category:VSCat", "min", "1"),
    ("fhir", "vitalsigns", "Observation", "Observation", "Observation.category:VSCat", "pattern", '["http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"]'),
]
# Required bindings of a category slice that must be there (min 1), as codes.
BINDINGS = {
    "http://hl7.org/fhir/us/core/ValueSet/us-core-problem-or-health-concern": [
        ("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item"),
        ("http://hl7.org/fhir/us/core/CodeSystem/condition-category", "health-concern"),
    ],
}
NEGATIONS = {"not-done", "declined", "rejected", "cancelled"}

rows = list(csv.reader(open(f"{sys.argv[1]}/profiles.tsv", encoding="utf-8"), delimiter="\t"))[1:]
rows += [list(row) for row in ADDED]
profiles = {}
for ig, name, ty, base, element, constraint, value in (row + [""] * (7 - len(row)) for row in rows):
    p = profiles.setdefault(name, {"ig": ig, "type": ty, "base": base, "status": None, "not": False, "cat": {}, "min": set(), "code": []})
    path = element.removeprefix(f"{ty}.")
    if path == "status" and constraint == "fixed":
        p["status"] = value
    elif path in ("doNotPerform", "modifierExtension:doNotPerform.value[x]") and (constraint, value) == ("fixed", "true"):
        p["not"] = True
    elif path.startswith("category:") and constraint == "min":
        p["min"].add(path)
    elif path.startswith("category") and constraint == "pattern":
        p["cat"].setdefault(path, []).extend(tuple(v.split("|")) for v in json.loads(value))
    elif path.startswith("category:") and path.endswith(".coding.system") and constraint == "fixed":
        p["system"] = value
    elif path.startswith("category:") and path.endswith(".coding.code") and constraint == "fixed":
        p["cat"].setdefault(path.removesuffix(".coding.code"), []).append((p["system"], value))
    elif path.startswith("category:") and constraint == "required binding" and value in BINDINGS:
        p["cat"].setdefault(path, []).extend(BINDINGS[value])
    elif path == "code" and constraint == "pattern":
        p["code"] += [tuple(v.split("|")) for v in json.loads(value)]
    elif path.startswith("code.coding:") and constraint == "pattern":
        coding = json.loads(value)
        p["code"].append((coding["system"], coding["code"]))

print("# QI-Core, US Core and FHIR profiles, HL7, CC0. Generated by engine/patient/gen/profiles.py: do not edit.")
per_type = Counter((p["ig"], p["type"]) for p in profiles.values())
for name, p in sorted(profiles.items(), key=lambda item: (item[1]["type"], item[1]["ig"], item[0])):
    base = p["base"] if p["base"] in profiles else "-"
    print("P", p["ig"][0], name, p["type"], base)
    for alias in ALIASES.get(name, []):
        print("A", alias)
    if per_type[p["ig"], p["type"]] == 1:
        continue
    if p["not"] or p["status"] in NEGATIONS:
        print("N")
    if p["status"]:
        print("S", p["status"])
    if p["not"]:
        print("D")
    # A slice that may be missing (min 0) requires nothing.
    required = [c for path, codes in p["cat"].items() if path in p["min"] for c in codes]
    if required and not p["code"]:
        # `condition-category` has two urls, and had others before R4: the last segment is the same.
        (segment,) = {system.rsplit("/", 1)[-1] for system, _ in required}
        print("C", segment, *(code for _, code in required))
    for system, code in p["code"]:
        print("K", system, code)
