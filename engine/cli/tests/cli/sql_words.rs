//! What `tandem sql` says where a query cannot be answered: in words of SQL, with what to ask instead.

use serde_json::json;

use crate::support::*;

/// Words of the engine below.
const INNER: [&str; 9] = [
    "datafusion",
    "DataFusion",
    "ParserError",
    "TokenizerError",
    "Arrow error",
    "Error during planning",
    "Schema error",
    "InSubquery",
    "The context currently",
];

#[test]
fn what_cannot_be_answered_is_said_in_words_of_sql() {
    let dir = folder();
    let line = json!({"resourceType": "Patient", "id": "p1", "birthDate": "1970-01-01",
        "name": [{"family": "Secretname"}]});
    let lake = dir.path().join("lake");
    import(
        &lake,
        &[&file(dir.path().join("p.ndjson"), line.to_string())],
    );
    let only = "only questions are answered";
    let cases: [(&str, i32, &[&str]); 26] = [
        (
            "SELECT * FROM encounter",
            2,
            &[
                "there is no table `encounter`",
                "did you mean `encounter_flat`?",
                "SHOW TABLES",
            ],
        ),
        ("DESCRIBE encounter", 2, &["did you mean `encounter_flat`?"]),
        (
            "SELECT * FROM zzz",
            2,
            &["there is no table `zzz`", "SHOW TABLES"],
        ),
        (
            "SELECT * FROM results",
            2,
            &["there is no table `results`", "--results out"],
        ),
        (
            "DROP TABLE patients",
            2,
            &[only, "nothing in a lake can be changed"],
        ),
        ("INSERT INTO patients VALUES (1)", 2, &[only]),
        ("UPDATE patients SET gender = 'x'", 2, &[only]),
        ("DELETE FROM patients", 2, &[only]),
        ("CREATE TABLE x (a int)", 2, &[only]),
        ("CREATE VIEW x AS SELECT 1", 2, &[only]),
        ("COPY patients TO 'x.csv'", 2, &[only]),
        ("SET x = 1", 2, &[only]),
        ("EXPLAIN DELETE FROM patients", 2, &[only]),
        (
            "SELECT year(birth_date) FROM patients",
            2,
            &["there is no function `year`", "date_part('year', "],
        ),
        (
            "SELECT datediff(1, 2)",
            2,
            &["there is no function `datediff`", "::date"],
        ),
        ("SELECT cuont(1)", 2, &["did you mean `count`?"]),
        (
            "SELEC 1",
            2,
            &["the query is no SQL", "at line 1, column 1"],
        ),
        ("SELECT 'a", 2, &["the query is no SQL", "Unterminated"]),
        ("SELECT 1 FROM", 2, &["found: the end of the query"]),
        ("SELECT 1; SELECT 2", 2, &["one query at a time", "`;`"]),
        ("", 2, &["the query is empty"]),
        (
            "SELECT gendre FROM patients",
            2,
            &["no column `gendre`", "did you mean `gender`?"],
        ),
        ("SELECT 1/0", 2, &["division by zero", "nullif"]),
        (
            "SELECT cast(raw AS int) FROM resources",
            2,
            &["cannot be converted to Int32", "try_cast"],
        ),
        (
            "SELECT sum(birth_date) FROM patients",
            2,
            &["no function `sum(Utf8)`", "cast("],
        ),
        (
            "SELECT patient_id, patient_id IN (SELECT patient_id FROM resources) FROM patients",
            3,
            &["a subquery at this place", "join"],
        ),
    ];
    for (query, code, says) in cases {
        let ran = tandem!("sql", query, "--lake", &lake).fails(code, says);
        for word in INNER.iter().chain(&["Secretname"]) {
            assert!(!ran.text().contains(word), "{query}: {}", ran.text());
        }
    }
    // What these suggest is answered.
    for query in [
        "SELECT date_part('year', birth_date) FROM patients",
        "SELECT birth_date::date - '1969-01-01'::date FROM patients",
        "SELECT to_char(birth_date::date, '%Y-%m') FROM patients",
        "SELECT date_trunc('year', birth_date::timestamp) FROM patients",
        "SELECT try_cast(raw AS int) FROM resources",
        "SELECT 1 / nullif(0, 0)",
        "VALUES (1)",
        "EXPLAIN SELECT 1",
    ] {
        tandem!("sql", query, "--lake", &lake).ok();
    }
    let one = tandem!("sql", "SELECT patient_id FROM patients", "--lake", &lake).ok();
    assert_eq!(one.out.lines().last(), Some("1 row"));
}
