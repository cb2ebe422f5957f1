//! Results by what patients are attributed to, and lists that somebody can act on.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::explain::{PERIOD, package};
use crate::support::*;

/// Four adults with a visit of the measure `Demo` in the period, and one with none. `p1` has a managing
/// organization and visits elsewhere; `p2` more visits to `two`; `p3` as many to both, the later to
/// `two`; `p4` visits of nobody. The names of both organizations are the same.
fn lake(folder: &Path) -> PathBuf {
    let mut lines = vec![
        json!({"resourceType": "Organization", "id": "one", "name": "=North"}),
        json!({"resourceType": "Organization", "id": "two", "name": "=North"}),
        json!({"resourceType": "Practitioner", "id": "doe", "name": [{"family": "Doe", "given": ["Jo"]}]}),
    ];
    for id in ["p1", "p2", "p3", "p4", "p5"] {
        let mut patient = json!({"resourceType": "Patient", "id": id, "birthDate": "1970-01-01",
            "name": [{"use": "official", "family": SECRET, "given": [id]}],
            "identifier": [{"type": {"coding": [{"code": "MR"}]}, "system": "urn:mrn", "value": format!("mrn-{id}")}],
            "telecom": [{"system": "phone", "value": "+1 555 0100"}]});
        if id == "p1" {
            patient["managingOrganization"] = json!({"reference": "Organization/one"});
        }
        lines.push(patient);
    }
    let visits = [
        ("p1", "two", "2025-03-01", "finished"),
        ("p2", "one", "2025-11-01", "finished"),
        ("p2", "two", "2025-02-01", "finished"),
        ("p2", "two", "2025-03-01", "finished"),
        ("p2", "one", "2024-03-01", "finished"),
        ("p2", "one", "2025-03-01", "cancelled"),
        ("p3", "one", "2025-03-01", "finished"),
        ("p3", "two", "2025-04-01", "finished"),
        ("p4", "", "2025-03-01", "finished"),
        ("p5", "one", "2025-03-01", "planned"),
    ];
    for (number, (patient, organization, day, status)) in visits.into_iter().enumerate() {
        let mut visit = json!({"resourceType": "Encounter", "id": format!("v{number}"),
            "status": status, "class": {"code": "AMB"},
            "subject": {"reference": format!("Patient/{patient}")},
            "type": [{"coding": [{"system": "http://example.org/codes", "code": "visit"}]}],
            "period": {"start": day, "end": day}});
        if !organization.is_empty() {
            visit["serviceProvider"] = json!({"reference": format!("Organization/{organization}")});
            visit["participant"] = json!([{"individual": {"reference": "Practitioner/doe"}}]);
        }
        lines.push(visit);
    }
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let lake = folder.join("lake");
    import(&lake, &[&file(folder.join("all.ndjson"), text.join("\n"))]);
    lake
}

fn run_measures(package: &Path, lake: &Path, more: &[&OsStr]) -> Ran {
    let mut args: Vec<&OsStr> = vec!["measure".as_ref(), "run".as_ref(), package.as_ref()];
    args.extend([OsStr::new("--lake"), lake.as_ref()]);
    args.extend(["--period", PERIOD].map(OsStr::new));
    args.extend(more);
    run(&args)
}

/// Rows of CSV, by the names of their columns. All have the columns of the heading.
fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heading = reader.headers().unwrap().clone();
    let record = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.unwrap();
        let cells = heading.iter().zip(record.iter());
        cells.map(|(h, c)| (h.to_owned(), c.to_owned())).collect()
    };
    reader.records().map(record).collect()
}

