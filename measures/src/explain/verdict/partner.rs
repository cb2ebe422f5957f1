//! What goes with a row: what a `with` did not find, or a `without` did.

use engine_elm::expressions::{ExpressionKind, ExpressionView, Role};
use engine_elm::trace::{Execution, RowTrace, holds};

use super::super::resource_facts::resource_fact;
use super::misses::both;
use super::{Cause, Scope, Verdicts, terms};

impl<'w, 'u, 'a> Verdicts<'w, 'u, 'a> {
    /// What a `with` did not find, or a `without` did.
    pub(super) fn partner(
        &mut self,
        query: ExpressionView<'u>,
        row: &'w RowTrace<'a>,
    ) -> Vec<String> {
        let parts = query.parts();
        for pair in parts.windows(2) {
            let [(role, source), (Role::SuchThat, such_that)] = pair else {
                continue;
            };
            // One that was not looked at decided nothing.
            let Some(partners) = self.trace.partners(*such_that, row) else {
                continue;
            };
            let noun = self.partner_noun(*source);
            let found = partners.rows.iter().find(|p| p.met == Some(true));
            let unsure = partners.rows.iter().any(|p| p.in_doubt);
            match (role, found) {
                (Role::With(_), None) if partners.rows.is_empty() && !partners.cut => {
                    self.decided.insert(source.address());
                    return vec![format!("no {noun} with it")];
                }
                (Role::With(alias), None) => return self.unfit(alias, *such_that, partners, &noun),
                (Role::With(_), Some(_)) if unsure => {
                    self.decided.insert(such_that.address());
                    return vec![format!("whether {noun} goes with it cannot be told")];
                }
                (Role::Without(_), Some(partner)) => {
                    self.decided.insert(such_that.address());
                    let fact = partner.items.first().and_then(resource_fact);
                    let fact = fact.map_or_else(String::new, |f| format!(": {}", f.short()));
                    return vec![format!("it has {noun} with it{fact}")];
                }
                (Role::Without(_), None) if unsure => {
                    self.decided.insert(such_that.address());
                    return vec![format!("whether {noun} goes with it cannot be told")];
                }
                _ => {}
            }
        }
        vec!["its conditions do not hold".to_owned()]
    }

    /// Partners are there, and fail what they must fulfil: what, of the nearest.
    fn unfit(
        &mut self,
        alias: &str,
        such_that: ExpressionView<'u>,
        partners: &'w Execution<'a>,
        noun: &str,
    ) -> Vec<String> {
        let failing = |partner: &RowTrace<'a>| -> Vec<ExpressionView<'u>> {
            let all = terms(such_that, |kind| matches!(kind, ExpressionKind::And));
            let failed = all.into_iter().filter(|term| {
                let value = partner.value_of(*term);
                value.is_some_and(|value| holds(&value) != Some(true))
            });
            failed.collect()
        };
        let all = partners.rows.iter().map(|p| (p, failing(p)));
        let all = all.filter(|(_, failed)| !failed.is_empty());
        let date = |p: &RowTrace<'a>| {
            let fact = p.items.first().and_then(resource_fact);
            fact.and_then(|f| f.date)
        };
        let nearest = all.min_by(|(a, fewer), (b, more)| {
            let fewer = fewer.len().cmp(&more.len());
            fewer.then_with(|| date(b).cmp(&date(a)))
        });
        let Some((partner, failed)) = nearest else {
            self.decided.insert(such_that.address());
            return vec![format!("no {noun} that fits it")];
        };
        let scope = Scope {
            row: Some(partner),
            among: None,
        };
        let names = |text: &str| {
            let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.any(|word| word == alias)
        };
        let own = failed.iter().any(|f| names(&self.text(*f)));
        let causes = failed.iter().flat_map(|f| self.why_not(*f, scope));
        let causes: Vec<Cause> = causes.filter(|cause| !cause.aside).collect();
        let reasons: Vec<String> = causes.into_iter().map(|c| c.text).collect();
        if !own {
            // It fails by itself, whatever the partner.
            return reasons;
        }
        let nearest = match partners.rows.len() {
            1 => String::new(),
            n => format!("nearest of {n}, "),
        };
        let fact = partner.items.first().and_then(resource_fact);
        let fact = fact.map_or_else(String::new, |f| format!("{}: ", f.short()));
        let reasons = both(&reasons);
        vec![format!("no {noun} that fits it ({nearest}{fact}{reasons})")]
    }

    fn partner_noun(&self, place: ExpressionView<'u>) -> String {
        let named = place.unconverted().referred().map(|s| s.name);
        match named {
            Some(name) => format!("\"{name}\""),
            None => self.noun(place),
        }
    }
}
