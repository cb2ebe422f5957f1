//! All Consents of a patient: what they say together.

use std::collections::BTreeSet;

use engine_patient::record::Element;
use engine_patient::system::zone::Zone;

use crate::codes::Purpose;
use crate::criteria::Asked;
use crate::directive::Directive;
use crate::flaw::{Flaw, PassedOver};
use crate::possible::Possible;
use crate::read::{MOST_PROVISIONS, MOST_VALUES, Reader};
use crate::request::Request;
use crate::seen::Seen;

/// Consents of a patient that are looked at. Where there are more, everything is unclear, and that is told.
pub const MOST_CONSENTS: usize = 200;

/// Which of several Consents decides.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Precedence {
    /// The most recent that says anything of a resource; of the same time a denial.
    #[default]
    MostRecent,
    /// A denial, whenever it was given.
    DenyOverrides,
}

/// What Consents leave to the policy of the place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Purposes, with what is below them, for which data may be seen that no Consent says anything of.
    pub permitted_without: Vec<Purpose>,
    /// Purposes, with what is below them, for which Consents are not asked, such as `BTG`, break the glass.
    pub not_asked: Vec<Purpose>,
    /// Whether data may be seen of which it is unclear what a Consent says.
    pub unclear_permits: bool,
    /// Which of several Consents decides.
    pub precedence: Precedence,
    /// Whether the sources of data label all that is sensitive (`meta.security`). `None`: where anything of the
    /// patient's record but a Consent has a label of confidentiality or sensitivity. Where not, data without a
    /// label may be of any sensitivity.
    pub is_labelled: Option<bool>,
}

/// Treatment only, and what is unclear is withheld.
impl Default for Settings {
    fn default() -> Self {
        Settings {
            permitted_without: vec![Purpose::TREATMENT],
            not_asked: vec![],
            unclear_permits: false,
            precedence: Precedence::default(),
            is_labelled: None,
        }
    }
}

/// Whether something may be seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It may.
    Permit,
    /// It may not. By these Consents (`Consent/<id>`, sorted); by none where no Consent says anything and the
    /// place permits the purpose by one only.
    Deny(Vec<String>),
    /// What these Consents say of it is not certain.
    Unclear(Vec<String>),
}

/// The Consents of a patient at a moment.
pub struct Policy {
    pub(crate) settings: Settings,
    pub(crate) zone: Zone,
    now: i64,
    directives: Vec<Directive>,
    flaws: Vec<Flaw>,
    passed_over: PassedOver,
    /// There are more than can be looked at: nothing is certain.
    is_too_much: bool,
}

impl Policy {
    /// Reads the Consents of a patient. `patient` is `Patient/<id>`, `now` in milliseconds from
    /// 1970-01-01T00:00Z; `zone` is where dates, and times without an offset, are taken to be.
    #[must_use]
    pub fn of(
        consents: &[Element<'_>],
        patient: &str,
        now: i64,
        zone: &Zone,
        settings: Settings,
    ) -> Policy {
        let mut reader = Reader {
            zone,
            consent: "Consent".to_owned(),
            flaws: vec![],
            provisions: 0,
            values: 0,
        };
        let mut passed_over = PassedOver::default();
        let mut directives = vec![];
        let mut is_too_much = false;
        for consent in consents {
            let full = directives.len() >= MOST_CONSENTS
                || reader.provisions >= MOST_PROVISIONS
                || reader.values > MOST_VALUES;
            if full {
                reader.flaw("Consent", "there is more than can be looked at");
                is_too_much = true;
                break;
            }
            directives.extend(Directive::read(
                *consent,
                patient,
                &mut passed_over,
                &mut reader,
            ));
        }
        is_too_much |= reader.values > MOST_VALUES;
        Policy {
            settings,
            zone: zone.clone(),
            now,
            directives,
            flaws: reader.flaws,
            passed_over,
            is_too_much,
        }
    }

    /// What was not understood, at most 50.
    #[must_use]
    pub fn flaws(&self) -> &[Flaw] {
        &self.flaws
    }

    /// Consents that do not count.
    #[must_use]
    pub fn passed_over(&self) -> PassedOver {
        self.passed_over
    }

    /// How many Consents count.
    #[must_use]
    pub fn count(&self) -> usize {
        self.directives.len()
    }

    /// Whether a resource may be seen. What it refers to is looked for in its record.
    #[must_use]
    pub fn judge(&self, request: &Request, resource: Element<'_>) -> Verdict {
        let is_labelled = self.is_labelled(resource.record);
        self.judge_of(request, resource, is_labelled)
    }

    pub(crate) fn judge_of(
        &self,
        request: &Request,
        resource: Element<'_>,
        is_labelled: bool,
    ) -> Verdict {
        let is_one = |purposes: &[Purpose]| {
            let own = request.purpose;
            own.is_some_and(|own| purposes.iter().any(|purpose| own.is_a(*purpose)))
        };
        if is_one(&self.settings.not_asked) {
            return Verdict::Permit;
        }
        let seen = Seen::new(resource, is_labelled, &self.zone);
        let asked = Asked {
            request,
            seen: &seen,
            now: self.now,
        };
        let said: Vec<(&Directive, Possible)> = self
            .directives
            .iter()
            .map(|directive| (directive, directive.says(&asked)))
            .collect();
        let default = match is_one(&self.settings.permitted_without) {
            true => Possible::PERMIT,
            false => Possible::DENY,
        };
        let together = self.together(&said).or_else(default);
        let names = || {
            let denying = said.iter().filter(|(_, one)| one.may_be(Possible::DENY));
            let names: BTreeSet<&str> = denying.map(|(own, _)| own.name.as_str()).collect();
            names.into_iter().map(str::to_owned).collect()
        };
        match together {
            _ if self.is_too_much => Verdict::Unclear(names()),
            Possible::PERMIT => Verdict::Permit,
            Possible::DENY => Verdict::Deny(names()),
            _ => Verdict::Unclear(names()),
        }
    }

    /// What several Consents say together: of all that each may say, what may come of it.
    fn together(&self, said: &[(&Directive, Possible)]) -> Possible {
        let newer = |a: &Directive, b: &Directive| {
            self.settings.precedence == Precedence::MostRecent && b.given.is_before(a.given)
        };
        let speaks = |one: Possible| !one.may_be(Possible::SILENT);
        // What a later one surely speaks of, an earlier one does not decide.
        let counts: Vec<Possible> = said
            .iter()
            .filter(|(own, _)| {
                let mut others = said.iter();
                !others.any(|(other, one)| newer(other, own) && speaks(*one))
            })
            .map(|(_, one)| *one)
            .collect();
        Possible::beside(counts.into_iter())
    }
}
