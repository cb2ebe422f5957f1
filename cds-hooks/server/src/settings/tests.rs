use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::*;

/// Variables and files of a test.
#[derive(Default)]
struct Around(HashMap<&'static str, &'static str>);

impl Surroundings for Around {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|text| (*text).to_owned())
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let text = self.0.get(path.to_str().unwrap());
        let text = text.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(text.as_bytes().to_vec())
    }
}

fn read(text: &str) -> Result<Settings, Problems> {
    let around = Around(HashMap::from([
        ("STORE", "postgres://u:hush@db/t"),
        ("/etc/t/key", "0123456789abcdef\n"),
        ("/etc/t/short", "abc"),
    ]));
    Settings::read(text, Path::new("/etc/t/tandem.toml"), &around)
}

/// The messages of a text that is wrong, each with its place.
fn wrong(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn the_example_is_valid_and_shows_the_defaults() {
    let read = Settings::read(EXAMPLE, Path::new("tandem.toml"), &Around::default());
    let settings = read.unwrap_or_else(|e| panic!("{e}"));
    let usual = Settings::default();
    let same = |a: String, b: String| assert_eq!(a, b);
    let mut server = settings.server.clone();
    assert_eq!(
        server.public_url.take().unwrap().as_str(),
        "https://cds.example.org/"
    );
    same(format!("{server:?}"), format!("{:?}", usual.server));
    assert_eq!(settings.rules, usual.rules);
    assert_eq!(settings.reload, usual.reload);
    assert_eq!(settings.outbound, usual.outbound);
    assert_eq!(settings.log, usual.log);
    assert_eq!(settings.metrics, usual.metrics);
    assert_eq!(settings.tracing, usual.tracing);
    assert_eq!(settings.explain, usual.explain);
    assert_eq!(settings.consent, usual.consent);
    assert_eq!(settings.clients[0].fhir_servers, ["north"]);
    assert_eq!(settings.store.unwrap().retention, RETENTION);
    assert_eq!(settings.tokens, usual.tokens);
    assert_eq!(settings.roles.len(), 5);
}

/// Every line that is commented out can be taken in: the file shows nothing that is refused.
#[test]
fn the_lines_that_are_commented_out_are_valid() {
    let mut text = String::new();
    for line in EXAMPLE.lines() {
        let taken = line.strip_prefix("# ").unwrap_or(line);
        let name = taken.split(['=', ']']).next().unwrap_or_default();
        let is_name = |b: u8| b.is_ascii_lowercase() || matches!(b, b'_' | b'.' | b'[' | b' ');
        let is_one = !name.is_empty()
            && name.trim().bytes().all(is_name)
            && !name.trim().contains(' ')
            && (taken.contains(" = ") || taken.starts_with('[') && taken.contains(']'));
        // A client has its keys from one place, and a secret comes from one place.
        let other = taken.starts_with("keys = ");
        match line.starts_with("# ") && (!is_one || other) {
            true => {}
            false => text += &format!("{taken}\n"),
        }
    }
    for name in ["admin_listen", "client_ca", "measures", "san", "endpoint"] {
        assert!(
            text.contains(&format!("\n{name} = ")),
            "{name} is not taken in"
        );
    }
    let around = Around(HashMap::from([("pseudonyms.key", "0123456789abcdef")]));
    let text = text.replace("packages = []", "packages = [\"p\"]");
    let read = Settings::read(&text, Path::new("tandem.toml"), &around);
    let settings = read.unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert!(settings.server.tls.unwrap().client_ca.is_some());
    assert!(settings.tenants[0].rules.is_some());
}

/// The example has every name that there is.
#[test]
fn the_example_has_every_name() {
    let mut names = 0;
    for section in [
        "[server]",
        "[server.tls]",
        "[server.limits]",
        "[rules]",
        "[reload]",
        "[[tenant]]",
        "[[role]]",
        "[[client]]",
        "[[client]]\n[client.party]",
        "[[client]]\n[client.role_claim]",
        "[[client]]\n[client.certificate]",
        "[tokens]",
        "[[fhir_server]]",
        "[outbound]",
        "[store]",
        "[log]",
        "[metrics]",
        "[tracing]",
        "[explain]",
        "[consent]",
        "",
    ] {
        let said = wrong(&format!("{section}\nqqqqqqqq = 1\n"));
        let (_, rest) = said.split_once("unknown name `qqqqqqqq`").unwrap();
        let (_, rest) = rest.split_once("there are: ").unwrap();
        for name in rest.lines().next().unwrap().split(", ") {
            assert!(
                EXAMPLE.contains(name),
                "{section} has `{name}`, which the example does not have"
            );
            names += 1;
        }
    }
    assert!(names > 100, "{names}");
}

#[test]
fn an_empty_file_is_the_defaults() {
    let settings = read("").unwrap();
    assert!(settings.clients.is_empty() && settings.store.is_none());
    assert_eq!(settings.server.deadline, Duration::from_millis(400));
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let said = wrong(
        "[server]\nlisten = 8080\nmax_cards = 0\ndeadine = \"1s\"\n\n[rules]\npaths = \"rules\"\ngroup_by = \"sets\"\n\n[logg]\n",
    );
    for line in [
        "/etc/t/tandem.toml:2:10: `server.listen`: expected an IP address and a port, as in 127.0.0.1:8080, not 8080",
        "/etc/t/tandem.toml:3:13: `server.max_cards`: expected a whole number from 1 to 1000, not 0",
        "/etc/t/tandem.toml:4:1: unknown name `deadine` in [server]\n   = help: did you mean `deadline`?",
        "/etc/t/tandem.toml:7:9: `rules.paths`: expected a list, not \"rules\"\n   = help: write it in brackets: paths = [\"rules\"]",
        "/etc/t/tandem.toml:8:12: `rules.group_by`: expected one of \"set\", \"rule\", not \"sets\"\n   = help: did you mean \"set\"?",
        "/etc/t/tandem.toml:10:2: unknown name `logg` at the top of the file\n   = help: did you mean `log`?",
        "6 errors in the settings",
    ] {
        assert!(said.contains(line), "{line}\n--\n{said}");
    }
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    let said = wrong("[server]\nlisten = \n[rules\n");
    assert!(said.contains("/etc/t/tandem.toml:2:"), "{said}");
    assert!(said.contains("/etc/t/tandem.toml:3:"), "{said}");
    let said = wrong("[log]\ncalls = true\ncalls = false\n");
    assert!(
        said.contains(":3:1: `calls` stands here a second time"),
        "{said}"
    );
}

#[test]
fn secrets_come_from_elsewhere_and_are_never_printed() {
    let text = "[store]\nurl = \"${STORE}\"\npseudonym_key_file = \"key\"\n";
    let store = read(text).unwrap().store.unwrap();
    assert_eq!(store.url.expose(), "postgres://u:hush@db/t");
    assert_eq!(
        store.pseudonym_key.as_ref().unwrap().expose(),
        "0123456789abcdef"
    );
    let located = |url: &str| {
        let store = read(&format!("[store]\nurl = \"{url}\"\n")).unwrap().store;
        store.unwrap().url.expose().to_owned()
    };
    assert_eq!(located("sqlite:tandem.db"), "sqlite:/etc/t/tandem.db");
    assert_eq!(located("sub/t.db"), "sqlite:/etc/t/sub/t.db");
    assert_eq!(located("/var/lib/t.db"), "sqlite:/var/lib/t.db");
    assert_eq!(located("postgres://h/d"), "postgres://h/d");
    // What is no place does not become the name of a file.
    for url in ["u:pass@h/d", "sqlite::memory:"] {
        assert_eq!(located(url), url);
    }
    let shown = format!("{store:?}");
    assert!(
        !shown.contains("hush") && !shown.contains("0123"),
        "{shown}"
    );

    let said =
        wrong("[store]\nurl = \"${NONE}\"\nurl_file = \"none\"\npseudonym_key_file = \"short\"\n");
    assert!(
        said.contains("`store.url` and `store.url_file`: give one of them"),
        "{said}"
    );
    assert!(said.contains("shorter than 16 characters"), "{said}");
    let said = wrong("[store]\nurl = \"${NONE}\"\n");
    assert!(
        said.contains("the environment has no variable `NONE`"),
        "{said}"
    );
    let said = wrong("[store]\nurl_file = \"none\"\n");
    assert!(said.contains("/etc/t/none cannot be read"), "{said}");
    // A password that stands where none belongs is not shown either.
    let said = wrong(
        "[server]\npublic_url = \"https://u:hush@host\"\n[tracing]\nendpoint = \"https://u:hush@host\"\n",
    );
    assert!(
        said.contains("not shown") && !said.contains("hush"),
        "{said}"
    );
}

#[test]
fn names_of_one_section_are_those_of_another() {
    let text = "[[client]]\nname = \"a\"\niss = \"i\"\njku = [\"http://a/k\"]\ntenants = [\"nort\"]\nroles = [\"eht\"]\nfhir_servers = [\"x\"]\n\
                [[client]]\nname = \"a\"\niss = \"i\"\nkeys_file = \"k\"\n[[tenant]]\nname = \"north\"\n";
    let said = wrong(text);
    for part in [
        ":5:11: `client[1].tenants`: there is no [[tenant]] of the name \"nort\"\n   = help: did you mean \"north\"?",
        ":6:9: `client[1].roles`: there is no [[role]] of the name \"eht\"\n   = help: did you mean \"ehr\"?",
        "`client[1].fhir_servers`: there is no [[fhir_server]] of the name \"x\"\n   = help: the file has no [[fhir_server]]",
        ":4:7: `client[1].jku`: is not https",
        "`server.public_url` is missing",
        "`client[2].name`: another one has this name",
        "two clients have the `iss` \"i\"",
    ] {
        assert!(said.contains(part), "{part}\n--\n{said}");
    }
}

/// What would be taken for something else than it was meant as.
#[test]
fn what_is_not_what_it_looks_like() {
    let role = "[[role]]\nname = \"a\"\npermissions = [\"call\"]\n";
    let said = wrong(&format!("{role}{role}"));
    assert!(
        said.contains(":5:8: `role[2].name`: another one has this name"),
        "{said}"
    );
    let said = wrong("[server]\npublic_url = \"http://cds.example\"\n");
    assert!(
        said.contains(":2:14: `server.public_url`: is not https"),
        "{said}"
    );
    for url in [
        "http://localhost:8080",
        "http://127.0.0.1:1",
        "http://[::1]",
    ] {
        read(&format!("[server]\npublic_url = \"{url}\"\n")).unwrap();
    }
    read("[server]\npublic_url = \"http://cds.example\"\n[outbound]\nplain_http = true\n").unwrap();
    let said = wrong(
        "[tracing]\nservice_name = \"${NAME}\"\n[server]\nallowed_origins = [\"${ORIGIN}\"]\n",
    );
    assert_eq!(
        said.matches("variables of the environment are taken in secrets only")
            .count(),
        2,
        "{said}"
    );
    assert!(said.contains(":2:16:") && said.contains(":4:20:"), "{said}");
}

/// The library that rules share may lie in a folder above them, and their tables beside them.
#[test]
fn what_rules_are_made_of_beside_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("rules/own");
    std::fs::create_dir_all(&inner).unwrap();
    for name in ["a.yaml", "pairs.csv", "more.CSV.gz", "note.txt"] {
        std::fs::write(inner.join(name), "x").unwrap();
    }
    let of = |path: &Path| {
        let rules = Rules {
            paths: vec![path.to_owned()],
            ..Rules::default()
        };
        rules.read_from()
    };
    let found = of(&inner);
    assert!(found.contains(&inner) && found.contains(&folder.path().join("rules/library.yaml")));
    let found = of(&inner.join("a.yaml"));
    for name in ["a.yaml", "pairs.csv", "more.CSV.gz", "library.yaml"] {
        assert!(found.contains(&inner.join(name)), "{name}");
    }
    assert!(!found.contains(&inner.join("note.txt")));
}

