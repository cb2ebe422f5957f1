//! The plan of visits: what happens when, before anything is measured.

use super::super::calendar::Day;
use super::super::health::{Disease, Health};
use super::super::person::Person;
use super::super::rng::Rng;
use super::heart::Heart;
use super::prevention::Prevention;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Wellness,
    WellChild,
    /// visit for long-term diseases
    Followup,
    Anticoagulation,
    Acute,
    Emergency,
    Infarction,
    Admission {
        again: bool,
    },
    Prenatal {
        trimester: u8,
    },
    Delivery,
    Colonoscopy,
    Mammography,
    Hospice,
}

pub(super) type Item = (Day, Event);

/// All visits in order of date.
pub(super) fn plan(
    person: &Person,
    health: &Health,
    heart: &Heart,
    prevention: &Prevention,
    rng: &mut Rng,
) -> Vec<Item> {
    let mut plan = Vec::with_capacity(80);
    if person.age(person.last) < 18.0 || person.age(person.start) < 18.0 {
        children(person, rng, &mut plan);
    }
    adults(person, health, rng, &mut plan);
    hospital(person, health, rng, &mut plan);
    if heart.warfarin {
        clinic(person, health, rng, &mut plan);
    }
    if person.female {
        pregnancies(person, rng, &mut plan);
    }
    for day in prevention
        .colonoscopy
        .iter()
        .chain(&prevention.second_colonoscopy)
    {
        plan.push((*day, Event::Colonoscopy));
    }
    if person.female {
        mammograms(person, prevention, rng, &mut plan);
    }
    if person.death.is_some() && rng.chance(0.3) {
        plan.push((person.last - rng.between(5, 60), Event::Hospice));
    }
    lapse(person, health, rng, &mut plan);
    plan.retain(|(day, _)| *day >= person.start && *day <= person.last);
    plan.sort_unstable();
    // One visit a day: a second one would meet the same clock times.
    plan.dedup_by_key(|(day, _)| *day);
    plan
}

/// Some stop coming: nothing for more than the last year. Diabetics stay, as their gap in HbA1c is
/// drawn elsewhere, and so do those whose last days are told.
fn lapse(person: &Person, health: &Health, rng: &mut Rng, plan: &mut Vec<Item>) {
    let lapses = rng.chance(0.16 * (1.0 - person.engagement));
    let away = rng.between(370, 900);
    let diabetic =
        health.onset(Disease::Diabetes2).is_some() || health.onset(Disease::Diabetes1).is_some();
    if lapses && !diabetic && person.death.is_none() && person.age(person.last) >= 18.0 {
        plan.retain(|(day, _)| *day < person.last - away);
    }
}

/// Well-child visits at the usual ages, most of them kept.
fn children(person: &Person, rng: &mut Rng, plan: &mut Vec<Item>) {
    for age in [3, 32, 61, 123, 184, 275, 371, 460, 555, 740] {
        if rng.chance(0.92) {
            plan.push((person.birth + age + rng.between(0, 12), Event::WellChild));
        }
    }
    for years in 3..18 {
        if rng.chance(0.5 + 0.45 * person.engagement) {
            plan.push((
                person.birth + years * 365 + rng.between(5, 330),
                Event::WellChild,
            ));
        }
    }
}

/// Yearly examinations, follow-up by burden of disease, short illnesses and emergencies.
fn adults(person: &Person, health: &Health, rng: &mut Rng, plan: &mut Vec<Item>) {
    let mut year = person.start;
    while year < person.last {
        let age = person.age(year);
        let child = age < 18.0;
        let burden = health.burden(year);
        if !child {
            let keeps = 0.4 + 0.45 * person.engagement + if age >= 65.0 { 0.12 } else { 0.0 };
            if rng.chance(keeps) {
                plan.push((year + rng.between(10, 350), Event::Wellness));
            }
            let visits = match burden {
                0 => 0.1,
                b => (1.5 + 0.75 * f64::from(b)).min(6.0) * (0.7 + 0.5 * person.engagement),
            };
            // Spread over the year: visits for one disease are not made in one week.
            let visits = rng.count(visits).min(8) as i32;
            for at in 0..visits {
                let width = 360 / visits.max(1);
                plan.push((
                    year + at * width + rng.between(0, width - 8),
                    Event::Followup,
                ));
            }
        }
        let acute = if age < 6.0 {
            2.2
        } else {
            (0.35 + 1.5 * person.engagement) * (1.0 + 0.12 * f64::from(burden))
        };
        for _ in 0..rng.count(acute) {
            plan.push((year + rng.between(0, 364), Event::Acute));
        }
        let emergency = if age >= 75.0 { 0.4 } else { 0.2 } + 0.03 * f64::from(burden);
        for _ in 0..rng.count(emergency) {
            plan.push((year + rng.between(0, 364), Event::Emergency));
        }
        year += 365;
    }
    // A known diabetic was seen in the last year; without this the gap in HbA1c would be a gap in
    // visits instead.
    if health.has(Disease::Diabetes2, person.last - 60)
        || health.has(Disease::Diabetes1, person.last - 60)
    {
        plan.push((person.last - rng.between(15, 300), Event::Followup));
    }
}

