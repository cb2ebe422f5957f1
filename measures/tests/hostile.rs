//! Packages with something wrong: each kind gets a finding of its own, with its place and what to do.

#![cfg(test)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::profiles::ProfileMode;
use engine_patient::finding::{Code, Severity};
use engine_patient::program::{PatientProgram, ResultRow};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;
use engine_patient::system::zone::UTC;
use serde_json::{Value, json};

use measures::official::{BuildOptions, Built, build};
use measures::package::{Loaded, load};

const CQFM: &str = "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition/cqfm-";
const INTEGER: &str = "{urn:hl7-org:elm-types:r1}Integer";

/// A package of one measure, which is right until somebody changes it.
struct Pack {
    measure: Value,
    /// ELM by the name of its file.
    libraries: Vec<(String, Value)>,
    /// Other files.
    files: Vec<(String, String)>,
    value_set: Option<Value>,
    allow: bool,
}

fn population(word: &str, expression: &str) -> Value {
    json!({
        "id": format!("{word}-1"),
        "code": {"coding": [{"code": word}]},
        "criteria": {"language": "text/cql-identifier", "expression": expression},
    })
}

fn retrieve() -> Value {
    json!({
        "type": "Retrieve", "localId": "20", "locator": "9:3-9:20",
        "dataType": "{http://hl7.org/fhir}Encounter", "codeProperty": "type", "codeComparator": "in",
        "codes": {"type": "ValueSetRef", "localId": "21", "name": "Visits"},
    })
}

fn definition(name: &str, expression: &Value) -> Value {
    json!({"localId": "1", "name": name, "context": "Patient", "expression": expression})
}

fn elm(name: &str, version: &str, definitions: Value) -> Value {
    json!({"library": {
        "identifier": {"id": name, "version": version},
        "usings": {"def": [{"localIdentifier": "FHIR", "uri": "http://hl7.org/fhir", "version": "4.0.1"}]},
        "valueSets": {"def": [{"name": "Visits", "id": "http://x.org/ValueSet/visits"}]},
        "statements": {"def": definitions},
    }})
}

fn literal(value: i64) -> Value {
    json!({"type": "Literal", "localId": "30", "valueType": INTEGER, "value": value.to_string()})
}

impl Pack {
    fn new() -> Self {
        let exists = json!({"type": "Exists", "localId": "10", "operand": {"type": "ExpressionRef", "localId": "11", "name": "Visits of the year"}});
        let definitions = json!([
            definition("Visits of the year", &retrieve()),
            definition("Initial Population", &exists),
            definition("Denominator", &json!({"type": "ExpressionRef", "localId": "12", "name": "Initial Population"})),
            definition("Numerator", &exists),
            {"localId": "40", "type": "FunctionDef", "name": "Length", "context": "Patient", "expression": literal(3),
                "operand": [{"name": "visit", "operandType": "{http://hl7.org/fhir}Encounter"}]},
        ]);
        Pack {
            measure: json!({
                "resourceType": "Measure", "id": "M", "name": "M", "version": "1.0.0",
                "url": "http://x.org/Measure/M", "status": "active",
                "library": ["http://x.org/Library/M"],
                "scoring": {"coding": [{"code": "proportion"}]},
                "group": [{"id": "g", "population": [
                    population("initial-population", "Initial Population"),
                    population("denominator", "Denominator"),
                    population("numerator", "Numerator"),
                ]}],
            }),
            libraries: vec![("M".into(), elm("M", "1.0.0", definitions))],
            files: vec![],
            value_set: Some(json!({
                "resourceType": "ValueSet", "url": "http://x.org/ValueSet/visits", "status": "active", "name": "Visits",
                "expansion": {"timestamp": "2024-01-01", "total": 1, "contains": [{"system": "urn:s", "code": "v"}]},
            })),
            allow: false,
        }
    }

    fn elm(&mut self) -> &mut Value {
        &mut self.libraries[0].1["library"]
    }

