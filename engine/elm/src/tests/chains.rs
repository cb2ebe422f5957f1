//! Libraries of which the structure is hostile: nested deep, in circles, in long chains; and names that
//! lead nowhere. A clear finding each.

use super::*;
use engine_patient::finding::Code;

fn nested(depth: usize, open: &str, close: &str, inner: &str) -> Vec<u8> {
    let head =
        r#"{"library":{"identifier":{"id":"L"},"statements":{"def":[{"name":"A","expression":"#;
    format!(
        "{head}{}{inner}{}}}]}}}}}}",
        open.repeat(depth),
        close.repeat(depth)
    )
    .into_bytes()
}

const ONE: &str =
    r#"{"type":"Literal","valueType":"{urn:hl7-org:elm-types:r1}Integer","value":"1"}"#;

fn structures() -> [(&'static str, String, usize); 6] {
    [
        ("[", "]".into(), 1),
        (r#"{"x":"#, "}".into(), 1),
        (r#"{"type":"Not","operand":"#, "}".into(), 1),
        (r#"{"type":"Add","operand":["#, format!(",{ONE}]}}"), 2),
        (r#"{"type":"List","element":["#, "]}".into(), 2),
        (
            r#"{"type":"Query","source":[{"alias":"A","expression":"#,
            r#"}],"relationship":[]}"#.into(),
            3,
        ),
    ]
}

/// On a stack of half a megabyte, less than any thread of a server has.
fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(512 << 10)
        .spawn(work);
    thread.unwrap().join().unwrap();
}

#[test]
fn nested_deep() {
    for (open, close, levels) in structures() {
        on_small_stack(move || {
            let depth = 980 / levels;
            let bytes = nested(depth, open, &close, ONE);
            let library = [Library::read("deep.json", &bytes).unwrap()];
            for hoist in [true, false] {
                let (compiled, _) = link(
                    &library,
                    Options {
                        hoist,
                        ..Options::default()
                    },
                );
                evaluate(&library, &compiled, &RECORD, 1_000_000);
                let a = compiled.expression(0, "A").unwrap();
                compiled.required_retrieves(a);
                compiled.terms(a);
            }
            for depth in [1000, 100_000, 1_000_000] {
                let bytes = nested(depth, open, &close, ONE);
                let issue = Library::read("deep.json", &bytes).unwrap_err();
                assert_eq!(issue.code, Code::ElmNotJson);
                assert!(issue.message.contains("nested deeper than 1000"), "{issue}");
            }
        });
    }
}

/// What is deep where no expression belongs is never gone into.
#[test]
fn nested_deep_beside_expressions() {
    let deep = format!("{}{}", "[".repeat(900), "]".repeat(900));
    let specifier = (0..440).fold(
        r#"{"type":"NamedTypeSpecifier","name":"{urn:hl7-org:elm-types:r1}Any"}"#.to_owned(),
        |of, _| format!(r#"{{"type":"ListTypeSpecifier","elementType":{of}}}"#),
    );
    let texts = [
        format!(
            r#"{{"type":"Negate","operand":{{"type":"Literal","valueType":"{{urn:hl7-org:elm-types:r1}}Integer","value":"1","x":{deep}}}}}"#
        ),
        format!(
            r#"{{"type":"Ratio","numerator":{{"value":1,"x":{deep}}},"denominator":{{"value":1,"x":{deep}}}}}"#
        ),
        format!(
            r#"{{"type":"Literal","valueType":"{{urn:hl7-org:elm-types:r1}}Integer","value":{deep}}}"#
        ),
        format!(r#"{{"type":"Is","operand":{ONE},"isTypeSpecifier":{specifier}}}"#),
        format!(r#"{{"type":"Sort","source":{ONE},"by":[{{"type":"ByDirection","x":{deep}}}]}}"#),
        format!(r#"{{"type":"ValueSetRef","name":"V","annotation":{deep}}}"#),
    ];
    for text in texts {
        on_small_stack(move || {
            let head = r#"{"library":{"identifier":{"id":"L"},"valueSets":{"def":[{"name":"V","id":"urn:v"}]},"statements":{"def":[{"name":"A","annotation":"#;
            let deep = format!("{}{}", "[".repeat(900), "]".repeat(900));
            let bytes = format!(r#"{head}{deep},"expression":{text}}}]}}}}}}"#);
            let library = [Library::read("deep.json", bytes.as_bytes()).unwrap()];
            let (compiled, _) = link(&library, Options::default());
            evaluate(&library, &compiled, &RECORD, 1_000_000);
        });
    }
}

#[test]
fn circles() {
    let circle = library(
        "L",
        &[
            ("A", definition("B")),
            ("B", definition("C")),
            ("C", definition("A")),
        ],
    );
    let issue = run(&[circle]).error().clone();
    assert_eq!(issue.code, Code::ElmCircle);
    assert!(issue.message.contains("refers to itself"), "{issue}");
    assert_eq!(issue.definition(), Some("C"));

    let including = |name: &str, other: &str| {
        let mut library = library(
            name,
            &[(
                "A",
                json!({"type": "ExpressionRef", "libraryName": "o", "name": "A"}),
            )],
        );
        library["library"]["includes"] =
            json!({"def": [{"localIdentifier": "o", "path": other, "version": "1"}]});
        library
    };
    let outcome = run(&[including("P", "Q"), including("Q", "P")]);
    let messages: Vec<_> = outcome.issues.iter().map(|i| i.message.as_str()).collect();
    assert!(
        outcome.issues.iter().all(|i| i.code == Code::ElmCircle),
        "{messages:?}"
    );
    assert!(
        messages
            .iter()
            .any(|m| m.contains("library `P` includes itself")),
        "{messages:?}"
    );
    let own = run(&[including("P", "P")]);
    assert!(own.issues.iter().all(|i| i.code == Code::ElmCircle) && !own.issues.is_empty());
}

#[test]
fn a_parameter_whose_default_is_itself() {
    let of = |name: &str| json!({"type": "ParameterRef", "name": name});
    let mut document = library("L", &[("A", of("P"))]);
    document["library"]["parameters"] =
        json!({"def": [{"name": "P", "default": of("Q")}, {"name": "Q", "default": of("P")}]});
    let outcome = run(&[document]);
    assert_eq!(outcome.error().code, Code::ElmCircle);
    assert_eq!(outcome.value("A").as_deref(), Ok("null"));
}

/// The default of a parameter stands in its own library, also where another refers to it.
#[test]
fn a_default_refers_to_its_own_library() {
    let mut own = library("Own", &[("Seven", integer(7))]);
    own["library"]["parameters"] = json!({"def": [{"name": "P", "default": definition("Seven")}]});
    let mut user = library(
        "User",
        &[
            ("Seven", integer(8)),
            (
                "A",
                json!({"type": "ParameterRef", "libraryName": "o", "name": "P"}),
            ),
        ],
    );
    user["library"]["includes"] =
        json!({"def": [{"localIdentifier": "o", "path": "Own", "version": "1"}]});
    let outcome = run(&[user, own]);
    assert!(outcome.issues.is_empty(), "{:?}", outcome.issues);
    assert_eq!(outcome.value("A").as_deref(), Ok("7"));
}

#[test]
fn long_chains() {
    let names: Vec<String> = (0..50_000).map(|i| format!("D{i}")).collect();
    let mut definitions: Vec<(&str, Json)> = vec![];
    for pair in names.windows(2) {
        definitions.push((&pair[0], definition(&pair[1])));
    }
    definitions.push((&names[names.len() - 1], integer(1)));
    let outcome = run(&[library("L", &definitions)]);
    assert!(
        outcome
            .issues
            .iter()
            .all(|i| i.code == Code::ElmNotJson && i.message.contains("chain of more than 1000"))
    );
    assert!(!outcome.issues.is_empty());
    // What is not too long works.
    let outcome = run(&[library("L", &definitions[49_100..])]);
    assert!(outcome.issues.is_empty());
    assert_eq!(outcome.value("D49100").as_deref(), Ok("1"));
}

/// Very many names that lead nowhere, among very many: time must not grow with the product.
#[test]
fn very_many_unknown_names() {
    let names: Vec<String> = (0..20_000)
        .map(|i| format!("Definition number {i}"))
        .collect();
    let unknown: Vec<String> = names.iter().map(|n| format!("{n} or so")).collect();
    let mut definitions: Vec<(&str, Json)> = vec![];
    for (name, unknown) in names.iter().zip(&unknown) {
        definitions.push((name, definition(unknown)));
    }
    let outcome = run(&[library("L", &definitions)]);
    // Every one is told.
    assert_eq!(outcome.issues.len(), 20_000);
    assert!(
        outcome
            .issues
            .iter()
            .all(|i| i.code == Code::ElmUnknownReference)
    );
}

/// Definitions that name each other twice: 2^30 terms for who takes all apart.
#[test]
fn a_diamond_of_definitions_and_of_functions() {
    let names: Vec<String> = (0..30).map(|i| format!("D{i}")).collect();
    let mut definitions: Vec<(&str, Json)> = vec![(
        "D0",
        json!({"type": "Exists", "operand": {"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Condition"}}),
    )];
    for pair in names.windows(2) {
        definitions.push((
            &pair[1],
            node("And", json!([definition(&pair[0]), definition(&pair[0])])),
        ));
    }
    let call = |depth: usize| json!({"type": "FunctionRef", "name": "f", "operand": [integer(depth as i64)]});
    definitions.push(("F", call(1)));
    let mut document = library("L", &definitions);
    let f = json!({"type": "FunctionDef", "name": "f", "operand": [{"name": "x", "operandType": "{urn:hl7-org:elm-types:r1}Integer"}],
        "expression": node("Or", json!([call(1), call(2)]))});
    document
        .pointer_mut("/library/statements/def")
        .unwrap()
        .as_array_mut()
        .unwrap()
        .push(f);
    let libraries = read(&[document]);
    let (compiled, issues) = link(&libraries, Options::default());
    assert!(issues.is_empty(), "{issues:?}");
    let last = compiled.expression(0, "D29").unwrap();
    assert_eq!(compiled.required_retrieves(last).len(), 1);
    assert!(compiled.terms(last).len() < 2000);
    let endless = compiled.expression(0, "F").unwrap();
    assert!(compiled.required_retrieves(endless).is_empty());
}

fn including(path: &str, version: Option<&str>) -> Json {
    let mut library = library("Main", &[("A", integer(1))]);
    library["library"]["includes"] =
        json!({"def": [{"localIdentifier": "o", "path": path, "version": version}]});
    library
}

/// Code, text in the message, text in the help.
#[test]
fn names_that_lead_nowhere() {
    let call = |name: &str, operands: usize| json!({"type": "FunctionRef", "name": name, "localId": "9", "operand": vec![integer(1); operands]});
    let of = |ty: &str, name: &str| json!({"type": ty, "name": name, "localId": "9"});
    let named =
        |ty: &str| json!({"type": "Is", "operand": integer(1), "isType": ty, "localId": "9"});
    let cases: Vec<(Json, Code, &str, &str)> = vec![
        (
            of("Aad", ""),
            Code::ElmUnknownNode,
            "no node `Aad`",
            "did you mean `Add`?",
        ),
        (
            of("ExpressionRef", "Hepler"),
            Code::ElmUnknownReference,
            "no definition `Hepler`",
            "did you mean `Helper`?",
        ),
        (
            of("ParameterRef", "Measurement Periode"),
            Code::ElmUnknownReference,
            "no parameter `Measurement Periode`",
            "",
        ),
        (
            of("ValueSetRef", "W"),
            Code::ElmUnknownReference,
            "no value set `W`",
            "did you mean `V`?",
        ),
        (
            of("CodeRef", "Y"),
            Code::ElmUnknownReference,
            "no code `Y`",
            "did you mean `X`?",
        ),
        (
            of("CodeSystemRef", "T"),
            Code::ElmUnknownReference,
            "no code system `T`",
            "did you mean `S`?",
        ),
        (
            of("ConceptRef", "C"),
            Code::ElmUnknownReference,
            "no concept `C`",
            "",
        ),
        (
            of("AliasRef", "E"),
            Code::ElmUnknownReference,
            "no alias `E` here",
            "",
        ),
        (
            of("QueryLetRef", "x"),
            Code::ElmUnknownReference,
            "no let `x` here",
            "",
        ),
        (
            of("OperandRef", "x"),
            Code::ElmUnknownReference,
            "no operand `x` here",
            "",
        ),
        (
            of("Current", ""),
            Code::ElmUnknownReference,
            "stands in no iteration",
            "",
        ),
        (
            call("hepl", 1),
            Code::ElmUnknownReference,
            "no function `hepl`",
            "did you mean `help`?",
        ),
        (
            call("help", 3),
            Code::ElmNoOverload,
            "called with 3 operands; it takes 1",
            "",
        ),
        (
            json!({"type": "ExpressionRef", "name": "A", "libraryName": "Common", "localId": "9"}),
            Code::ElmUnknownReference,
            "includes nothing as `Common`",
            "",
        ),
        (
            named("{urn:hl7-org:elm-types:r1}Integr"),
            Code::ElmUnknownType,
            "no type `{urn:hl7-org:elm-types:r1}Integr`",
            "",
        ),
        (
            named("{http://example.org}Thing"),
            Code::ElmUnknownType,
            "no type `{http://example.org}Thing`",
            "",
        ),
        (
            json!({"type": "Subsumes", "localId": "9", "operand": []}),
            Code::ElmUnsupportedNode,
            "hierarchy of a code system",
            "",
        ),
        (
            json!({"type": "Retrieve", "localId": "9", "dataType": "{http://hl7.org/fhir}Observatio"}),
            Code::ElmRetrieve,
            "not a FHIR R4 resource type",
            "",
        ),
        (
            json!({"type": "Retrieve", "localId": "9", "dataType": "{http://hl7.org/fhir}Observation", "codeProperty": "cod", "codes": {"type": "Null"}}),
            Code::ElmRetrieve,
            "no element `cod`",
            "",
        ),
        (
            json!({"type": "Literal", "localId": "9", "valueType": "{urn:hl7-org:elm-types:r1}Integer", "value": "2147483648"}),
            Code::ElmLiteralRange,
            "not in the range",
            "",
        ),
        (
            json!({"type": "Quantity", "localId": "9", "value": "many"}),
            Code::ElmLiteralRange,
            "no number of a quantity",
            "",
        ),
        (
            json!({"type": "If", "localId": "9", "condition": integer(1), "then": integer(1)}),
            Code::ElmWrongForm,
            "`If` has no `else`",
            "",
        ),
        (json!({"localId": "9"}), Code::ElmWrongForm, "no `type`", ""),
    ];
    for (expression, code, message, help) in cases {
        let mut document = library("L", &[("A", expression), ("Helper", integer(1))]);
        let f = json!({"type": "FunctionDef", "name": "help", "operand": [{"name": "x", "operandType": "{urn:hl7-org:elm-types:r1}Any"}], "expression": integer(1)});
        document
            .pointer_mut("/library/statements/def")
            .unwrap()
            .as_array_mut()
            .unwrap()
            .push(f);
        let outcome = run(&[document]);
        let issue = outcome.error();
        assert_eq!(issue.code, code, "{issue}");
        assert!(issue.message.contains(message), "{issue}");
        assert!(
            issue.help.as_deref().unwrap_or_default().contains(help),
            "{issue}"
        );
        assert_eq!(
            (issue.definition(), issue.local_id()),
            (Some("A"), Some("9")),
            "{issue}"
        );
        // It runs all the same, to null: nothing panics for a caller who does not look.
        outcome.value("A").as_ref().ok();
    }
}

#[test]
fn libraries_that_are_not_there() {
    let other = library("Common", &[("A", integer(1))]);
    let outcome = run(&[including("Comon", Some("1")), other.clone()]);
    assert_eq!(outcome.error().code, Code::ElmLibraryMissing);
    assert!(
        outcome
            .error()
            .help
            .as_deref()
            .unwrap()
            .contains("did you mean `Common`?")
    );
    let outcome = run(&[including("Common", Some("2")), other.clone()]);
    assert_eq!(outcome.error().code, Code::ElmLibraryVersion);
    assert!(
        outcome
            .error()
            .help
            .as_deref()
            .unwrap()
            .contains("in the package: 1")
    );
    let outcome = run(&[including("http://example.org/Common", None), other]);
    assert!(outcome.issues.is_empty());
}

#[test]
fn names_twice() {
    let twice = library("L", &[("A", integer(1)), ("A", integer(2))]);
    let issue = run(&[twice]).error().clone();
    assert_eq!(
        (issue.code, issue.message.as_str()),
        (Code::ElmDuplicate, "`A` is defined twice")
    );
    let mut document = library("L", &[("A", integer(1))]);
    document["library"]["codes"]["def"] =
        json!([{"name": "X", "id": "x"}, {"name": "X", "id": "y"}]);
    assert_eq!(run(&[document]).error().code, Code::ElmDuplicate);
    // Two functions of the same operands: which is meant cannot be told.
    let f = |value: i64| json!({"type": "FunctionDef", "name": "f", "operand": [{"name": "x", "operandType": "{urn:hl7-org:elm-types:r1}Integer"}], "expression": integer(value)});
    let mut document = library("L", &[]);
    document["library"]["statements"]["def"] = json!([f(1), f(2)]);
    let issue = run(&[document]).error().clone();
    assert_eq!(issue.code, Code::ElmDuplicate);
    assert!(issue.message.contains("function `f`"), "{issue}");
}