#[test]
fn a_client_needs_something_to_be_known_by() {
    let said = wrong("[[client]]\nname = \"a\"\n");
    assert!(said.contains("`client[1].iss` is missing"), "{said}");
    let said =
        wrong("[server]\npublic_url = \"https://x\"\n[[client]]\nname = \"a\"\niss = \"i\"\n");
    assert!(said.contains("`client[1].jku` is missing"), "{said}");
    for algorithm in ["none", "HS256"] {
        let said = wrong(&format!(
            "[[client]]\nname = \"a\"\nalgorithms = [\"{algorithm}\"]\n"
        ));
        assert!(
            said.contains("CDS Hooks forbids `none` and symmetric"),
            "{said}"
        );
    }
    let said = wrong("[[client]]\nname = \"a\"\n[client.certificate]\nsan = \"dns:x\"\n");
    assert!(
        said.contains("no client certificate is ever seen"),
        "{said}"
    );
    let said = wrong(
        "[[client]]\nname = \"a\"\n[client.certificate]\nsan = \"x\"\n[client.role_claim]\nclaim = \"c\"\nmap = { \"X\" = \"nobody\" }\n",
    );
    assert!(
        said.contains("`client[1].certificate.san`: expected a subject"),
        "{said}"
    );
    assert!(
        said.contains("no [[role]] of the name \"nobody\""),
        "{said}"
    );
}