    fn definition(&mut self, name: &str) -> &mut Value {
        let all = self.elm()["statements"]["def"].as_array_mut().unwrap();
        all.iter_mut().find(|d| d["name"] == name).unwrap()
    }

    /// Another library, which `M` includes as `alias`.
    fn include(&mut self, alias: &str, name: &str, version: &str, definitions: Value) {
        self.libraries
            .push((format!("{name}-{version}"), elm(name, version, definitions)));
        let include = json!({"localIdentifier": alias, "path": name, "version": version});
        match self.elm()["includes"]["def"].as_array_mut() {
            Some(all) => all.push(include),
            None => self.elm()["includes"] = json!({"def": [include]}),
        }
    }

    fn observation(&mut self, function: &str) {
        let mut observation = population("measure-observation", function);
        observation["extension"] = json!([
            {"url": format!("{CQFM}aggregateMethod"), "valueCode": "median"},
            {"url": format!("{CQFM}criteriaReference"), "valueString": "measure-population-1"},
        ]);
        self.measure["scoring"]["coding"][0]["code"] = json!("continuous-variable");
        self.measure["group"][0]["population"] = json!([
            population("initial-population", "Visits of the year"),
            population("measure-population", "Visits of the year"),
            observation,
        ]);
        self.basis("Encounter");
    }

    fn basis(&mut self, basis: &str) {
        self.measure["extension"] =
            json!([{"url": format!("{CQFM}populationBasis"), "valueCode": basis}]);
    }

    fn built(&self) -> (Loaded, Built) {
        let folder = tempfile::tempdir().unwrap();
        let put =
            |name: &str, content: &str| std::fs::write(folder.path().join(name), content).unwrap();
        put("measure.json", &self.measure.to_string());
        for (name, elm) in &self.libraries {
            let id = &elm["library"]["identifier"]["id"];
            let resource = json!({
                "resourceType": "Library", "id": name, "name": id, "status": "active",
                "version": elm["library"]["identifier"]["version"],
                "url": format!("http://x.org/Library/{}", id.as_str().unwrap_or("none")),
                "type": {"coding": [{"code": "logic-library"}]},
                "content": [{"contentType": "application/elm+json", "data": STANDARD.encode(elm.to_string())}],
            });
            put(&format!("library-{name}.json"), &resource.to_string());
        }
        if let Some(set) = &self.value_set {
            put("visits.json", &set.to_string());
        }
        for (name, content) in &self.files {
            put(name, content);
        }
        let loaded = load(&[folder.path()]);
        let options = BuildOptions {
            allow_missing_value_sets: self.allow,
            profile_mode: ProfileMode::Decide,
            native_helpers: true,
            everything: true,
        };
        let measures: Vec<_> = loaded.package.measures.iter().collect();
        let built = build(&loaded.package, &measures, &options);
        (loaded, built)
    }

    /// What is told: severity, code, and the text as a person sees it.
    fn told(&self) -> (Vec<(Severity, Code, String)>, bool) {
        let (loaded, built) = self.built();
        let found = loaded.issues.iter().chain(&built.findings);
        let mut all: Vec<_> = found.map(|f| (f.severity, f.code, f.to_string())).collect();
        all.retain(|(severity, ..)| *severity > Severity::Info);
        (all, built.program.is_some())
    }

