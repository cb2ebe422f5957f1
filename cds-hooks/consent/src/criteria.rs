//! What a provision is about: all its criteria hold together, of the values of each one is enough.

use engine_patient::record::Element;
use engine_patient::system::truth::Truth;

use crate::actor::{self, Actor};
use crate::codes::Purpose;
use crate::content::{Class, Data, codings};
use crate::label;
use crate::moment::{Period, Span};
use crate::provision::Kind;
use crate::read::{Code, Reader, list, one};
use crate::request::{Action, Request};
use crate::seen::Seen;

/// Who asks for what, at which moment.
pub(crate) struct Asked<'a> {
    pub(crate) request: &'a Request,
    pub(crate) seen: &'a Seen<'a>,
    /// Milliseconds from 1970-01-01T00:00Z.
    pub(crate) now: i64,
}

/// The criteria of a provision; of a value that is not understood `None`.
#[derive(Default)]
pub(crate) struct Criteria {
    period: Option<Period>,
    actors: Vec<Actor>,
    actions: Vec<Option<Action>>,
    labels: Vec<Option<Code>>,
    purposes: Vec<Option<Purpose>>,
    classes: Vec<Class>,
    codes: Vec<Option<Code>>,
    data_period: Option<Period>,
    data: Vec<Data>,
}

/// Whether one of them holds.
pub(crate) fn any(all: impl Iterator<Item = Truth>) -> Truth {
    let mut found = Truth::False;
    for one in all {
        match one {
            Truth::True => return Truth::True,
            Truth::Unknown => found = Truth::Unknown,
            Truth::False => {}
        }
    }
    found
}

fn truth(holds: bool) -> Truth {
    if holds { Truth::True } else { Truth::False }
}

/// No value at all restricts nothing; what is not understood may be anything.
fn one_of<T>(values: &[Option<T>], is: impl Fn(&T) -> Truth) -> Truth {
    match values.is_empty() {
        true => Truth::True,
        false => any(values
            .iter()
            .map(|value| value.as_ref().map_or(Truth::Unknown, &is))),
    }
}

impl Criteria {
    pub(crate) fn read(provision: Element<'_>, place: &str, reader: &mut Reader<'_>) -> Criteria {
        let period = |name: &str, reader: &mut Reader<'_>| {
            let found = one(provision, name);
            found.map(|period| Span::read(period, &format!("{place}.{name}"), reader))
        };
        let valid = period("period", reader);
        let data_period = period("dataPeriod", reader);
        let mut actors = vec![];
        for actor in list(provision, "actor") {
            actors.push(Actor::read(actor, &format!("{place}.actor"), reader));
            reader.counts();
        }
        let mut data = vec![];
        for one in list(provision, "data") {
            data.push(Data::read(one, &format!("{place}.data"), reader));
            reader.counts();
        }
        let known = |name: &str, is_known: &dyn Fn(&Code) -> bool, reader: &mut Reader<'_>| {
            let all = codings(provision, name, place, reader);
            if all.iter().flatten().any(|code| !is_known(code)) {
                let place = format!("{place}.{name}");
                reader.flaw(&place, "has a code that is not known");
            }
            all
        };
        let action = |code: &Code| Action::parse(&code.1);
        let purpose = |code: &Code| Purpose::of(&code.0, &code.1);
        let actions = known("action", &|code| action(code).is_some(), reader);
        let purposes = known("purpose", &|code| purpose(code).is_some(), reader);
        let is_class = |code: &Code| !matches!(Class::of(code), Class::Unknown);
        let classes = known("class", &is_class, reader);
        let class = |code: &Option<Code>| code.as_ref().map_or(Class::Unknown, Class::of);
        Criteria {
            period: valid,
            actors,
            actions: actions
                .iter()
                .map(|code| code.as_ref().and_then(action))
                .collect(),
            labels: codings(provision, "securityLabel", place, reader),
            purposes: purposes
                .iter()
                .map(|code| code.as_ref().and_then(purpose))
                .collect(),
            classes: classes.iter().map(class).collect(),
            codes: codings(provision, "code", place, reader),
            data_period,
            data,
        }
    }

    /// Whether they are about what is asked. `kind`: of a provision that permits or denies.
    pub(crate) fn hold(&self, asked: &Asked<'_>, kind: Option<Kind>) -> Truth {
        let (request, seen) = (asked.request, asked.seen);
        // What is quickly told and rules out most stands first.
        let quick = self
            .is_in_force(asked.now)
            .and(one_of(&self.purposes, |purpose| match request.purpose {
                Some(own) => truth(own.is_a(*purpose)),
                None => Truth::Unknown,
            }))
            .and(one_of(&self.actions, |action| {
                truth(request.actions.contains(action))
            }));
        if quick == Truth::False {
            return quick;
        }
        let content = match self.classes.is_empty() {
            true => Truth::True,
            false => any(self.classes.iter().map(|class| class.is(seen))),
        };
        let content = content.and(one_of(&self.labels, |code| label::is(code, kind, seen)));
        if content == Truth::False {
            return content;
        }
        let data = match self.data.is_empty() {
            true => Truth::True,
            false => any(self.data.iter().map(|data| data.is(seen))),
        };
        quick
            .and(content)
            .and(one_of(&self.codes, |code| seen.has_code(code)))
            .and(data)
            .and(self.is_of_the_time(seen))
            .and(actor::are(&self.actors, request, seen))
    }

    /// Whether the moment is in `period`.
    pub(crate) fn is_in_force(&self, now: i64) -> Truth {
        match self.period {
            None => Truth::True,
            Some(None) => Truth::Unknown,
            Some(Some(span)) => truth(span.has(now)),
        }
    }

    /// Whether the data is of `dataPeriod`.
    fn is_of_the_time(&self, seen: &Seen<'_>) -> Truth {
        match self.data_period {
            None => Truth::True,
            Some(_) if seen.is_nobodys() => Truth::False,
            Some(None) => Truth::Unknown,
            Some(Some(span)) => seen.time().map_or(Truth::Unknown, |time| span.covers(time)),
        }
    }

    /// Whether there is nothing but perhaps a period.
    pub(crate) fn are_open(&self) -> bool {
        self.actors.is_empty()
            && self.actions.is_empty()
            && self.labels.is_empty()
            && self.purposes.is_empty()
            && self.classes.is_empty()
            && self.codes.is_empty()
            && self.data_period.is_none()
            && self.data.is_empty()
    }

    /// Whether the purposes of these are all others than those named here.
    pub(crate) fn are_for_others(&self, above: &Criteria) -> bool {
        let is_other = |own: &Option<Purpose>| {
            let own = own.as_ref();
            own.is_some_and(|own| {
                let mut named = above.purposes.iter();
                named.all(|other| other.is_some_and(|other| !own.is_a(other)))
            })
        };
        !self.purposes.is_empty()
            && !above.purposes.is_empty()
            && self.purposes.iter().all(is_other)
    }
}