#[test]
fn by_organization_in_every_format() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let out = dir.path().join("out");
    let by = |format: &str| {
        let options = ["--by", "organization", "--format", format, "--out"].map(OsStr::new);
        run_measures(&package, &lake, &[&options[..], &[out.as_ref()]].concat()).ok()
    };
    let csv = by("csv");
    assert!(
        csv.err.contains("of 4 patients who are, or may be, in an initial population, 1 attributed to an organization by the Patient resource, 2 by visits in the period, 1 unattributed"),
        "{}", csv.err
    );
    assert!(
        csv.err.contains("subjects.csv holds patient data"),
        "{}",
        csv.err
    );
    let found: Vec<String> = rows(&csv.out)
        .iter()
        .map(|r| {
            let cell = |name: &str| r[name].as_str();
            [
                cell("organization"),
                cell("organization_reference"),
                cell("measure"),
                cell("initial_population"),
            ]
            .join(" ")
        })
        .collect();
    // The whole is no row, so that a sum is right; a name that a spreadsheet would calculate is text.
    assert_eq!(
        found,
        [
            "'=North Organization/one Demo 1",
            "'=North Organization/two Demo 2",
            "unattributed  Demo 1"
        ]
    );
    assert!(
        csv.err
            .contains("Demo as a whole (no row above): initial population 4,"),
        "{}",
        csv.err
    );
    let file = std::fs::read_to_string(out.join("by-organization.csv")).unwrap();
    assert_eq!(file, csv.out);

    let reports: Value = serde_json::from_str(&by("json").out).unwrap();
    let reports = reports.as_array().unwrap();
    let told: Vec<(Value, Value)> = reports
        .iter()
        .map(|report| {
            let url = "https://tandem-cds.dev/StructureDefinition/attribution";
            let all = report["extension"].as_array().unwrap().iter();
            let mut place = all
                .filter(|e| e["url"] == url)
                .flat_map(|e| e["extension"].as_array().unwrap());
            let place = place
                .find(|e| e["url"] == "reference")
                .map_or(Value::Null, |e| e["valueString"].clone());
            (place, report["group"][0]["population"][0]["count"].clone())
        })
        .collect();
    let wanted = [
        (json!(null), 4),
        (json!("Organization/one"), 1),
        (json!("Organization/two"), 2),
        (json!(null), 1),
    ];
    assert_eq!(told, wanted.map(|(place, n)| (place, json!(n))));
    assert!(reports[0].to_string().contains("patients unattributed"));
    let ids: std::collections::BTreeSet<&str> =
        reports.iter().map(|r| r["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), reports.len());

    let table = by("table").out;
    for line in [
        "Demo, by organization:",
        "=North (Organization/two)",
        "unattributed",
    ] {
        assert!(table.contains(line), "{table}");
    }
    // What decides these numbers is told.
    let list = std::fs::read_to_string(out.join("run.json")).unwrap();
    assert!(
        list.contains("\"attribution\": \"organization: Patient.managingOrganization"),
        "{list}"
    );
    let practitioner = ["--by", "practitioner", "--format", "csv"].map(OsStr::new);
    let practitioner = run_measures(&package, &lake, &practitioner).ok();
    assert!(
        practitioner
            .out
            .contains("\n\"Doe, Jo\",Practitioner/doe,Demo,1.0.0,g,,,3,"),
        "{}",
        practitioner.out
    );
}

#[test]
fn lists_have_what_it_takes_to_act() {
    let dir = folder();
    let (package, lake) = (package(dir.path()), lake(dir.path()));
    let out = dir.path().join("out");
    let ran = run_measures(&package, &lake, &["--out".as_ref(), out.as_ref()]).ok();
    assert!(!ran.text().contains("mrn-"), "{}", ran.text());
    let subjects = rows(&std::fs::read_to_string(out.join("subjects.csv")).unwrap());
    assert_eq!(subjects.len(), 4);
    let gaps = dir.path().join("gaps");
    let ran = tandem!(
        "measure",
        "gaps",
        &package,
        "--lake",
        &lake,
        "--period",
        PERIOD,
        "--built-in",
        "--measure",
        "Demo",
        "--format",
        "csv",
        "--out",
        &gaps
    )
    .ok();
    assert!(
        !ran.text().contains("mrn-") && ran.err.contains("gaps.csv, which holds patient data"),
        "{}",
        ran.text()
    );
    let gaps = rows(&std::fs::read_to_string(gaps.join("gaps.csv")).unwrap());
    assert_eq!(gaps.len(), 4);
    for (list, id) in [(subjects, "patient_id"), (gaps, "patient_id")] {
        for row in list {
            let patient = &row[id];
            assert_eq!(row["name"], format!("{SECRET}, {patient}"));
            assert_eq!(row["birth_date"], "1970-01-01");
            assert_eq!(row["identifier"], format!("mrn-{patient}"));
            assert_eq!(row["identifier_system"], "urn:mrn");
            assert_eq!(row["phone"], "'+1 555 0100");
            let (organization, last) = match patient.as_str() {
                "p1" => ("Organization/one", "2025-03-01"),
                "p2" => ("Organization/two", "2025-11-01"),
                "p3" => ("Organization/two", "2025-04-01"),
                _ => ("", "2025-03-01"),
            };
            assert_eq!(
                (&*row["organization_reference"], &*row["last_visit"]),
                (organization, last)
            );
            let practitioner = if organization.is_empty() {
                ""
            } else {
                "Doe, Jo"
            };
            assert_eq!(row["practitioner"], practitioner);
        }
    }
}

/// Gaps of rules, built in and the user's: since when is what the rule says is due, and is past; what is yet to
/// come is due next. What was done last is told, whether it is enough or not.
#[test]
fn gaps_of_rules() {
    let dir = folder();
    let mut lines = vec![];
    // Of `late` nothing for more than a year, of `high` a result above 9 % that is recent, `well` is well.
    for (id, day, value) in [
        ("late", "2023-05-01", 7.0),
        ("high", "2025-09-01", 9.5),
        ("well", "2025-09-01", 7.0),
    ] {
        let subject = json!({"reference": format!("Patient/{id}")});
        lines.extend([
            json!({"resourceType": "Patient", "id": id, "birthDate": "1970-01-01", "name": [{"family": SECRET}]}),
            json!({"resourceType": "Condition", "id": format!("c-{id}"), "subject": subject,
                "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
                "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]}}),
            json!({"resourceType": "Observation", "id": format!("o-{id}"), "status": "final", "subject": subject,
                "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]}, "effectiveDateTime": day,
                "valueQuantity": {"value": value, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}}),
        ]);
    }
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let lake = dir.path().join("lake");
    import(
        &lake,
        &[&file(dir.path().join("all.ndjson"), text.join("\n"))],
    );
    let list = |more: &[&str]| {
        let out = dir.path().join("out");
        let mut args = ["measure", "gaps", "--period", PERIOD]
            .map(OsStr::new)
            .to_vec();
        args.extend([
            OsStr::new("--lake"),
            lake.as_ref(),
            OsStr::new("--out"),
            out.as_ref(),
        ]);
        args.extend(more.iter().map(OsStr::new));
        run(&args).ok();
        let list = rows(&std::fs::read_to_string(out.join("gaps.csv")).unwrap());
        let run = std::fs::read_to_string(out.join("run.json")).unwrap();
        let cells = |r: &BTreeMap<String, String>| {
            [
                "measure",
                "patient_id",
                "status",
                "due",
                "since",
                "next_due",
                "last_evidence_date",
                "last_evidence_value",
                "last_evidence_resource",
            ]
            .map(|c| r[c].clone())
            .join("|")
        };
        (list.iter().map(cells).collect::<Vec<String>>(), run)
    };
    let (built_in, _) = list(&["--measure", "hba1c-control"]);
    assert_eq!(
        built_in,
        [
            "hba1c-control|high|open-gap|2025-09-01|2025-09-01||2025-09-01|9.5 %|Observation/o-high",
            "hba1c-control|late|open-gap|2024-05-01|2024-05-01||2023-05-01|7.0 %|Observation/o-late",
            "hba1c-control|well|closed-gap|2026-09-01||2026-09-01|2025-09-01|7.0 %|Observation/o-well"
        ]
    );
    let own = include_str!("../../../../rules/content/diabetes/hba1c-control.yaml");
    let own = own.replace("id: hba1c-control", "id: own-control");
    let rules = dir.path().join("rules");
    file(rules.join("own-control.yaml"), own);
    let shared = include_str!("../../../../rules/content/library.yaml");
    file(rules.join("library.yaml"), shared);
    let rules = rules.to_string_lossy();
    let (of_rules, run) = list(&[
        "--rules",
        &rules,
        "--measure",
        "own-control",
        "--status",
        "open-gap",
    ]);
    let own = [built_in[0].clone(), built_in[1].clone()];
    assert_eq!(of_rules, own.map(|r| r.replace("hba1c", "own")));
    assert!(run.contains("own-control.yaml"), "{run}");
    // Beside a package, too; the built-in ones only where they are asked for.
    let package = package(dir.path());
    let package = package.to_string_lossy();
    let (beside, _) = list(&[&package, "--rules", &rules, "--status", "open-gap"]);
    assert_eq!(beside.len(), 2, "{beside:?}");
    let (all, _) = list(&[
        &package,
        "--rules",
        &rules,
        "--built-in",
        "--status",
        "open-gap",
    ]);
    assert_eq!(
        all.iter()
            .filter(|r| r.starts_with("hba1c-control"))
            .count(),
        2,
        "{all:?}"
    );
}

/// Charts whose Patients name no organization: rows add up to the whole, and one of them is counted again
/// in SQL of its own.
#[test]
fn published_charts_are_attributed_by_visits() {
    let (Some(charts), Some(packages)) = (shared("samples/synthea-r4"), shared("conformance/ecqm"))
    else {
        return;
    };
    let dir = folder();
    let lake = dir.path().join("lake");
    tandem!("import", &charts, "--lake", &lake).ok();
    let packages: Vec<PathBuf> = [
        "CMS122FHIRDiabetesAssessGreaterThan9Percent",
        "CMS125FHIRBreastCancerScreening",
        "CMS130FHIRColorectalCancerScreening",
        "libraries",
    ]
    .into_iter()
    .map(|name| packages.join(name))
    .collect();
    let out = dir.path().join("out");
    let mut args: Vec<&OsStr> = vec!["measure".as_ref(), "run".as_ref()];
    args.extend(packages.iter().map(|p| p.as_os_str()));
    args.extend(
        [
            "--period",
            "2020-01-01..2020-12-31",
            "--by",
            "organization",
            "--format",
            "csv",
            "--allow-missing-valuesets",
            "--lake",
        ]
        .map(OsStr::new),
    );
    args.extend([lake.as_ref(), OsStr::new("--out"), out.as_ref()]);
    let ran = run(&args);
    let all = rows(&ran.out);
    // The whole, as the run counted it.
    let query = "SELECT measure, population, count FROM result_counts WHERE stratum IS NULL
        UNION ALL SELECT measure, 'not-evaluable', not_evaluable FROM result_scores WHERE stratum IS NULL";
    let whole = tandem!(
        "sql",
        query,
        "--lake",
        &lake,
        "--results",
        &out,
        "--format",
        "csv"
    )
    .ok();
    let whole = rows(&whole.out);
    for column in [
        "initial_population",
        "denominator",
        "denominator_exclusion",
        "numerator",
        "not_evaluable",
    ] {
        let of = whole
            .iter()
            .filter(|r| r["population"] == column.replace('_', "-"));
        let of: Vec<_> = of.collect();
        assert_eq!(of.len(), 3, "{}", ran.text());
        for row in of {
            let own = all.iter().filter(|r| {
                r["measure"] == row["measure"]
                    && r["stratifier"].is_empty()
                    && !r[column].is_empty()
            });
            let sum: u64 = own.map(|r| r[column].parse::<u64>().unwrap()).sum();
            assert_eq!(sum.to_string(), row["count"], "{} {column}", row["measure"]);
        }
    }
    assert!(
        all.iter()
            .filter(|r| r["organization_reference"].starts_with("Organization/"))
            .count()
            > 10
    );
    assert!(
        all.iter()
            .all(|r| !r["organization"].contains("Organization/"))
    );
    // The organization of most of a measure's patients, again.
    let count = |r: &&BTreeMap<String, String>| r["initial_population"].parse::<u64>().unwrap();
    let places = all
        .iter()
        .filter(|r| r["measure"].contains("130") && !r["organization_reference"].is_empty());
    let most = places.max_by_key(count).unwrap();
    let query = format!("
        WITH visits AS (
            SELECT patient_id, service_provider_id AS org, count(*) AS n, max(to_timestamp(period_start)) AS last
            FROM encounter_flat
            WHERE status = 'finished' AND to_timestamp(period_start) < '2021-01-01T00:00:00Z' AND to_timestamp(period_end) >= '2020-01-01T00:00:00Z'
            GROUP BY patient_id, service_provider_id),
        ranked AS (SELECT patient_id, org, row_number() OVER (PARTITION BY patient_id ORDER BY n DESC, last DESC, org) AS r FROM visits)
        SELECT sum(\"count\") AS n FROM results JOIN ranked USING (patient_id)
        WHERE r = 1 AND measure = '{}' AND population = 'initial-population' AND basis_id IS NULL AND stratifier IS NULL
            AND 'Organization/' || org = '{}'",
        most["measure"], most["organization_reference"]);
    let again = tandem!(
        "sql",
        &query,
        "--lake",
        &lake,
        "--results",
        &out,
        "--format",
        "csv"
    )
    .ok();
    assert_eq!(
        again.out.trim().lines().last().unwrap(),
        most["initial_population"],
        "{query}"
    );
}
