//! Libraries, their ELM, and which library a measure means.

use super::*;
use engine_patient::finding::{Blame, Code, Severity};

/// A measure with these other files.
fn with(files: &[(&str, Value)]) -> Loaded {
    let all = Files::new();
    all.json("measure.json", &proportion());
    for (name, content) in files {
        all.json(name, content);
    }
    all.load()
}

/// The codes that are told, with severity.
fn codes(loaded: &Loaded) -> Vec<(Severity, Code)> {
    told(loaded).iter().map(|t| (t.0, t.1)).collect()
}

const E: Severity = Severity::Error;
const W: Severity = Severity::Warning;

fn message(loaded: &Loaded, code: Code) -> &Finding {
    loaded.issues.iter().find(|i| i.code == code).unwrap()
}

#[test]
fn elm_as_it_came() {
    let loaded = with(&[("library.json", library("M", "1.0.0"))]);
    let source = &loaded.package.libraries[0];
    assert_eq!(source.elm, elm("M", "1.0.0").to_string().into_bytes());
    assert_eq!(source.url.as_deref(), Some("http://x.org/Library/M"));
    assert_eq!(source.fhir_path, "Library.content[0].data");
    let measure = &loaded.package.measures[0];
    assert_eq!(main_library(&loaded.package, measure), Some(source));
}

#[test]
fn base64_in_lines_and_without_padding() {
    let mut library = library("M", "1.0.0");
    let data = library["content"][0]["data"]
        .as_str()
        .unwrap()
        .trim_end_matches('=')
        .to_owned();
    let (head, tail) = data.split_at(76);
    library["content"][0]["data"] = json!(format!("{head}\r\n{tail}"));
    library["content"][0]["contentType"] = json!("Application/ELM+JSON; charset=utf-8");
    assert_eq!(with(&[("library.json", library)]).package.measures.len(), 1);
}

#[test]
fn libraries_without_elm() {
    let mut library = library("M", "1.0.0");
    library["content"] = json!([{"contentType": "text/cql", "data": "bGlicmFyeSBN"}]);
    let loaded = with(&[("library.json", library.clone())]);
    assert_eq!(
        codes(&loaded),
        [(E, Code::LibraryNoElm), (E, Code::LibraryUnusable)]
    );
    let issue = message(&loaded, Code::LibraryNoElm);
    assert_eq!(issue.message, "library `M` has CQL only, no ELM");
    assert_eq!(issue.blame, Blame::Unsupported);
    assert!(issue.help.as_deref().unwrap().contains("cql-to-elm-cli"));
    assert!(loaded.package.measures.is_empty());

    library["content"] =
        json!([{"contentType": "application/elm+xml", "data": "PGxpYnJhcnkvPg=="}]);
    let loaded = with(&[("library.json", library.clone())]);
    assert!(
        message(&loaded, Code::LibraryNoElm)
            .message
            .ends_with("as XML only")
    );
    library.as_object_mut().unwrap().remove("content");
    let loaded = with(&[("library.json", library.clone())]);
    assert_eq!(message(&loaded, Code::LibraryNoElm).blame, Blame::User);
    library["content"] =
        json!([{"contentType": "application/elm+json", "url": "http://x.org/M.json"}]);
    let loaded = with(&[("library.json", library.clone())]);
    assert!(
        message(&loaded, Code::LibraryNoElm)
            .help
            .as_deref()
            .unwrap()
            .contains("not followed")
    );

    // The ELM lies beside it, as the translator wrote it.
    library["content"] = json!([{"contentType": "text/cql", "data": "bGlicmFyeSBN"}]);
    let loaded = with(&[("library.json", library), ("M.json", elm("M", "1.0.0"))]);
    assert_eq!(codes(&loaded), []);
    assert_eq!(
        loaded.package.libraries[0].url.as_deref(),
        Some("http://x.org/Library/M")
    );
}

#[test]
fn elm_files_alone() {
    let loaded = with(&[("M.json", elm("M", "1.0.0"))]);
    assert_eq!(codes(&loaded), []);
    assert_eq!(main_library_name(&loaded.package.measures[0]), Some("M"));
    assert_eq!(loaded.package.libraries[0].fhir_path, "");
}

#[test]
fn libraries_without_logic_are_ignored() {
    let mut info = library("FHIR-ModelInfo", "4.0.1");
    info["type"] = code("model-definition");
    info["content"] = json!([{"contentType": "application/xml", "data": "AAAA"}]);
    let loaded = with(&[("info.json", info), ("library.json", library("M", "1.0.0"))]);
    assert_eq!(codes(&loaded), []);
    assert_eq!(loaded.package.ignored["Library (model-definition)"], 1);
}