    fn rows(&self, resources: &[&str]) -> Vec<ResultRow> {
        let (loaded, built) = self.built();
        let program = built.program.unwrap_or_else(|| {
            let issues: Vec<String> = loaded.issues.iter().map(ToString::to_string).collect();
            panic!("{issues:?} {:?}", built.findings)
        });
        let mut record = PatientRecord::new();
        record
            .push(r#"{"resourceType":"Patient","id":"p"}"#)
            .unwrap();
        for json in resources {
            record.push(json).unwrap();
        }
        record.seal();
        let time = |text| DateTime::parse(text).unwrap();
        let context = EvaluationContext::for_period(time("2024"), time("2024-12"), UTC.clone());
        program.rows(&record, &context).unwrap()
    }
}

const VISIT: &str = r#"{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"type":[{"coding":[{"system":"urn:s","code":"v"}]}]}"#;

#[test]
fn the_package_is_right() {
    assert_eq!(Pack::new().told(), (vec![], true));
    let rows = Pack::new().rows(&[VISIT]);
    assert!(
        rows.iter()
            .all(|r| r.outcome == Truth::True && r.count == Some(1)),
        "{rows:?}"
    );
    let mut of_encounters = Pack::new();
    of_encounters.observation("Length");
    assert_eq!(of_encounters.told(), (vec![], true));
}

type Change = fn(&mut Pack);

/// Code, fragments of what is told (place, message, help).
const ERRORS: &[(&str, Change, Code, &[&str])] = &[
    // Files
    (
        "cut file",
        |p| p.files.push(("a.json".into(), "{\"resourceType\":".into())),
        Code::NotJson,
        &["a.json:1:16", "it may be truncated"],
    ),
    (
        "no measure",
        |p| p.measure = json!({"resourceType": "Patient", "id": "p"}),
        Code::NothingToRead,
        &["help"],
    ),
    // Measure
    (
        "no group",
        |p| p.measure["group"] = json!([]),
        Code::NoGroup,
        &["measure.json", "Measure"],
    ),
    (
        "no library named",
        |p| p.measure["library"] = json!([]),
        Code::NoLibraryNamed,
        &["measure.json"],
    ),
    (
        "library of another name",
        |p| p.measure["library"] = json!(["http://x.org/Library/N"]),
        Code::LibraryMissing,
        &[
            "Measure.library",
            "`http://x.org/Library/N` is not in the package",
        ],
    ),
    (
        "library of another version",
        |p| p.measure["library"] = json!(["http://x.org/Library/M|9"]),
        Code::LibraryMissing,
        &["no version `9`", "it has `1.0.0`"],
    ),
    (
        "no scoring",
        |p| p.measure["scoring"] = json!(null),
        Code::NoScoring,
        &["measure.json"],
    ),
    (
        "unknown scoring",
        |p| p.measure["scoring"]["coding"][0]["code"] = json!("proportional"),
        Code::UnknownScoring,
        &["Measure.scoring", "did you mean `proportion`?"],
    ),
    (
        "composite",
        |p| p.measure["scoring"]["coding"][0]["code"] = json!("composite"),
        Code::CompositeScoring,
        &["component measures one by one"],
    ),
    (
        "unknown basis",
        |p| p.basis("Encunter"),
        Code::PopulationBasis,
        &[
            "unknown population basis `Encunter`",
            "did you mean `Encounter`?",
        ],
    ),
    (
        "no numerator",
        |p| {
            drop(
                p.measure["group"][0]["population"]
                    .as_array_mut()
                    .unwrap()
                    .pop(),
            )
        },
        Code::PopulationMissing,
        &["Measure.group[0]", "numerator"],
    ),
    (
        "unknown population",
        |p| p.measure["group"][0]["population"][2]["code"]["coding"][0]["code"] = json!("numeratr"),
        Code::PopulationCodeUnknown,
        &[
            "Measure.group[0].population[2]",
            "did you mean `numerator`?",
        ],
    ),
    (
        "no expression",
        |p| {
            p.measure["group"][0]["population"][1]["criteria"] =
                json!({"language": "text/cql-identifier"})
        },
        Code::NoCriteria,
        &["Measure.group[0].population[1]"],
    ),
    (
        "criteria in FHIRPath",
        |p| p.measure["group"][0]["population"][1]["criteria"]["language"] = json!("text/fhirpath"),
        Code::CriteriaLanguage,
        &["Measure.group[0].population[1].criteria", "text/fhirpath"],
    ),
    (
        "criteria are text",
        |p| {
            p.measure["group"][0]["population"][1]["criteria"] =
                json!({"language": "text/cql-expression", "expression": "exists [Encounter]"})
        },
        Code::CriteriaExpression,
        &["Measure.group[0].population[1].criteria"],
    ),
    (
        "criteria reference nowhere",
        |p| {
            p.measure["scoring"]["coding"][0]["code"] = json!("ratio");
            let mut observation = population("measure-observation", "Length");
            observation["extension"] = json!([
                {"url": format!("{CQFM}aggregateMethod"), "valueCode": "sum"},
                {"url": format!("{CQFM}criteriaReference"), "valueString": "nowhere"},
            ]);
            let all = p.measure["group"][0]["population"].as_array_mut();
            all.unwrap().push(observation);
        },
        Code::ReferenceUnknown,
        &["Measure.group[0].population[3]", "nowhere", "denominator-1"],
    ),
    (
        "unknown aggregate method",
        |p| {
            p.observation("Length");
            p.measure["group"][0]["population"][2]["extension"][0]["valueCode"] = json!("mediann");
        },
        Code::AggregateUnknown,
        &[
            "unknown aggregate method `mediann`",
            "did you mean `median`?",
        ],
    ),
    // Libraries
    (
        "content is not ELM",
        |p| p.libraries[0].1 = json!({"library": 1}),
        Code::LibraryNotElm,
        &["library-M.json", "Library.content[0].data"],
    ),
    (
        "translator errors",
        |p| p.elm()["annotation"] = json!([{"type": "CqlToElmError", "errorSeverity": "error", "message": "Could not resolve X", "startLine": 4, "startChar": 2}]),
        Code::TranslatorError,
        &[
            "Could not resolve X",
            "library-M.json",
            "line 4 of the CQL",
            "translate it again",
        ],
    ),
    (
        "library for FHIR 3",
        |p| p.elm()["usings"]["def"][0]["version"] = json!("3.0.0"),
        Code::ElmModel,
        &["FHIR 3.0.0 is not supported", "library M|1.0.0", "4.0.1"],
    ),
    (
        "library for QDM",
        |p| {
            p.elm()["usings"]["def"][0] = json!({"localIdentifier": "QDM", "uri": "urn:healthit-gov:qdm:v5_6", "version": "5.6"})
        },
        Code::LibraryModel,
        &[
            "written for QDM",
            "library-M.json",
            "use the FHIR (QI-Core) edition",
        ],
    ),
    (
        "include is missing",
        |p| {
            p.elm()["includes"] =
                json!({"def": [{"localIdentifier": "H", "path": "Helpers", "version": "1"}]})
        },
        Code::ElmLibraryMissing,
        &[
            "`Helpers|1` is not in the package",
            "library M|1.0.0",
            "add its FHIR Library",
        ],
    ),
    (
        "include of another version",
        |p| {
            p.include("H", "Helpers", "1", json!([]));
            p.elm()["includes"]["def"][0]["version"] = json!("2");
        },
        Code::ElmLibraryVersion,
        &[
            "`Helpers|2` is not in the package in that version",
            "in the package: 1",
        ],
    ),
    (
        "includes in a circle",
        |p| {
            p.include("H", "Helpers", "1", json!([]));
            p.libraries[1].1["library"]["includes"] =
                json!({"def": [{"localIdentifier": "M", "path": "M", "version": "1.0.0"}]});
        },
        Code::ElmCircle,
        &["includes itself", "library-M.json"],
    ),
    (
        "definitions in a circle",
        |p| {
            p.definition("Initial Population")["expression"] =
                json!({"type": "ExpressionRef", "localId": "13", "name": "Denominator"})
        },
        Code::ElmCircle,
        &[
            "refers to itself",
            "definition \"Denominator\"",
            "localId 12",
        ],
    ),
    (
        "population's expression is missing",
        |p| p.measure["group"][0]["population"][2]["criteria"]["expression"] = json!("Numerater"),
        Code::ElmUnknownReference,
        &[
            "no definition `Numerater`",
            "library M|1.0.0",
            "did you mean `Numerator`?",
        ],
    ),
    (
        "population's expression is a function",
        |p| p.measure["group"][0]["population"][2]["criteria"]["expression"] = json!("Length"),
        Code::ElmUnknownReference,
        &["no definition `Length`", "`Length` is a function"],
    ),
    (
        "observation is no function",
        |p| p.observation("Numerator"),
        Code::ElmUnknownReference,
        &["no function `Numerator`", "`Numerator` is a definition"],
    ),
    (
        "observation of wrong arity",
        |p| {
            p.observation("Length");
            p.definition("Length")["operand"] = json!([]);
        },
        Code::ElmNoOverload,
        &["`Length` does not take 1 operand", "it takes 0"],
    ),
    (
        "reference to nothing",
        |p| {
            p.definition("Numerator")["expression"] =
                json!({"type": "ExpressionRef", "localId": "17", "name": "Visits of the yaer"})
        },
        Code::ElmUnknownReference,
        &[
            "no definition `Visits of the yaer`",
            "definition \"Numerator\"",
            "localId 17",
            "did you mean `Visits of the year`?",
        ],
    ),
    (
        "unknown node",
        |p| p.definition("Numerator")["expression"]["type"] = json!("Exist"),
        Code::ElmUnknownNode,
        &["no node `Exist`", "localId 10", "did you mean `Exists`?"],
    ),
    (
        "unsupported node",
        |p| {
            p.definition("Numerator")["expression"] =
                json!({"type": "Subsumes", "localId": "18", "operand": []})
        },
        Code::ElmUnsupportedNode,
        &[
            "not supported[E004]",
            "hierarchy of a code system",
            "localId 18",
        ],
    ),
    (
        "operand is missing",
        |p| p.definition("Numerator")["expression"] = json!({"type": "Exists", "localId": "19"}),
        Code::ElmWrongForm,
        &["`Exists` has no `operand`", "localId 19"],
    ),
    (
        "unknown type",
        |p| p.definition("Numerator")["expression"] = json!({"type": "Is", "localId": "16", "operand": {"type": "Null"}, "isType": "{urn:hl7-org:elm-types:r1}Bool"}),
        Code::ElmUnknownType,
        &["no type", "localId 16"],
    ),
    (
        "literal out of range",
        |p| p.definition("Numerator")["expression"] = literal(1 << 40),
        Code::ElmLiteralRange,
        &["not in the range", "localId 30"],
    ),
    (
        "retrieve of no resource",
        |p| {
            p.definition("Visits of the year")["expression"]["dataType"] =
                json!("{http://hl7.org/fhir}Encunter")
        },
        Code::ElmRetrieve,
        &["not a FHIR R4 resource type", "localId 20", "CQL 9:3-9:20"],
    ),
    (
        "defined twice",
        |p| {
            let again = p.definition("Numerator").clone();
            p.elm()["statements"]["def"]
                .as_array_mut()
                .unwrap()
                .push(again);
        },
        Code::ElmDuplicate,
        &["`Numerator` is defined twice", "library M|1.0.0"],
    ),
    (
        "ELM nested too deep",
        |p| {
            let deep = (0..600).fold(
                json!({"type": "Null"}),
                |inner, _| json!({"type": "Not", "operand": inner}),
            );
            let deep = (0..600).fold(deep, |inner, _| json!({"type": "Not", "operand": inner}));
            p.definition("Numerator")["expression"] = deep;
        },
        Code::ElmNotJson,
        &["nested deeper than 1000", "library-M.json"],
    ),
    // Value sets
    (
        "value set is missing",
        |p| p.value_set = None,
        Code::ElmValueSetMissing,
        &[
            "\"Visits\" is missing",
            "definition \"Visits of the year\"",
            "localId 21",
            "--allow-missing-valuesets",
        ],
    ),
    (
        "value set is not in the library",
        |p| p.elm()["valueSets"] = json!(null),
        Code::ElmUnknownReference,
        &["no value set `Visits`", "localId 21"],
    ),
    (
        "value set without expansion",
        |p| {
            p.value_set = Some(
                json!({"resourceType": "ValueSet", "url": "http://x.org/ValueSet/visits", "status": "active",
        "compose": {"include": [{"system": "urn:s", "filter": [{"property": "concept", "op": "is-a", "value": "v"}]}]}}),
            )
        },
        Code::ElmValueSetIncomplete,
        &["\"Visits\"", "localId 21"],
    ),
    (
        "value set that includes one that is not loaded",
        |p| p.value_set = Some(including("http://x.org/ValueSet/visits")),
        Code::ElmValueSetIncomplete,
        &[
            "\"Visits\"",
            "`urn:gone` is not loaded",
            "localId 21",
            "--allow-missing-valuesets",
        ],
    ),
];

/// A code, and what an included set that is not loaded has.
fn including(url: &str) -> Value {
    json!({"resourceType": "ValueSet", "url": url, "status": "active", "compose": {"include": [
        {"system": "urn:s", "concept": [{"code": "v"}]}, {"valueSet": ["urn:gone"]}]}})
}

#[test]
fn every_kind_has_an_error_of_its_own() {
    assert!(ERRORS.len() >= 30);
    let mut wrong = vec![];
    for (what, change, code, fragments) in ERRORS {
        let mut pack = Pack::new();
        change(&mut pack);
        let (told, runs) = pack.told();
        let found: Vec<_> = told
            .iter()
            .filter(|(s, c, _)| *s == Severity::Error && c == code)
            .collect();
        let fits = found
            .iter()
            .any(|(_, _, text)| fragments.iter().all(|f| text.contains(f)));
        // A broken file is told, but the measures of others can be run.
        if !fits || runs != (*code == Code::NotJson) {
            let texts: Vec<&str> = told.iter().map(|(_, _, t)| t.as_str()).collect();
            wrong.push(format!(
                "{what}: wanted {code} {fragments:?}, runs: {runs}, told:\n{}\n",
                texts.join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What can be run all the same.
const WARNINGS: &[(&str, Change, Code, &[&str])] = &[
    (
        "stale criteria reference",
        |p| {
            p.observation("Length");
            let observation = &mut p.measure["group"][0]["population"][2];
            observation["extension"][1]["valueString"] = json!("measure-population-9");
        },
        Code::ReferenceStale,
        &[
            "Measure.group[0].population[2]",
            "measure-population-9",
            "write `measure-population-1`",
        ],
    ),
    (
        "another case",
        |p| p.measure["group"][0]["population"][2]["criteria"]["expression"] = json!("numerator"),
        Code::ElmNameCase,
        &["`numerator` is written `Numerator`", "library M|1.0.0"],
    ),
    (
        "missing, allowed",
        |p| {
            p.value_set = None;
            p.allow = true;
        },
        Code::ElmValueSetMissing,
        &["\"Visits\" is missing", "localId 21"],
    ),
    (
        "includes one that is not loaded, allowed",
        |p| {
            p.value_set = Some(including("http://x.org/ValueSet/visits"));
            p.allow = true;
        },
        Code::ElmValueSetIncomplete,
        &["\"Visits\"", "`urn:gone` is not loaded", "localId 21"],
    ),
    (
        "includes one that is not loaded, and nothing uses it",
        |p| {
            let set = including("http://x.org/ValueSet/other").to_string();
            p.files.push(("other.json".into(), set));
        },
        Code::IncludedValueSetUnknown,
        &["included value set `urn:gone` is not loaded"],
    ),
    (
        "empty",
        |p| {
            let expansion = &mut p.value_set.as_mut().unwrap()["expansion"];
            expansion["contains"] = json!([]);
            expansion["total"] = json!(0);
        },
        Code::ElmValueSetIncomplete,
        &["\"Visits\"", "empty", "localId 21"],
    ),
    (
        "partial",
        |p| p.value_set.as_mut().unwrap()["expansion"]["total"] = json!(1000),
        Code::ElmValueSetIncomplete,
        &["\"Visits\"", "localId 21"],
    ),
    (
        "unused and wrong",
        |p| {
            p.elm()["statements"]["def"]
                .as_array_mut()
                .unwrap()
                .push(definition(
                    "Unused",
                    &json!({"type": "Exist", "localId": "50"}),
                ))
        },
        Code::ElmUnknownNode,
        &["no measure refers to it", "localId 50"],
    ),
];

#[test]
fn what_can_be_run_is_a_warning() {
    for (what, change, code, fragments) in WARNINGS {
        let mut pack = Pack::new();
        change(&mut pack);
        let (told, runs) = pack.told();
        assert!(runs, "{what}: {told:#?}");
        assert!(
            told.iter().all(|(s, ..)| *s == Severity::Warning),
            "{what}: {told:#?}"
        );
        let fits = |t: &&(Severity, Code, String)| {
            t.1 == *code && fragments.iter().all(|f| t.2.contains(f))
        };
        assert!(
            told.iter().any(|t| fits(&t)),
            "{what}: wanted {code} {fragments:?}: {told:#?}"
        );
    }
}

/// Two measures of a package may use different versions of a common library, and one may through
/// its includes.
#[test]
fn two_versions_of_a_library() {
    let mut pack = Pack::new();
    pack.include(
        "One",
        "Common",
        "1",
        json!([definition("Number", &literal(1))]),
    );
    pack.include(
        "Two",
        "Common",
        "2",
        json!([definition("Number", &literal(2))]),
    );
    let number =
        |alias: &str| json!({"type": "ExpressionRef", "libraryName": alias, "name": "Number"});
    let sum = json!({"type": "Add", "operand": [number("One"), number("Two")]});
    pack.definition("Numerator")["expression"] =
        json!({"type": "Equal", "operand": [sum, literal(3)]});
    assert_eq!(pack.told(), (vec![], true));
    let rows = pack.rows(&[VISIT]);
    let numerator = rows
        .iter()
        .find(|r| r.kind.as_str() == "numerator")
        .unwrap();
    assert_eq!(numerator.outcome, Truth::True);
}

/// What shows at run time only: the patient cannot be evaluated, and why.
#[test]
fn a_basis_that_the_expression_does_not_give() {
    let reason = |pack: &Pack, population: &str| {
        let rows = pack.rows(&[VISIT]);
        let row = rows
            .iter()
            .find(|r| r.kind.as_str() == population)
            .unwrap()
            .clone();
        assert_eq!(row.outcome, Truth::Unknown, "{row:?}");
        row.unknown_reason.unwrap().to_string()
    };
    let mut pack = Pack::new();
    pack.basis("Encounter");
    assert!(
        reason(&pack, "initial-population")
            .contains("gives a Boolean where a list of Encounter was expected")
    );
    let mut pack = Pack::new();
    pack.definition("Initial Population")["expression"] = literal(1);
    assert!(
        reason(&pack, "initial-population")
            .contains("gives a Integer where a Boolean was expected")
    );
    // A list where a Boolean belongs is taken as whether it has members.
    for (resources, wanted) in [(&[VISIT][..], Truth::True), (&[], Truth::False)] {
        let mut pack = Pack::new();
        pack.definition("Initial Population")["expression"] = retrieve();
        assert_eq!(pack.rows(resources)[0].outcome, wanted);
    }
}

/// Without its codes, what a value set touches is unknown: never false.
#[test]
fn a_missing_value_set_makes_unknown() {
    let mut pack = Pack::new();
    pack.value_set = None;
    pack.allow = true;
    let code = json!({"type": "Instance", "classType": "{urn:hl7-org:elm-types:r1}Code", "element": [{"name": "code", "value": {"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}String", "value": "v"}}]});
    pack.definition("Initial Population")["expression"] =
        json!({"type": "InValueSet", "code": code, "valueset": {"name": "Visits"}});
    let rows = pack.rows(&[VISIT]);
    assert_eq!(rows[0].outcome, Truth::Unknown, "{rows:?}");
}
