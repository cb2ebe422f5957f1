//! What is said of alternatives, and how.

use super::*;

fn cause(text: &str, near: Near) -> Cause {
    Cause {
        text: text.into(),
        near,
        ..Cause::default()
    }
}

#[test]
fn the_nearest_alternative_is_said_and_the_others_are_kept() {
    let told = vec![
        vec![
            cause("no Procedure", Near::Nothing),
            cause("age 12", Near::Value),
        ],
        vec![cause("no Encounter", Near::Nothing)],
        vec![cause("HbA1c 9.6 %, not < 9 %", Near::Value)],
    ];
    let causes = alternatives(told);
    assert_eq!(joined(&causes), "HbA1c 9.6 %, not < 9 %");
    assert_eq!(causes.len(), 4);
    // None is nearer than another.
    let equal = vec![
        vec![cause("no A", Near::Nothing)],
        vec![cause("no B", Near::Nothing)],
        vec![cause("no B", Near::Nothing)],
    ];
    assert_eq!(joined(&alternatives(equal)), "no A; no B");
}

#[test]
fn what_is_not_said_is_counted() {
    let causes: Vec<Cause> = (0..5).map(|n| cause(&n.to_string(), Near::Value)).collect();
    assert_eq!(joined(&causes), "0; 1; 2; and 2 more");
}
