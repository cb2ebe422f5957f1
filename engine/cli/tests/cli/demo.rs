//! The first command of the README, and whether the commands that it prints can be run as printed.

use std::process::Command;

/// `sh`, as the user would; the folder is where relative paths of printed commands start.
fn shell(command: &str, folder: &std::path::Path) -> std::process::Output {
    Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn what_the_demo_prints_can_be_run() {
    let folder = crate::support::folder();
    let dir = folder.path().join("demo");
    let ran = tandem!("demo", "--no-serve", "--patients", "60", "--dir", &dir).ok();
    for line in [
        "1. Invented 60 patients",
        "hba1c-control",
        "Next, with your own data",
    ] {
        assert!(ran.out.contains(line), "lacks `{line}`:\n{}", ran.out);
    }
    let (_, rest) = ran.out.split_once("\nAsk this lake more").unwrap();
    let (ask, _) = rest.split_once("\n\n").unwrap();
    let ask: Vec<&str> = ask.lines().skip(1).map(str::trim).collect();
    for (command, says) in ask.iter().zip(["open-gap", "female"]) {
        let asked = shell(command, folder.path());
        let answer = String::from_utf8_lossy(&asked.stdout);
        assert!(
            asked.status.success() && answer.contains(says),
            "{command}: {asked:?}"
        );
    }
    assert_eq!(ask.len(), 2, "{ask:?}");

    let export = dir.join("fhir").display().to_string();
    let (_, next) = ran.out.split_once("Next, with your own data").unwrap();
    let commands: Vec<&str> = next.lines().skip(1).map(str::trim).collect();
    let import = commands.iter().find(|c| c.contains(" import ")).unwrap();
    let measure = commands
        .iter()
        .find(|c| c.contains("measure run --lake"))
        .unwrap();
    for command in [import.replace("EXPORT", &export), (*measure).to_owned()] {
        let done = shell(&command, folder.path());
        assert!(done.status.success(), "{command}: {done:?}");
    }
    // What needs files that only the user has is at least a command of ours.
    for command in &commands {
        let mut words = command.split(' ');
        let mut known = vec![words.next().unwrap()];
        known.extend(words.take_while(|w| w.bytes().all(|b| b.is_ascii_lowercase())));
        if !known.contains(&"import") && !known.contains(&"help") {
            let help = shell(&format!("{} --help", known.join(" ")), folder.path());
            assert!(help.status.success(), "{command}: {help:?}");
        }
    }
}

#[test]
fn a_port_in_use_is_told_before_anything_is_made() {
    let folder = crate::support::folder();
    let dir = folder.path().join("demo");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    tandem!(
        "demo",
        "--patients",
        "20",
        "--listen",
        &address,
        "--dir",
        &dir
    )
    .fails(2, &[&address, "in use", "--listen", "--no-serve"]);
    assert!(!dir.exists());
}