#[test]
fn content_that_is_no_elm() {
    let with_data = |data: &str| {
        let mut library = library("M", "1.0.0");
        library["content"][0]["data"] = json!(data);
        with(&[("library.json", library)])
    };
    let loaded = with_data("@@@");
    assert_eq!(
        codes(&loaded),
        [(E, Code::LibraryNotBase64), (E, Code::LibraryUnusable)]
    );
    assert_eq!(
        message(&loaded, Code::LibraryNotBase64)
            .place
            .path
            .as_deref(),
        Some("Library.content[0].data")
    );
    for (content, what) in [
        (
            "{\"library\": ",
            "ends before it is complete (line 1, column 12",
        ),
        ("<library/>", "this is XML"),
        ("{\"library\": {}}", "no `library.identifier.id`"),
        ("{}", "no `library.identifier.id`"),
        ("[]", "expected an object, found a list"),
    ] {
        let loaded = with_data(&STANDARD.encode(content));
        assert_eq!(
            codes(&loaded),
            [(E, Code::LibraryNotElm), (E, Code::LibraryUnusable)]
        );
        let message = &message(&loaded, Code::LibraryNotElm).message;
        assert!(message.contains(what), "{message}");
    }
    let loaded = with_data(&STANDARD.encode(b"\xff"));
    assert!(
        message(&loaded, Code::LibraryNotElm)
            .message
            .contains("not UTF-8")
    );
}

#[test]
fn deep_elm_is_read() {
    let deep = format!("{}1{}", "{\"operand\":[".repeat(5000), "]}".repeat(5000));
    let mut text = elm("M", "1.0.0").to_string();
    text.insert_str(text.len() - 2, &format!(",\"deep\":{deep}"));
    let mut library = library("M", "1.0.0");
    library["content"][0]["data"] = json!(STANDARD.encode(&text));
    let loaded = with(&[("library.json", library.clone()), ("again.json", library)]);
    assert_eq!(codes(&loaded), []);
}

#[test]
fn the_elm_says_its_name() {
    let other = library_of("N", "1.1.0", &elm("M", "1.0.0"));
    let mut measure = proportion();
    measure["library"] = json!(["http://x.org/Library/N"]);
    let files = Files::new();
    files.json("measure.json", &measure);
    files.json("library.json", &other);
    let loaded = files.load();
    let wanted = [
        (W, Code::LibraryNames, "Library.name"),
        (W, Code::LibraryNames, "Library.version"),
    ];
    assert_eq!(told(&loaded), wanted);
    let source = &loaded.package.libraries[0];
    assert_eq!(
        (source.name.as_str(), source.version.as_deref()),
        ("M", Some("1.0.0"))
    );
    assert_eq!(source.resource_version.as_deref(), Some("1.1.0"));
    assert_eq!(main_library_name(&loaded.package.measures[0]), Some("M"));
}

#[test]
fn files_named_after_another_version_are_mentioned() {
    let loaded = with(&[("M-0.9.json", library("M", "1.0.0"))]);
    assert_eq!(message(&loaded, Code::FileVersion).severity, Severity::Info);
    assert_eq!(codes(&loaded), []);
    let loaded = with(&[("M-1.0.0.json", library("M", "1.0.0"))]);
    assert!(!loaded.issues.iter().any(|i| i.code == Code::FileVersion));
}

#[test]
fn duplicates() {
    let loaded = with(&[
        ("a.json", library("M", "1.0.0")),
        ("b.json", library("M", "1.0.0")),
    ]);
    assert_eq!(codes(&loaded), []);
    assert!(
        message(&loaded, Code::LibraryTwice)
            .message
            .ends_with("`M` 1.0.0 (2 times)")
    );

    // Notes of the translator do not take part in evaluation.
    let mut notes = elm("M", "1.0.0");
    notes["library"]["annotation"][0]["translatorVersion"] = json!("4.0");
    let loaded = with(&[
        ("a.json", library("M", "1.0.0")),
        ("b.json", library_of("M", "1.0.0", &notes)),
    ]);
    assert_eq!(codes(&loaded), []);

    let mut other = elm("M", "1.0.0");
    other["library"]["statements"] = json!({"def": []});
    let loaded = with(&[
        ("a.json", library("M", "1.0.0")),
        ("b.json", library_of("M", "1.0.0", &other)),
    ]);
    assert_eq!(codes(&loaded), [(E, Code::LibraryTwice)]);
    assert_eq!(loaded.package.libraries.len(), 1);
    // Another version is another library.
    let loaded = with(&[
        ("a.json", library("M", "1.0.0")),
        ("b.json", library("M", "0.9.0")),
    ]);
    assert_eq!(codes(&loaded), []);
    assert_eq!(loaded.package.libraries.len(), 2);
}

