//! Prefetch templates as a client of CDS Hooks 2.0 fills them in ("Prefetch tokens").

use super::Chart;

/// A piece of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Piece<'t> {
    Text(&'t str),
    /// What stands between `{{` and `}}`.
    Token(&'t str),
    /// `{{` that nothing closes, or `}}` that nothing opens.
    Open,
}

/// A template in pieces.
pub(crate) fn pieces(template: &str) -> Vec<Piece<'_>> {
    let (mut out, mut rest) = (vec![], template);
    let text = |out: &mut Vec<Piece<'_>>, part: &str| {
        if part.contains("}}") {
            out.push(Piece::Open);
        }
    };
    while let Some((before, after)) = rest.split_once("{{") {
        text(&mut out, before);
        out.push(Piece::Text(before));
        let Some((token, after)) = after.split_once("}}") else {
            out.push(Piece::Open);
            return out;
        };
        out.push(Piece::Token(token.trim()));
        rest = after;
    }
    text(&mut out, rest);
    out.push(Piece::Text(rest));
    out
}

/// Tokens of the user: CDS Hooks 2.0, "Prefetch tokens containing simpler FHIRPath" leaves them as they
/// are.
pub(crate) const USER_TOKENS: [&str; 4] = [
    "userPractitionerId",
    "userPractitionerRoleId",
    "userPatientId",
    "userRelatedPersonId",
];

/// The value of a token; `None` where a client of 2.0 has none.
pub(crate) fn value(chart: &Chart, token: &str) -> Option<String> {
    match token {
        "context.patientId" => Some(chart.patient.clone()),
        "context.userId" => Some(chart.user.clone()),
        "context.encounterId" => Some(chart.encounter.clone()),
        "userPractitionerId" => chart.user.strip_prefix("Practitioner/").map(str::to_owned),
        _ => None,
    }
}

/// The query that a template stands for.
///
/// # Errors
/// The token that has no value, or that the braces do not match.
pub(crate) fn fill(chart: &Chart, template: &str) -> Result<String, String> {
    let mut out = String::new();
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Token(token) => match value(chart, token) {
                Some(value) => out.push_str(&value),
                None => return Err(format!("`{{{{{token}}}}}` is none that it fills in")),
            },
            Piece::Open => return Err("braces that do not match".to_owned()),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_filled_in() {
        let chart = Chart::built_in(0).unwrap();
        let fill = |template| fill(&chart, template);
        assert_eq!(
            fill("Patient/{{context.patientId}}").unwrap(),
            "Patient/doctor-p1"
        );
        assert_eq!(
            fill("{{ context.userId }}").unwrap(),
            "Practitioner/doctor-d1"
        );
        for bad in ["Patient/{{context.patientId", "a?b={{today()}}", "a}}b"] {
            assert!(fill(bad).is_err(), "{bad}");
        }
    }
}
