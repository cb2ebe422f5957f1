//! ELM.

use engine_elm::{Library, Linker, Options};
use engine_patient::finding::Finding;
use engine_patient::terminology::TerminologyBuilder;
use serde_json::{Value, json};

use crate::{case, snapshot};

fn elm(name: &str, version: &str, definitions: Value, more: Value) -> Value {
    let mut library = json!({
        "identifier": {"id": name, "version": version},
        "usings": {"def": [{"localIdentifier": "FHIR", "uri": "http://hl7.org/fhir", "version": "4.0.1"}]},
        "statements": {"def": definitions},
    });
    for (key, value) in more.as_object().unwrap() {
        library[key] = value.clone();
    }
    json!({ "library": library })
}

fn link(libraries: &[Value]) -> Vec<Finding> {
    let read = |l: &Value| Library::read("logic.json", l.to_string().as_bytes());
    let libraries: Vec<Library> = match libraries.iter().map(read).collect() {
        Ok(libraries) => libraries,
        Err(finding) => {
            let finding: Box<Finding> = finding;
            return vec![*finding];
        }
    };
    let (terminology, _) = TerminologyBuilder::new().build();
    let mut linker = Linker::new(&libraries, &terminology, Options::default());
    for index in 0..libraries.len() {
        linker.everything(u32::try_from(index).unwrap());
    }
    linker.finish().1
}

pub fn one(expression: Value) -> Vec<Finding> {
    let definition =
        json!({"name": "A", "localId": "9", "locator": "7:1-8:20", "expression": expression});
    link(&[elm("L", "1.0", json!([definition]), json!({}))])
}

#[test]
fn libraries() {
    let literal = json!({"type": "Literal", "localId": "3", "valueType": "{urn:hl7-org:elm-types:r1}Integer", "value": "3000000000"});
    let cases = [
        case("not ELM", link(&[json!({"resourceType": "Library"})])),
        case(
            "an unknown node",
            one(json!({"type": "Exist", "localId": "4"})),
        ),
        case(
            "a node that is not supported",
            one(json!({"type": "Search", "localId": "4", "path": "x"})),
        ),
        case(
            "an unknown definition",
            one(json!({"type": "ExpressionRef", "name": "B", "localId": "4"})),
        ),
        case("a literal that is too large", one(literal)),
        case(
            "a retrieve of no type",
            one(
                json!({"type": "Retrieve", "localId": "5", "dataType": "{http://hl7.org/fhir}Observations"}),
            ),
        ),
        case(
            "operands that are missing",
            one(json!({"type": "Equal", "localId": "6", "operand": []})),
        ),
        case(
            "a circle",
            one(json!({"type": "ExpressionRef", "name": "A", "localId": "4"})),
        ),
        case(
            "a library that is not there",
            link(&[elm(
                "L",
                "1.0",
                json!([]),
                json!({"includes": {"def": [{"localIdentifier": "C", "path": "Common", "version": "2"}]}}),
            )]),
        ),
        case(
            "another model",
            link(&[elm(
                "L",
                "1.0",
                json!([]),
                json!({"usings": {"def": [{"localIdentifier": "QDM", "uri": "urn:healthit-gov:qdm:v5_6"}]}}),
            )]),
        ),
        case(
            "errors of the translator",
            link(&[elm(
                "L",
                "1.0",
                json!([]),
                json!({"annotation": [{"type": "CqlToElmError", "errorSeverity": "error", "startLine": 4, "startChar": 2, "message": "Could not resolve identifier X"}]}),
            )]),
        ),
    ];
    snapshot("logic.txt", &cases);
}