#[test]
fn errors_of_the_translator() {
    let mut broken = elm("M", "1.0.0");
    let notes = broken["library"]["annotation"].as_array_mut().unwrap();
    notes.push(json!({"type": "CqlToElmError", "errorSeverity": "warning", "message": "hm"}));
    notes.push(json!({"type": "CqlToElmError", "errorSeverity": "error", "message": "no such thing", "startLine": 7}));
    let loaded = with(&[("a.json", library_of("M", "1.0.0", &broken))]);
    assert_eq!(
        codes(&loaded),
        [(E, Code::TranslatorError), (E, Code::LibraryUnusable)]
    );
    assert!(
        message(&loaded, Code::TranslatorError)
            .message
            .ends_with("no such thing (line 7 of the CQL)")
    );
}

#[test]
fn libraries_for_qdm() {
    let mut qdm = elm("M", "1.0.0");
    qdm["library"]["usings"]["def"][0]["localIdentifier"] = json!("QDM");
    let loaded = with(&[("a.json", library_of("M", "1.0.0", &qdm))]);
    assert_eq!(
        message(&loaded, Code::LibraryModel).blame,
        Blame::Unsupported
    );
}

/// A measure that names this library, with the libraries given.
fn naming(canonical: &str, libraries: &[Value]) -> Loaded {
    let files = Files::new();
    let mut measure = proportion();
    measure["library"] = json!([canonical]);
    files.json("measure.json", &measure);
    for (index, library) in libraries.iter().enumerate() {
        files.json(&format!("library{index}.json"), library);
    }
    files.load()
}

#[test]
fn the_library_of_a_measure() {
    let chosen = |loaded: &Loaded| {
        let library = loaded
            .package
            .measures
            .first()
            .and_then(|m| m.main_library.clone());
        library.and_then(|l| l.version)
    };
    let two = [library("L", "2.10.0"), library("L", "2.9.0")];
    let loaded = naming("http://x.org/Library/L|2.9.0", &two);
    assert_eq!(
        (codes(&loaded), chosen(&loaded).as_deref()),
        (vec![], Some("2.9.0"))
    );
    let loaded = naming("http://x.org/Library/L", &two);
    assert_eq!(
        (codes(&loaded), chosen(&loaded).as_deref()),
        (vec![(W, Code::LibraryVersions)], Some("2.10.0"))
    );
    // The version of the measure decides among several.
    let loaded = naming(
        "http://x.org/Library/L",
        &[library("L", "1.0.0"), library("L", "2.0.0")],
    );
    assert_eq!(
        (codes(&loaded), chosen(&loaded).as_deref()),
        (vec![], Some("1.0.0"))
    );
    let loaded = naming("http://y.org/Library/L", &[library("L", "1.0.0")]);
    assert_eq!(codes(&loaded), [(W, Code::LibraryByName)]);
    for plain in ["Library/L", "L"] {
        assert_eq!(codes(&naming(plain, &[library("L", "1.0.0")])), []);
    }
}

#[test]
fn a_library_that_is_not_there() {
    let loaded = naming(
        "http://x.org/Library/Mesure",
        &[library("Measure", "1.0.0"), library("Other", "1.0.0")],
    );
    assert_eq!(codes(&loaded), [(E, Code::LibraryMissing)]);
    let issue = message(&loaded, Code::LibraryMissing);
    assert_eq!(
        issue.help.as_deref(),
        Some("did you mean `http://x.org/Library/Measure`?")
    );
    assert_eq!(issue.place.path.as_deref(), Some("Measure.library"));
    assert_eq!(loaded.package.refused[0].label, "M");
    let loaded = naming("http://x.org/Library/M|3.0.0", &[library("M", "1.0.0")]);
    assert!(
        message(&loaded, Code::LibraryMissing)
            .help
            .as_deref()
            .unwrap()
            .contains("`1.0.0`")
    );
    let loaded = naming("#inside", &[library("M", "1.0.0")]);
    assert_eq!(
        message(&loaded, Code::LibraryMissing).blame,
        Blame::Unsupported
    );
}

#[test]
fn measure_and_library_of_different_versions_are_mentioned() {
    let loaded = with(&[("library.json", library("M", "0.9.0"))]);
    assert_eq!(
        message(&loaded, Code::LibraryVersion).severity,
        Severity::Info
    );
    assert_eq!(codes(&loaded), []);
}
