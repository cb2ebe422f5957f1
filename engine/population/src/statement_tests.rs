//! Queries of every structure end in an answer or in an error that says what is too much.

use arrow::util::pretty::pretty_format_batches;

use super::*;

/// The first cell of the answer, or the error.
fn ask(text: &str) -> std::result::Result<String, String> {
    // Stacks as the program's: what is planned on a large one is run on a worker's.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(64 << 20)
        .build()
        .unwrap();
    let context = SessionContext::new();
    let done = runtime.block_on(async {
        let frame = query(&context, text).await?;
        on_large_stack(frame.collect()).await
    });
    match done {
        Ok(batches) => {
            let text = pretty_format_batches(&batches).unwrap().to_string();
            let row = text.lines().nth(3).unwrap_or_default();
            Ok(row.trim_matches(['|', ' ']).to_owned())
        }
        Err(e) => Err(e.strip_backtrace()),
    }
}

fn chain(first: &str, more: &str, n: usize) -> String {
    format!("SELECT {first}{} AS x", more.repeat(n))
}

#[test]
fn long_chains_of_and_and_or_are_answered() {
    let terms = |op: &str| {
        let terms: Vec<String> = (0..5000).map(|n| format!("a = {n}")).collect();
        terms.join(op)
    };
    let from = "FROM (VALUES (1), (4999), (7000)) t(a)";
    let text = format!("SELECT count(*) {from} WHERE {}", terms(" OR "));
    assert_eq!(ask(&text).unwrap(), "2");
    let (or, and) = (terms(" OR "), terms(" AND NOT "));
    let text = format!("SELECT count(*) {from} WHERE ({or}) AND a > 1 OR (a < 0 AND {and})");
    assert!(text.len() < LONGEST);
    assert_eq!(ask(&text).unwrap(), "1");
}

#[test]
fn long_lists_are_answered() {
    let items: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
    let text = format!("SELECT 7 IN ({}) AS x", items.join(", "));
    assert_eq!(ask(&text).unwrap(), "true");
    let when: Vec<String> = (0..900)
        .map(|n| format!("WHEN a = {n} THEN 'x{n}'"))
        .collect();
    let text = format!(
        "SELECT CASE {} END AS x FROM (VALUES (899)) t(a)",
        when.join(" ")
    );
    assert_eq!(ask(&text).unwrap(), "x899");
}

#[test]
fn deep_expressions_are_refused_in_words() {
    assert_eq!(ask(&chain("1", " + 1", 200)).unwrap(), "201");
    for text in [
        chain("1", "+1", 20_000),
        chain("1", "+1", 120_000),
        chain("'a'", "||'a'", 20_000),
        chain("1", "::int", 20_000),
        chain("1", " IS NULL", 20_000),
        chain("make_array(1)", "[1]", 20_000),
        format!("EXPLAIN {}", chain("1", "-1", 20_000)),
        format!(
            "SELECT count(*) FROM (VALUES (1)) t(a) WHERE a > {}1",
            "1 * ".repeat(5000)
        ),
    ] {
        let said = ask(&text).unwrap_err();
        assert!(said.contains("nests more than 1000"), "{said}");
    }
    // The parser has a bound of its own for what it descends into.
    for open in ["(", "NOT ", "abs(", "- "] {
        let close = if open.contains('(') { ")" } else { "" };
        let text = format!("SELECT {}1{}", open.repeat(20_000), close.repeat(20_000));
        assert!(ask(&text).is_err(), "{open}");
    }
    let said = ask(&format!("SELECT '{}'", "x".repeat(LONGEST))).unwrap_err();
    assert!(said.contains("bytes of text"), "{said}");
}

#[test]
fn many_parts_are_refused_in_words() {
    let union = vec!["SELECT 1"; 100].join(" UNION ALL ");
    assert!(ask(&union).is_ok());
    let doubled = |n: usize| {
        let mut text = "WITH c0 AS (SELECT 1 a)".to_owned();
        for i in 1..=n {
            let before = i - 1;
            let own = format!(
                ", c{i} AS (SELECT * FROM c{before} UNION ALL SELECT * FROM \"c{before}\")"
            );
            text.push_str(&own);
        }
        format!("{text} SELECT count(*) FROM c{n}")
    };
    assert_eq!(ask(&doubled(5)).unwrap(), "32");
    let chain = |n: usize| {
        let ctes = (1..n).map(|i| format!(", c{i} AS (SELECT a + 1 AS a FROM c{})", i - 1));
        let ctes = ctes.collect::<String>();
        format!("WITH c0 AS (SELECT 1 a){ctes} SELECT * FROM c{}", n - 1)
    };
    assert_eq!(ask(&chain(20)).unwrap(), "20");
    let tables: Vec<String> = (0..3000).map(|i| format!("(SELECT 1) t{i}")).collect();
    for text in [
        vec!["SELECT 1"; 5000].join(" UNION ALL "),
        doubled(40),
        chain(2000),
        format!("SELECT count(*) FROM {}", tables.join(", ")),
        format!("SELECT count(*) FROM {}", tables.join(" CROSS JOIN ")),
    ] {
        let said = ask(&text).unwrap_err();
        assert!(said.contains("more than 1000 SELECTs"), "{said}");
    }
}

#[test]
fn only_questions_are_answered() {
    for text in [
        "CREATE TABLE t AS SELECT 1",
        "SET datafusion.execution.batch_size = 1",
        "DROP TABLE t",
    ] {
        assert!(ask(text).is_err(), "{text}");
    }
}

#[test]
fn types_that_nest_too_deep_are_errors() {
    let struct_of = |n: usize| format!("{}int{}", "struct<a ".repeat(n), ">".repeat(n));
    let array_of = |n: usize| format!("{}int{}", "array<".repeat(n), ">".repeat(n));
    let dictionary = |n: usize| {
        let inner = format!("{}Int32{}", "Dictionary(Int32,".repeat(n), ")".repeat(n));
        format!("select arrow_cast(null, '{inner}')")
    };
    for text in [
        format!("select cast(null as int{})", "[]".repeat(20_000)),
        format!("select cast(null as int{})", "[ 1 ] ".repeat(20_000)),
        format!("select cast(null as {})", struct_of(5000)),
        format!("select cast(null as {})", array_of(20_000)),
        dictionary(1000),
    ] {
        let said = ask(&text).unwrap_err();
        assert!(said.contains("more than 1000 types"), "{said}");
    }
    // What is not nested is no matter.
    let many: Vec<String> = (0..1200)
        .map(|i| format!("cast(null as int[]) a{i}"))
        .collect();
    let many = many.join(", ");
    assert_eq!(
        ask(&format!("select count(*) from (select {many}) t")).unwrap(),
        "1"
    );
    assert_eq!(ask("select make_array(1, 2)[1]").unwrap(), "1");
}
