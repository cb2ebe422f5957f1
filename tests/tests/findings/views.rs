//! ViewDefinitions and the FHIRPath in them.

use engine_fhirpath::views::ViewDefinition;
use engine_patient::finding::Finding;

use crate::{case, snapshot, snapshot_json};

const WRONG: &str = r#"{
    "resourceType": "ViewDefinition", "name": "bad name", "resource": "Patient", "wher": [],
    "constant": [{"name": "c"}, {"name": "d", "valueDate": "soon"}],
    "where": [{"path": "name.family"}, {"paht": "id"}],
    "select": [
        {"column": [
            {"name": "id", "path": "id", "type": "id"},
            {"name": "x y", "path": "id.foo()"},
            {"name": "z", "path": "gender", "type": "boolean"},
            {"name": "n", "path": "name"},
            {"name": "id", "path": "active"}]},
        {"forEach": "name", "forEachOrNull": "name", "column": [{"name": "f", "path": "famly.x(", "collection": 1}]},
        {"unionAll": [{"column": [{"name": "u", "path": "id"}]}, {"column": [{"name": "w", "path": "id"}]}]},
        {}]}"#;

fn load(text: &str) -> Vec<Finding> {
    match ViewDefinition::from_json(text) {
        Ok(view) => view.warnings,
        Err(found) => found,
    }
}

fn path(path: &str) -> crate::Case {
    let path_json = serde_json::Value::from(path);
    let text = format!(
        r#"{{"resource":"Patient","select":[{{"column":[{{"name":"a","path":{path_json}}}]}}]}}"#
    );
    case(path, load(&text))
}

#[test]
fn view_definitions() {
    let nested = format!(
        "{}{{\"column\":[{{\"name\":\"a\",\"path\":\"id\"}}]}}{}",
        "{\"select\":[".repeat(40),
        "]}".repeat(40)
    );
    let cases = [
        case("a view with many mistakes", load(WRONG)),
        case("not JSON", load("{")),
        case("another resource", load(r#"{"resourceType":"Patient"}"#)),
        case(
            "an unknown resource",
            load(r#"{"resource":"Patint","select":[{"column":[{"name":"a","path":"id"}]}]}"#),
        ),
        case(
            "nested deep",
            load(&format!(r#"{{"resource":"Patient","select":[{nested}]}}"#)),
        ),
    ];
    snapshot("view.txt", &cases);
    snapshot_json("view.json", &cases[..1]);
}

#[test]
fn paths() {
    let deep = format!("{}id{}", "(".repeat(300), ")".repeat(300));
    let cases = [
        path("name.family"),
        path("name.where(use = \"official\")"),
        path("name.where(use = 'official').first().family) "),
        path("name.famly"),
        path("name.repeat(given)"),
        path("name.first(1).family"),
        path("name > 1"),
        path("multipleBirthInteger"),
        path("multipleBirth.ofType(Intger)"),
        path("%offical"),
        case(
            "brackets, 300 deep",
            path(&deep)
                .found
                .into_iter()
                .map(|mut f| {
                    // The expression itself is long.
                    if let Some(span) = &mut f.place.span {
                        span.text = None;
                    }
                    f
                })
                .collect(),
        ),
    ];
    snapshot("paths.txt", &cases);
}
