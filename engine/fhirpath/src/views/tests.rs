use serde_json::{Value, json};

use super::*;
use engine_patient::finding::Finding;
use engine_patient::record::PatientRecord;

fn view(select: Value) -> Result<View, Vec<Finding>> {
    ViewDefinition::from_value(&json!({"name": "v", "resource": "Patient", "select": select}))
}

/// The rows of a view on a resource, `|` between values; or the error.
fn rows(view: &View, resource: &str) -> Result<Vec<String>, ViewRunError> {
    rows_and_notes(view, resource).map(|(rows, _)| rows)
}

/// And what the view said of values that it could not use.
fn rows_and_notes(view: &View, resource: &str) -> Result<(Vec<String>, Vec<String>), ViewRunError> {
    fn shown(value: &ViewValue<'_>) -> String {
        match value {
            ViewValue::Null => "-".into(),
            ViewValue::Bool(b) => b.to_string(),
            ViewValue::Int(i) => i.to_string(),
            ViewValue::Decimal(t) => format!("{t}d"),
            ViewValue::Str(t) => t.to_string(),
            ViewValue::List(list) => format!("{:?}", list.iter().map(shown).collect::<Vec<_>>()),
        }
    }
    let mut record = PatientRecord::new();
    record.push(resource).unwrap();
    let mut out = vec![];
    let resource = record.resources().next().unwrap();
    let mut notes = vec![];
    view.rows(
        resource,
        &mut |row| out.push(row.iter().map(shown).collect::<Vec<_>>().join("|")),
        &mut |note| notes.push(note.to_string()),
    )?;
    Ok((out, notes))
}

