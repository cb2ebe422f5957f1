//! What is said where something could not be told: to the clinician on the card, to the integrator beside it.

use rules::text;

use crate::prefetch::{Lacking, Templates};
use crate::service::CardContent;
use crate::set::Part;
use crate::wire::CouldNotCheck;

impl Part {
    /// Whether it could need what is lacking.
    pub(crate) fn lacks(&self, templates: &Templates, lacking: &Lacking) -> bool {
        match lacking.template {
            Some(number) => self.needs.contains(&number),
            None => {
                let needed = |ty| {
                    self.types.contains(ty) || self.needs.iter().any(|n| templates.brings(*n, *ty))
                };
                lacking.types.is_empty() || lacking.types.iter().any(needed)
            }
        }
    }
}

/// Adds to a card that says that something could not be checked: why, for the clinician, and with the
/// keys for the integrator.
pub(crate) fn say(
    content: &mut CardContent,
    reason: Option<String>,
    for_people: Option<&str>,
    own: &[&Lacking],
    technical: &[String],
) {
    // Of what is withheld by consent not even the type is told.
    let for_people = for_people.filter(|_| !own.iter().any(|lacking| lacking.by_consent));
    let known = for_people.map(text::reason);
    let known = known.filter(|r| !r.is_empty() && !content.detail.contains(&**r));
    for lacking in own.iter().filter(|lacking| lacking.by_consent) {
        for ty in &lacking.types {
            let told = text::reason(&format!("not all {} data was given", ty.as_str()));
            content.detail = content.detail.replace(&told, &lacking.technical);
        }
    }
    let mut paragraphs = vec![];
    if !content.detail.is_empty() {
        paragraphs.push(std::mem::take(&mut content.detail));
    }
    paragraphs.extend(known.map(|reason| format!("Could not be checked: {reason}.")));
    if !own.is_empty() {
        let mut items: Vec<String> = vec![];
        for lacking in own {
            let item = format!("- {}.", text::markdown(&lacking.plain));
            // Two keys of one type say the same.
            if !items.contains(&item) {
                items.push(item);
            }
        }
        paragraphs.push(items.join("\n"));
    }
    content.detail = paragraphs.join("\n\n");
    content.extension.could_not_check = Some(CouldNotCheck {
        reason,
        lacking: technical.to_vec(),
    });
}

/// The reason for the integrator. A rule only sees that a type is not there in full; what was sent of it
/// and could not be used is the cause.
pub(crate) fn cause(reason: String, own: &[&Lacking]) -> String {
    let named = reason
        .strip_prefix("no ")
        .or_else(|| reason.strip_prefix("not all "))
        .and_then(|rest| rest.strip_suffix(" data was given"));
    let Some(ty) = named else { return reason };
    let about = |l: &&&Lacking| l.types.is_empty() || l.types.iter().any(|t| t.as_str() == ty);
    if let Some(consent) = own.iter().filter(about).find(|l| l.by_consent) {
        return consent.technical.clone();
    }
    let causes: Vec<&str> = own
        .iter()
        .filter(about)
        .filter(|l| !l.absent)
        .map(|l| l.technical.as_str())
        .collect();
    match causes.is_empty() {
        true => reason,
        false => format!("not all {ty} data could be used: {}", causes.join("; ")),
    }
}

/// All of it, for the integrator.
pub(crate) fn technical(own: &[&Lacking], unresolved: u64) -> Vec<String> {
    let all = own.iter();
    let mut said: Vec<String> = all.map(|lacking| lacking.technical.clone()).collect();
    if unresolved > 0 {
        let (count, s) = (unresolved, if unresolved == 1 { "" } else { "s" });
        said.push(format!(
            "{count} reference{s} between the entries name nothing that was sent"
        ));
    }
    said
}
