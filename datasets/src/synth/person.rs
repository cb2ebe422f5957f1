//! Who a patient is: everything that does not change during the history.

use super::calendar::{Day, day_of};
use super::codes::names::{BOYS, FAMILY, GIRLS, RACES, STREETS, TOWNS};
use super::rng::Rng;
use super::shared::{self, Payer};
use super::{SynthOptions, json::push_int};

#[derive(Debug)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) birth: Day,
    pub(super) female: bool,
    pub(super) race: (&'static str, &'static str),
    pub(super) hispanic: bool,
    pub(super) family: &'static str,
    pub(super) given: &'static str,
    pub(super) house: u32,
    pub(super) street: &'static str,
    pub(super) town: (&'static str, &'static str),
    pub(super) organization: u32,
    pub(super) doctor: u32,
    pub(super) payer: Payer,
    /// first day with recorded visits
    pub(super) start: Day,
    /// last day of the record: death or the end of the history
    pub(super) last: Day,
    pub(super) death: Option<Day>,
    /// 0 never, 1 former, 2 current
    pub(super) smoking: usize,
    /// adult height in cm and body mass index
    pub(super) height: f64,
    pub(super) bmi: f64,
    /// 0 (never takes it) to 1: how much of a treatment's effect arrives
    pub(super) adherence: f64,
    /// 0 to 1: how readily the person comes to visits and screening
    pub(super) engagement: f64,
}

/// Age bands of a primary-care panel: from, to (inclusive), share in percent.
const AGES: [(i32, i32, f64); 10] = [
    (0, 4, 5.0),
    (5, 17, 13.0),
    (18, 29, 13.0),
    (30, 39, 13.0),
    (40, 49, 13.0),
    (50, 59, 14.0),
    (60, 69, 14.0),
    (70, 79, 10.0),
    (80, 89, 4.3),
    (90, 97, 0.7),
];

impl Person {
    pub(super) fn draw(options: &SynthOptions, index: u64, rng: &mut Rng) -> Self {
        let end = day_of(options.end.0, options.end.1, options.end.2);
        let band = rng.weighted(&AGES.map(|(_, _, share)| share));
        let (from, to, _) = AGES.get(band).copied().unwrap_or((40, 49, 0.0));
        let years = rng.between(from, to);
        let birth = end - (f64::from(years) * 365.25) as i32 - rng.between(1, 364);
        let female = rng.chance(if years < 18 { 0.49 } else { 0.54 });

        let dying = match years {
            ..40 => 0.002,
            40..60 => 0.008,
            60..70 => 0.025,
            70..80 => 0.06,
            80..90 => 0.15,
            _ => 0.28,
        };
        let dies = rng.chance(dying);
        // At least two months of life, so that there is a history to speak of.
        let death = (end - rng.between(5, 1400)).max(birth + 60);
        let death = (dies && death < end).then_some(death);
        let last = death.unwrap_or(end);
        let length = rng.between(4 * 365, 10 * 365);
        let start = (end - length).max(birth).min(last);

        let race = rng.weighted(&RACES.map(|(_, _, share)| share));
        let race = RACES
            .get(race)
            .map_or(("2106-3", "White"), |(code, name, _)| (*code, *name));
        let mut id = String::from("p");
        let digits = index.to_string();
        for _ in digits.len()..7 {
            id.push('0');
        }
        push_int(&mut id, i64::try_from(index).unwrap_or(i64::MAX));
        Self {
            id,
            birth,
            female,
            race,
            hispanic: rng.chance(0.14),
            family: rng.pick(&FAMILY).copied().unwrap_or("Baker"),
            given: rng
                .pick(if female { &GIRLS } else { &BOYS })
                .copied()
                .unwrap_or("Maria"),
            house: rng.between(1, 480) as u32,
            street: rng.pick(&STREETS).copied().unwrap_or("Main Street"),
            town: rng.pick(&TOWNS).copied().unwrap_or(("Worcester", "01608")),
            organization: 1 + rng.below(u64::from(shared::organizations(options))) as u32,
            doctor: 1 + rng.below(u64::from(shared::DOCTORS)) as u32,
            payer: match (years, rng.unit()) {
                (65.., _) => Payer::Medicare,
                (_, ..0.2) => Payer::Medicaid,
                (_, 0.93..) => Payer::None,
                _ => Payer::Commercial,
            },
            start,
            last,
            death,
            smoking: match (years, rng.unit()) {
                (..18, _) => 0,
                (_, ..0.13) => 2,
                (45.., ..0.41) => 1,
                (_, ..0.27) => 1,
                _ => 0,
            },
            height: if female { 162.0 } else { 176.0 } + 6.8 * rng.normal(),
            bmi: (28.6 + 6.0 * rng.normal() + 2.0 * rng.unit()).clamp(17.5, 52.0),
            adherence: 1.0 - 0.75 * rng.unit() * rng.unit(),
            engagement: rng.unit(),
        }
    }

    /// Age in years, with fraction.
    pub(super) fn age(&self, day: Day) -> f64 {
        f64::from(day - self.birth) / 365.25
    }
}
