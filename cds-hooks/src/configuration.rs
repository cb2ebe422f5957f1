//! How a client wants to be answered: the configuration options of Da Vinci CRD 2.2, "Configuration
//! Options", in the extensions of discovery and of a request.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::json::Members;

/// The member of a service's `extension` in discovery.
const OFFERED: &str = "davinci-crd.configuration-options";

/// The member of a request's `extension`.
const WANTED: &str = "davinci-crd.configuration";

/// The code of the option how many cards are wanted.
const MAX_CARDS: &str = "max-cards";

/// What a client asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Options {
    /// Cards at most; critical ones come all the same.
    pub(crate) max_cards: Option<usize>,
}

impl Options {
    /// Reads the extension of a request. An option of ours with a value that it cannot have is wrong; an
    /// option that is none of ours is passed over.
    pub(crate) fn read(
        &mut self,
        extension: &Members<'_>,
        wrong: &mut Vec<String>,
        passed_over: &mut Vec<String>,
    ) {
        let Some(raw) = extension.get(WANTED) else {
            return;
        };
        let Some(options) = Members::of(raw) else {
            let said = format!("`extension.{WANTED}` is not an object with options");
            passed_over.push(said);
            return;
        };
        let mut unknown = 0;
        for (name, value) in &options.0 {
            match name.as_str() {
                MAX_CARDS => match whole(value) {
                    Some(number) => self.max_cards = Some(number),
                    None => wrong.push(format!(
                        "`extension.{WANTED}.{MAX_CARDS}` must be a whole number such as 5"
                    )),
                },
                _ => unknown += 1,
            }
        }
        if unknown > 0 {
            passed_over.push(format!(
                "`extension.{WANTED}` has {unknown} × an option that this service does not offer"
            ));
        }
    }
}

/// Digits, as a number or as a text.
fn whole(raw: &RawValue) -> Option<usize> {
    let text = raw.get().trim_matches('"');
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(usize::MAX))
}

/// The `extension` of a service in discovery.
pub(crate) fn offered(max_cards: usize) -> Value {
    json!({ OFFERED: [{
        "code": MAX_CARDS,
        "type": "integer",
        "name": "Maximum cards",
        "description": "How many cards are answered at most. Critical ones come all the same; of those that are left out the last card tells.",
        "default": max_cards,
    }] })
}
