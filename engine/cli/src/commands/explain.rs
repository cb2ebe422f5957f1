//! `tandem explain`

use clap::Args;
use engine_patient::finding::{Code, did_you_mean};
use serde_json::{Value, json};

use crate::failure::{Done, Failure};
use crate::format::{Format, TABLE_JSON, one_of};

/// What a finding means, why it matters, and how to mend it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tandem explain P051              what `error[P051]` means
  tandem explain unknown-element
  tandem explain                   all codes
  tandem explain --format json     all of them, for programs")]
pub struct Explain {
    /// The code in brackets, as in `error[P051]`. Without one, all are listed.
    code: Option<String>,
    /// How to print it.
    #[arg(long, value_parser = one_of(TABLE_JSON), default_value = "table")]
    format: Format,
}

impl Explain {
    pub fn run(self) -> Done {
        let all = Code::ALL;
        match (&self.code, self.format) {
            (None, Format::Json) => {
                let all: Vec<Value> = all.iter().map(|code| as_json(*code)).collect();
                data!("{:#}", json!({ "codes": all }));
            }
            (None, _) => list(),
            (Some(name), format) => {
                let code = find(name)?;
                match format {
                    Format::Json => data!("{:#}", as_json(code)),
                    _ => page(code),
                }
            }
        }
        Ok(std::process::ExitCode::SUCCESS)
    }
}

/// The code of this name, also as it is printed, whatever follows: `error[P051]: …`.
fn find(name: &str) -> Result<Code, Failure> {
    let bare = name.split_once('[').map_or(name, |(_, rest)| rest);
    let bare = bare.split_once(']').map_or(bare, |(code, _)| code).trim();
    Code::of(bare).ok_or_else(|| {
        let near = did_you_mean(bare, Code::ALL.iter().map(|c| c.as_str()));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`tandem explain` lists all".to_owned(),
        };
        Failure::User(format!("there is no code `{bare}`: {help}"))
    })
}

fn list() {
    let mut topic = "";
    for code in Code::ALL {
        if code.topic() != topic {
            let gap = if topic.is_empty() { "" } else { "\n" };
            topic = code.topic();
            say!("{gap}{topic}");
        }
        let entry = code.entry();
        say!("  {:22} {}", entry.name, entry.summary);
    }
    say!("\n`tandem explain CODE` says more about one.");
}

fn page(code: Code) {
    let entry = code.entry();
    say!("{}: {}", entry.name, entry.summary);
    say!("  (about {})\n", code.topic());
    say!("Why it matters:\n  {}\n", entry.why);
    say!("Example:\n  {}\n", entry.example.replace('\n', "\n  "));
    say!("How to mend it:\n  {}", entry.mend);
}

fn as_json(code: Code) -> Value {
    let entry = code.entry();
    json!({
        "code": entry.name, "about": code.topic(), "summary": entry.summary, "why": entry.why,
        "example": entry.example, "mend": entry.mend,
    })
}
