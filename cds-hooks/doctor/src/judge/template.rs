//! Prefetch templates: form, tokens, parameters, order.

use crate::chart::context;
use crate::chart::template::{Piece, USER_TOKENS, pieces};
use crate::check::{
    Book, TEMPLATE_30, TEMPLATE_FORM, TEMPLATE_LENGTH, TEMPLATE_ORDER, TEMPLATE_PARAMETERS,
    TEMPLATE_PATIENT, TEMPLATE_TOKENS,
};

/// Characters of a template that every client can ask with.
const LONGEST: usize = 2000;

/// Judges the templates of a service.
pub(crate) fn all(book: &mut Book, hook: &str, prefetch: &[(String, String)], place: &str) {
    for (at, (key, template)) in prefetch.iter().enumerate() {
        let place = format!("{place}, `prefetch.{key}`");
        let pieces = pieces(template);
        form(book, template, &pieces, &place);
        tokens(book, hook, &pieces, &place);
        order(book, prefetch, at, &pieces, &place);
        parameters(book, template, &place);
        let length = template.chars().count();
        let came = || format!("{length} characters");
        book.judge(&TEMPLATE_LENGTH, length <= LONGEST, &place, came);
    }
}

fn form(book: &mut Book, template: &str, pieces: &[Piece<'_>], place: &str) {
    // What a token stands for is an id, or a whole `Type/id`.
    let filled: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Token("context.userId" | "context.performer") => "Type/x",
            Piece::Token(_) => "x",
            Piece::Open => "",
        })
        .collect();
    let path = filled.split('?').next().unwrap_or_default();
    let is_type = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let parts: Vec<&str> = path.split('/').collect();
    let fits = match (&parts[..], filled.contains('?')) {
        ([ty], true) => is_type(ty),
        ([ty, id], false) => is_type(ty) && !id.is_empty() && !id.starts_with('$'),
        // The whole is one token that stands for a reference or for a resource.
        ([_], false) => matches!(pieces, [Piece::Text(""), Piece::Token(_), Piece::Text("")]),
        _ => false,
    };
    book.judge(&TEMPLATE_FORM, fits, place, || template.to_owned());
}

fn tokens(book: &mut Book, hook: &str, pieces: &[Piece<'_>], place: &str) {
    let known = context::of(hook);
    for piece in pieces {
        match piece {
            Piece::Text(_) => {}
            Piece::Open => book.fail(&TEMPLATE_TOKENS, place, "braces that do not match"),
            Piece::Token(token) => {
                let member = token.strip_prefix("context.");
                let simple = member.is_some_and(|m| m.bytes().all(|b| b.is_ascii_alphanumeric()));
                let user = USER_TOKENS.contains(token);
                book.judge(&TEMPLATE_30, simple || user, place, || format!("`{token}`"));
                if let (true, Some(member), Some(known)) = (simple, member, known) {
                    let fits = known.tokens.contains(&member);
                    let came = || format!("`{token}` is no token of {hook}");
                    book.judge(&TEMPLATE_TOKENS, fits, place, came);
                } else {
                    let fits = simple || user || !token.is_empty();
                    book.judge(&TEMPLATE_TOKENS, fits, place, || {
                        "an empty token".to_owned()
                    });
                }
            }
        }
    }
}

/// A variable `%key` names a template that stands before.
fn order(
    book: &mut Book,
    prefetch: &[(String, String)],
    at: usize,
    pieces: &[Piece<'_>],
    place: &str,
) {
    for piece in pieces {
        let Piece::Token(token) = piece else { continue };
        for named in token.split('%').skip(1) {
            let end = named.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
            let named = named.get(..end.unwrap_or(named.len())).unwrap_or(named);
            if named == "context" {
                continue;
            }
            let before = prefetch.iter().take(at).any(|(key, _)| key == named);
            let came = || format!("`%{named}` does not stand before it");
            book.judge(&TEMPLATE_ORDER, before, place, came);
        }
    }
}

/// Parameters that mean the same on every server, and that the search is of the patient.
fn parameters(book: &mut Book, template: &str, place: &str) {
    let Some((_, query)) = template.split_once('?') else {
        return;
    };
    let names: Vec<&str> = query
        .split('&')
        .filter_map(|parameter| parameter.split('=').next())
        .collect();
    let odd = |name: &&&str| {
        let modifier = name.split_once(':').map(|(_, modifier)| modifier);
        let special = name.starts_with('_')
            && !matches!(
                **name,
                "_count" | "_maxresults" | "_sort" | "_id" | "_lastUpdated"
            );
        special || name.contains('.') || modifier.is_some_and(|m| m != "in") || name.is_empty()
    };
    let odd: Vec<&str> = names.iter().filter(odd).copied().collect();
    let came = || format!("`{}`", odd.join("`, `"));
    book.judge(&TEMPLATE_PARAMETERS, odd.is_empty(), place, came);
    // A token of the context, of the user, or of an earlier answer ties it to the call.
    let of_patient = template.contains("{{");
    book.judge(&TEMPLATE_PATIENT, of_patient, place, || template.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Outcome;

    fn failed(templates: &[&str]) -> Vec<&'static str> {
        let keyed: Vec<(String, String)> = templates
            .iter()
            .enumerate()
            .map(|(n, t)| (format!("k{n}"), (*t).to_owned()))
            .collect();
        let mut book = Book::default();
        all(&mut book, "patient-view", &keyed, "x");
        let results = book.results().into_iter();
        let failed = results.filter(|(_, tally)| tally.outcome() == Outcome::Failed);
        failed.map(|(check, _)| check.id).collect()
    }

    #[test]
    fn templates() {
        for good in [
            "Patient/{{context.patientId}}",
            "{{context.userId}}",
            "Observation?patient={{context.patientId}}&code=http://loinc.org|4548-4&_count=1&_sort=-date",
            "Practitioner/{{userPractitionerId}}",
            "Condition?patient={{context.patientId}}&code:in=http://x.org/vs",
        ] {
            assert_eq!(failed(&[good]), [""; 0], "{good}");
        }
        for (bad, check) in [
            (
                "https://x.org/Patient/{{context.patientId}}",
                "template-form",
            ),
            ("/Patient/{{context.patientId}}", "template-form"),
            ("Patient/{{context.patientId}}/../x", "template-form"),
            ("Patient/{{context.patientId}}/$everything", "template-form"),
            ("patient/{{context.patientId}}", "template-form"),
            ("Patient/{{context.patientId", "template-tokens"),
            ("Patient/{{context.selections}}", "template-tokens"),
            (
                "Observation?patient={{context.patientId}}&date=gt{{today() - 30 days}}",
                "template-2.0-tokens",
            ),
            (
                "Observation?patient={{context.patientId}}&_include=a:b",
                "template-parameters",
            ),
            ("Observation?code=x", "template-patient"),
        ] {
            assert!(
                failed(&[bad]).contains(&check),
                "{bad}: {:?}",
                failed(&[bad])
            );
        }
        let later = [
            "Medication/{{%k1.id}}",
            "MedicationRequest?patient={{context.patientId}}",
        ];
        assert!(failed(&later).contains(&"template-order"));
        let earlier = [
            "MedicationRequest?patient={{context.patientId}}",
            "Medication/{{%k0.id}}",
        ];
        assert!(!failed(&earlier).contains(&"template-order"));
    }
}