/// Admissions, some followed by another within 30 days, and the infarction of the health history.
fn hospital(person: &Person, health: &Health, rng: &mut Rng, plan: &mut Vec<Item>) {
    if let Some(onset) = health.onset(Disease::Infarction) {
        plan.push((onset, Event::Infarction));
    }
    let mut year = person.start;
    while year < person.last {
        let age = person.age(year);
        let mut rate = if age < 18.0 { 0.015 } else { 0.03 };
        if age >= 65.0 {
            rate += 0.05;
        }
        if age >= 80.0 {
            rate += 0.07;
        }
        for (disease, more) in [
            (Disease::HeartFailure, 0.3),
            (Disease::Copd, 0.13),
            (Disease::Kidney, 0.06),
            (Disease::Fibrillation, 0.06),
            (Disease::Diabetes2, 0.03),
        ] {
            if health.has(disease, year) {
                rate += more;
            }
        }
        for _ in 0..rng.count(rate) {
            let day = year + rng.between(0, 364);
            // The last two weeks stay free, so that a stay ends before the record does.
            if day < person.last - 14 {
                plan.push((day, Event::Admission { again: false }));
                let back = day + 10 + rng.between(2, 19);
                if rng.chance(0.16) && back < person.last - 14 {
                    plan.push((back, Event::Admission { again: true }));
                }
            }
        }
        year += 365;
    }
}

/// Visits to the anticoagulation clinic, every four to six weeks.
fn clinic(person: &Person, health: &Health, rng: &mut Rng, plan: &mut Vec<Item>) {
    let Some(onset) = health.onset(Disease::Fibrillation) else {
        return;
    };
    let mut day = onset.max(person.start) + 40;
    while day < person.last {
        plan.push((day, Event::Anticoagulation));
        day += rng.between(26, 46);
    }
}

/// Pregnancies of women 18 to 42: nine or ten visits and a delivery.
fn pregnancies(person: &Person, rng: &mut Rng, plan: &mut Vec<Item>) {
    let mut year = person.start;
    while year < person.last {
        let age = person.age(year);
        let rate = match age {
            18.0..22.0 => 0.05,
            22.0..34.0 => 0.10,
            34.0..40.0 => 0.045,
            40.0..42.0 => 0.012,
            _ => 0.0,
        };
        if rng.chance(rate) {
            let begin = year + rng.between(0, 200);
            for week in [9, 14, 19, 24, 28, 31, 34, 36, 38, 39] {
                let trimester = if week < 14 {
                    1
                } else if week < 28 {
                    2
                } else {
                    3
                };
                plan.push((
                    begin + week * 7 + rng.between(-2, 2),
                    Event::Prenatal { trimester },
                ));
            }
            if begin + 279 < person.last - 5 {
                plan.push((begin + 279, Event::Delivery));
            }
            year += 365;
        }
        year += 365;
    }
}

/// Mammograms every one to three years from 40 to 76, for those who go.
fn mammograms(person: &Person, prevention: &Prevention, rng: &mut Rng, plan: &mut Vec<Item>) {
    if !prevention.mammography {
        return;
    }
    let first = person.birth + (42.0 * 365.25) as i32;
    let until = person.birth + (76.0 * 365.25) as i32;
    let mut day = first.max(person.start) + rng.between(10, 700);
    while day < person.last.min(until) {
        plan.push((day, Event::Mammography));
        day += rng.between(365, 880);
    }
}
