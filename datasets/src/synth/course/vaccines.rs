//! Immunizations: the childhood series, and what is given to adults at visits.

use super::super::calendar::{Day, Moment, civil};
use super::super::codes::vaccines as codes;
use super::Course;

/// What has been given.
#[derive(Debug)]
pub(super) struct Shots {
    /// year the last influenza season began
    season: i32,
    pneumo: u8,
    zoster: u8,
    zoster_day: Day,
    tdap: Day,
    hpv: u8,
    meningo: u8,
}

impl Default for Shots {
    fn default() -> Self {
        Self {
            season: 0,
            pneumo: 0,
            zoster: 0,
            zoster_day: Day::MIN / 2,
            tdap: Day::MIN / 2,
            hpv: 0,
            meningo: 0,
        }
    }
}

impl Shots {
    /// True once a pregnancy; the dose then counts as given.
    pub(super) fn pregnancy_dose(&mut self, day: Day) -> bool {
        let due = day - self.tdap > 200;
        if due {
            self.tdap = day;
        }
        due
    }
}

impl Course<'_> {
    /// The childhood series up to today for patients whose childhood the clinic knows. Doses are a
    /// little late, a few are missed, a few families decline all.
    pub(super) fn childhood_vaccines(&mut self) {
        let person = self.person;
        // Records of those older than 26 rarely reach back.
        if person.age(person.last) >= 26.0 || self.rng.chance(0.03) {
            return;
        }
        let late = self.rng.chance(0.15);
        for (due, vaccine) in codes::CHILDHOOD {
            let delay = if due == 0 {
                0
            } else {
                self.rng.between(0, if late { 90 } else { 20 })
            };
            let day = person.birth + due + delay;
            if day <= person.last && !self.rng.chance(0.04) {
                self.chart.immunization(vaccine, Moment::at(day, 600), 0);
            }
        }
    }

    /// What is due at a visit.
    pub(super) fn vaccines(&mut self, at: Moment, encounter: u32) {
        let at = at.plus(20);
        let age = self.person.age(at.day);
        self.influenza(at, age, encounter);
        if age >= 18.0 && at.day - self.shots.tdap > 3650 && self.rng.chance(0.16) {
            self.shots.tdap = at.day;
            self.chart.immunization(codes::TDAP, at, encounter);
        }
        if (11.0..20.0).contains(&age) {
            self.adolescent(at, age, encounter);
        }
        if age >= 65.0 && self.rng.chance(0.1 + 0.2 * self.person.engagement) {
            self.pneumococcal(at, encounter);
        }
        if age >= 50.0 && self.rng.chance(0.2) {
            let wait = at.day - self.shots.zoster_day;
            if self.shots.zoster < 2 && wait > 60 {
                self.shots.zoster += 1;
                self.shots.zoster_day = at.day;
                self.chart.immunization(codes::ZOSTER, at, encounter);
            }
        }
    }

    /// One dose a season (July to June), September to March; about half of the seasons.
    fn influenza(&mut self, at: Moment, age: f64, encounter: u32) {
        let (year, month, _) = civil(at.day);
        let season = if month >= 7 { year } else { year - 1 };
        let open = month >= 9 || month <= 3;
        if age < 0.5
            || !open
            || self.shots.season == season
            || !self.rng.chance(0.68 + 0.32 * self.person.engagement)
        {
            return;
        }
        self.shots.season = season;
        let vaccine = if age >= 65.0 {
            self.rng.pick(&codes::FLU_OLDER)
        } else {
            self.rng.pick(&codes::FLU)
        };
        if let Some(vaccine) = vaccine.copied() {
            self.chart.immunization(vaccine, at, encounter);
        }
    }

    /// PCV20 since 2022; before that PCV13 and PPSV23.
    fn pneumococcal(&mut self, at: Moment, encounter: u32) {
        let (year, _, _) = civil(at.day);
        let vaccine = match (self.shots.pneumo, year) {
            (0, 2022..) => codes::PNEUMO_20,
            (0, _) => codes::PNEUMO_13,
            (1, ..2022) => codes::PNEUMO_23,
            _ => return,
        };
        self.shots.pneumo = if vaccine == codes::PNEUMO_20 {
            9
        } else {
            self.shots.pneumo + 1
        };
        self.chart.immunization(vaccine, at, encounter);
    }

    fn adolescent(&mut self, at: Moment, age: f64, encounter: u32) {
        if self.shots.hpv < 2 && self.rng.chance(0.5) {
            self.shots.hpv += 1;
            self.chart.immunization(codes::HPV, at, encounter);
        }
        let due = if age >= 16.0 { 2 } else { 1 };
        if self.shots.meningo < due && self.rng.chance(0.7) {
            self.shots.meningo = due;
            self.chart.immunization(codes::MENINGO, at, encounter);
        }
    }
}