#[test]
fn all_mistakes_at_once_each_with_its_place() {
    let definition = r#"{
        "resourceType": "ViewDefinition", "name": "bad name", "resource": "Patient", "wher": [],
        "constant": [{"name": "c"}, {"name": "d", "valueDate": "soon"}, {"name": "e", "valueRange": {}}],
        "where": [{"path": "name.family"}, {"paht": "id"}],
        "select": [
            {"column": [
                {"name": "id", "path": "id", "type": "id"},
                {"name": "x y", "path": "id.foo()"},
                {"name": "z", "path": "gender", "type": "boolean"},
                {"name": "n", "path": "name"},
                {"name": "t", "path": "id", "type": "strng"},
                {"name": "id", "path": "active"}]},
            {"forEach": "name", "forEachOrNull": "name", "column": [{"name": "f", "path": "famly.x(", "collection": 1}]},
            {"repeat": "name", "column": [{"name": "g", "path": "id"}]},
            {"unionAll": [{"column": [{"name": "u", "path": "id"}]}, {"column": [{"name": "w", "path": "id"}]},
                          {"column": [{"name": "u", "path": "active"}]}]},
            {}, 7]}"#;
    let errors = ViewDefinition::from_json(definition).unwrap_err();
    // Place, column in the expression there, message, help: each on one line.
    let short = |f: &Finding| {
        let at = f.place.path.as_deref().unwrap_or_default();
        let at = at.trim_start_matches("ViewDefinition.");
        let column = f
            .column()
            .map_or(String::new(), |c| format!("column {c}: "));
        let help = f.help.as_ref().map_or(String::new(), |h| format!("; {h}"));
        format!("`{at}`: {column}{}{help}", f.message)
    };
    let found: Vec<String> = errors.iter().map(short).collect();
    let expected = [
        "`wher`: a ViewDefinition has no such property here; did you mean `where`?",
        "`name`: `bad name` is no SQL name",
        "`constant[0]`: the constant `c` needs exactly one value",
        "`constant[1].valueDate`: this is no `date`",
        "`constant[2].valueRange`: a constant cannot have a value of this type",
        "`where[0].path`: a condition must give a boolean; write `name.family.exists()`",
        "`where[1].paht`: a ViewDefinition has no such property here; did you mean `path`?",
        "`where[1]`: `path` is missing",
        "`select[0].column[1].name`: `x y` is no SQL name",
        "`select[0].column[1].path`: column 4: the function `foo` is not supported",
        "`select[0].column[2].path`: the column is declared `boolean`, but its path gives `code`",
        "`select[0].column[3].path`: the path gives a `HumanName`, which is no primitive",
        "`select[0].column[4].type`: `strng` is no FHIR primitive type; did you mean `string`?",
        "`select[1]`: both `forEach` and `forEachOrNull`",
        "`select[1].column[0].collection`: `true` or `false` was expected",
        "`select[1].column[0].path`: column 9: an expression was expected, not the end",
        "`select[2].repeat`: a JSON array with something in it was expected",
        "`select[3].unionAll[1]`: the columns of this branch are `w`, those of the first `u`",
        "`select[3].unionAll[2].column[0]`: `u` is `boolean` here and `id` in the first branch",
        "`select[4]`: a select needs `column`, `select` or `unionAll`",
        "`select[5]`: a JSON object was expected",
        "`select[0].column[5].name`: a second column `id`; the first is `select[0].column[0]`",
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    let one = |text: &str| ViewDefinition::from_json(text).unwrap_err()[0].to_string();
    assert!(one("{").starts_with("error[V001]: not valid JSON"));
    assert!(one("[]").contains("a JSON object"));
    assert!(
        one(r#"{"resource":"Patint","select":[{"column":[{"name":"a","path":"id"}]}]}"#)
            .contains("did you mean `Patient`?")
    );
    assert!(
        one(r#"{"resource":"Patient","select":[{"unionAll":[{"select":[]}]}]}"#)
            .contains("something in it")
    );
}

#[test]
fn columns_and_their_types() {
    let view = view(json!([{"column": [
        {"name": "a", "path": "id", "description": "The id"}, {"name": "b", "path": "active"},
        {"name": "c", "path": "multipleBirth.ofType(integer)"}, {"name": "d", "path": "name.given", "collection": true},
        {"name": "e", "path": "birthDate", "type": "http://hl7.org/fhir/StructureDefinition/date"},
        {"name": "f", "path": "extension('u').value.ofType(decimal).first()"}, {"name": "g", "path": "name.count() / 2"},
        {"name": "h", "path": "multipleBirth.ofType(integer)", "type": "decimal"}, {"name": "i", "path": "nonsense"}]}]))
    .unwrap();
    let types: Vec<&str> = view.columns.iter().map(|c| c.ty.as_str()).collect();
    assert_eq!(
        types,
        [
            "id", "boolean", "integer", "string", "date", "decimal", "decimal", "decimal", "string"
        ]
    );
    assert_eq!(view.columns[0].description.as_deref(), Some("The id"));
    assert!(view.columns[3].collection);
    assert_eq!(view.warnings.len(), 1, "{:?}", view.warnings);
    assert_eq!(
        view.warnings[0].place.path.as_deref(),
        Some("ViewDefinition.select[0].column[8].path")
    );
    let patient = r#"{"resourceType":"Patient","id":"\u0031","multipleBirthInteger":2,"name":[{"given":["a","b"]}],
        "extension":[{"url":"u","valueDecimal":1.2300}]}"#;
    assert_eq!(
        rows(&view, patient).unwrap(),
        [r#"1|-|2|["a", "b"]|-|1.2300d|0.5d|2d|-"#]
    );
    assert_eq!(
        rows(&view, r#"{"resourceType":"Observation","id":"1"}"#).unwrap(),
        [""; 0]
    );
}

#[test]
fn run_time_errors_name_the_place_and_hide_the_data() {
    let view = view(
        json!([{"column": [{"name": "family", "path": "name.family"}, {"name": "active", "path": "active"}]}]),
    );
    let view = view.unwrap();
    assert!(
        view.warnings[0]
            .help
            .as_deref()
            .unwrap()
            .contains(".first()")
    );
    let error = |text: &str| rows(&view, text).unwrap_err().to_string();
    assert_eq!(
        error(r#"{"resourceType":"Patient","name":[{"family":"Doe"},{"family":"Roe"}]}"#),
        "view `v`, column `family`: several values, but the column is no collection"
    );
}

/// What is wrong in one resource costs that cell, not the row and not the view (FHIR JSON has one
/// type for each primitive; a view over real data meets others).
#[test]
fn a_wrong_type_in_a_resource_is_a_null_that_is_told() {
    let view = view(json!([{"column": [
        {"name": "id", "path": "id"}, {"name": "active", "path": "active"},
        {"name": "born", "path": "birthDate"}, {"name": "twin", "path": "multipleBirth.ofType(integer)"},
        {"name": "given", "path": "name.given", "collection": true},
        {"name": "joined", "path": "name.select(given.join(' '))", "collection": true}]}]))
    .unwrap();
    let cases: [(&str, &str, &[&str]); 5] = [
        (
            r#""active":"Doe""#,
            "1|-|-|-|[]|[]",
            &["column `active`: a value that is no boolean, though the column's type is"],
        ),
        (
            r#""birthDate":19700101,"multipleBirthInteger":"2""#,
            "1|-|-|-|[]|[]",
            &[
                "column `born`: a value that is no text, though the column's type is one",
                "column `twin`: a value that is no whole number, though the column's type is",
            ],
        ),
        (
            r#""birthDate":["1970","1971"]"#,
            "1|-|-|-|[]|[]",
            &["column `born`: several values, but the column is no collection"],
        ),
        (
            r#""multipleBirthInteger":2.5"#,
            "1|-|-|-|[]|[]",
            &["column `twin`: a value that is no whole number, though the column's type is"],
        ),
        (
            r#""active":true,"name":[{"given":["A",7]}]"#,
            r#"1|true|-|-|["A", "-"]|[]"#,
            &[
                "column `given`: a value that is no text, though the column's type is one",
                "column `joined`: a value for `join` that is no text",
            ],
        ),
    ];
    for (content, row, notes) in cases {
        let patient = format!(r#"{{"resourceType":"Patient","id":"1",{content}}}"#);
        let (rows, told) = rows_and_notes(&view, &patient).unwrap();
        assert_eq!(
            (rows, told),
            (
                vec![row.to_owned()],
                notes.iter().map(|n| n.to_string()).collect()
            ),
            "{content}"
        );
    }
    // Whether a resource fits a condition that cannot be read is not known: left out, and told.
    let view = json!({"name": "v", "resource": "Patient", "where": [{"path": "active"}],
        "select": [{"column": [{"name": "id", "path": "id"}]}]});
    let view = ViewDefinition::from_value(&view).unwrap();
    let (rows, told) = rows_and_notes(
        &view,
        r#"{"resourceType":"Patient","id":"1","active":"true"}"#,
    )
    .unwrap();
    assert_eq!(rows, [""; 0]);
    assert_eq!(
        told,
        ["`where[0].path`: the condition gave something other than one boolean"]
    );
}

#[test]
fn iteration_and_joins() {
    let view = view(json!([
        {"column": [{"name": "id", "path": "id"}]},
        {"forEach": "name", "column": [{"name": "n", "path": "family"}, {"name": "at", "path": "%rowIndex"}]},
        {"forEachOrNull": "telecom.where(system = 'phone')",
         "column": [{"name": "t", "path": "value"}, {"name": "c", "path": "'x'"}, {"name": "ti", "path": "%rowIndex"}]}]));
    let view = view.unwrap();
    let patient = r#"{"resourceType":"Patient","id":"1","name":[{"family":"A"},{"family":"B"}],
        "telecom":[{"system":"phone","value":"1"},{"system":"fax","value":"2"},{"system":"phone","value":"3"}]}"#;
    assert_eq!(
        rows(&view, patient).unwrap(),
        ["1|A|0|1|x|0", "1|A|0|3|x|1", "1|B|1|1|x|0", "1|B|1|3|x|1"]
    );
    let patient = r#"{"resourceType":"Patient","id":"1","name":[{"family":"A"},{}]}"#;
    assert_eq!(
        rows(&view, patient).unwrap(),
        ["1|A|0|-|-|0", "1|-|1|-|-|0"]
    );
}

#[test]
fn repeat_goes_down_only_and_ends() {
    let view =
        |path: &str| view(json!([{"repeat": [path], "column": [{"name": "url", "path": "url"}]}]));
    let mut resource = r#"{"url":"x"}"#.to_owned();
    for _ in 0..40 {
        resource = format!(r#"{{"url":"y","extension":[{resource}]}}"#);
    }
    let resource =
        format!(r#"{{"resourceType":"Patient","extension":[{resource},{{"url":"z"}}]}}"#);
    let found = rows(&view("extension").unwrap(), &resource).unwrap();
    assert_eq!(
        (found.len(), found[40].as_str(), found[41].as_str()),
        (42, "x", "z")
    );
    // Every level twice: 2⁴⁰ rows, if it were let.
    let error = rows(
        &view("extension | extension.where(true)").unwrap(),
        &resource,
    );
    assert!(error.is_ok_and(|rows| rows.len() == 42));
    let both = json!([{"repeat": ["extension", "extension.where(true)"], "column": [{"name": "url", "path": "url"}]}]);
    let error = rows(&super::tests::view(both).unwrap(), &resource).unwrap_err();
    assert!(error.problem.contains("100,000"), "{error}");
    for path in ["$this", "%resource", "extension.url & 'x'"] {
        let view = view(path).unwrap_or_else(|e| panic!("{path}: {e:?}"));
        let error = rows(
            &view,
            r#"{"resourceType":"Patient","extension":[{"url":"x"}]}"#,
        )
        .unwrap_err();
        assert!(error.problem.contains("elements below"), "{path}: {error}");
    }
}

#[test]
fn selects_are_bounded_and_a_small_stack_is_enough() {
    let wide = |n: usize| {
        let one = |i: usize| json!({"forEach": "name.where(true).first()", "column": [{"name": format!("c{i}"), "path": "family"}]});
        view(Value::Array((0..n).map(one).collect()))
    };
    assert!(wide(257).unwrap_err()[0].message.contains("at most 256"));
    let mut deep = json!({"column": [{"name": "a", "path": "id"}]});
    for _ in 0..40 {
        deep = json!({"select": [deep]});
    }
    assert!(
        view(json!([deep])).unwrap_err()[0]
            .message
            .contains("32 deep")
    );
    let run = move || {
        let patient = r#"{"resourceType":"Patient","name":[{"family":"A"}]}"#;
        assert_eq!(rows(&wide(256).unwrap(), patient).unwrap().len(), 1);
    };
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}

/// A view is shared by all threads of a run.
#[test]
fn a_view_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<View>();
}