/// An empty map would take the word of the token for any role.
#[test]
fn a_role_claim_without_roles_is_refused() {
    let said = wrong(
        "[server]\npublic_url = \"https://x\"\n[[client]]\nname = \"a\"\niss = \"i\"\nkeys = \"k\"\n[client.role_claim]\nclaim = \"c\"\nmap = {}\n",
    );
    assert!(
        said.contains("`client[1].role_claim.map`: gives no role"),
        "{said}"
    );
}

#[test]
fn values_with_a_form_of_their_own() {
    let settings = read("[server]\ndeadline = \"2s\"\nmax_body = \"1 MiB\"\ntime_zone = \"America/New_York\"\nlisten = \"localhost:1\"\n[store]\nurl = \"x\"\nretention = \"10y\"\n").unwrap();
    assert_eq!(settings.server.deadline, Duration::from_secs(2));
    assert_eq!(settings.server.max_body, 1 << 20);
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:1");
    let said = wrong(
        "[server]\ndeadline = \"400\"\nmax_body = \"1 parsec\"\ntime_zone = \"America/NewYork\"\npublic_url = \"cds.example.org\"\nallowed_origins = [\"ehr.example\", \"https://ok.example\"]\n[outbound]\nkey_set_private_ranges = [\"10.0.0.0/99\"]\n[tracing]\nsample = 2\n",
    );
    for part in [
        "`server.deadline`: expected a time from 10ms to 1m, not \"400\"",
        "`server.max_body`: expected a number of bytes",
        "`server.time_zone`",
        "`server.public_url`: expected an https URL",
        ":6:20: `server.allowed_origins`",
        "`outbound.key_set_private_ranges`: expected a range of addresses",
        "`tracing.sample`: expected a number from 0 to 1, not 2",
        "7 errors",
    ] {
        assert!(said.contains(part), "{part}\n--\n{said}");
    }
}

#[test]
fn sections_of_the_wrong_kind() {
    let said = wrong("client = 1\n[[server]]\n[role]\n");
    assert!(
        said.contains("write [[client]] with two pairs of brackets"),
        "{said}"
    );
    assert!(
        said.contains("write [server] with one pair of brackets"),
        "{said}"
    );
    assert!(
        said.contains("write [[role]] with two pairs of brackets"),
        "{said}"
    );
}

/// Whatever stands in the file, it is read or refused with a place that is in it.
#[test]
fn any_text_is_read_or_refused_with_its_place() {
    // Of a sequence that is always the same.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    let pieces = [
        "",
        "\"",
        "[",
        "]",
        "[[",
        "=",
        "\n",
        "#",
        "0",
        "-1",
        "1e400",
        "true",
        "{",
        "}",
        "'''",
        "\\u0000",
        "é",
        "9999999999999999999999",
        "0x1F",
        "1979-05-27",
        "[server]",
        "[[client]]",
        "server.listen = 1\n",
        "\u{7f}",
        "\r",
        "\u{feff}",
    ];
    let chars: Vec<char> = EXAMPLE.chars().collect();
    for _ in 0..3_000 {
        let mut text = chars.clone();
        for _ in 0..=next(4) {
            let (from, length) = (next(text.len()), next(40));
            let to = (from + length).min(text.len());
            text.splice(from..to, pieces[next(pieces.len())].chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(problems) = read(&text) {
            assert!(!problems.list.is_empty(), "{text}");
            for problem in problems.list {
                assert!(
                    (1..=text.matches('\n').count() + 1).contains(&problem.line),
                    "{problem:?}"
                );
                assert!(problem.column >= 1 && !problem.message.is_empty());
            }
        }
    }
}

/// What is wrong with one thing does not hide another, and is told once.
#[test]
fn one_mistake_is_told_once_and_as_what_it_is() {
    let client = |name: &str| {
        format!(
            "[client]\nname = \"{name}\"\niss = \"{name}\"\njku = [\"https://{name}.example\"]\nroles = [\"ehr\"]\n"
        )
    };
    let said = wrong(&format!(
        "{}{}[log]\ncalls = true\ncalls = false\n",
        client("a"),
        client("b")
    ));
    for line in [
        ":1:1: `[client]`: a list of tables is expected\n   = help: write [[client]] with two pairs",
        ":6:1: `[client]`",
        ":13:1: `calls` stands here a second time\n   = help: keep one",
        "3 errors in the settings",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    // A server with a bad address is there all the same, and so is a public URL that is none.
    let clients = "[[client]]\nname = \"a\"\niss = \"a\"\nkeys_file = \"a\"\nfhir_servers = [\"nrth\"]\n[[client]]\nname = \"b\"\niss = \"b\"\nkeys_file = \"b\"\n";
    let server = "[[fhir_server]]\nname = \"north\"\nurl = \"north\"\n";
    let said = wrong(&format!(
        "[server]\npublic_url = \"cds\"\n{clients}{server}"
    ));
    assert!(said.contains("did you mean \"north\"?"), "{said}");
    assert!(!said.contains("is missing"), "{said}");
    assert!(said.contains("3 errors in the settings"), "{said}");
    let said = wrong(clients);
    assert_eq!(
        said.matches("`server.public_url` is missing").count(),
        1,
        "{said}"
    );
    assert!(said.contains("the file has no [[fhir_server]]"), "{said}");
}

#[test]
fn a_purpose_that_is_none_has_others_beside_it() {
    let said = wrong("[consent]\npurpose = \"TRET\"\n");
    assert!(said.contains("did you mean \"TREAT\"?"), "{said}");
    let said = wrong("[consent]\npurpose = \"care\"\n");
    assert!(said.contains("\"ETREAT\" an emergency"), "{said}");
    assert!(!said.contains("is no purpose of use"), "{said}");
}
