//! The course of one patient's life in the record: a plan of visits (`schedule`), then each visit
//! in turn with what it measures, finds and prescribes.

mod acute;
mod breath_and_mind;
mod diabetes;
mod heart;
mod hospital;
mod labs;
mod meds;
mod pregnancy;
mod prevention;
mod problems;
mod schedule;
mod vaccines;
mod visit;
mod vitals;

use super::calendar::{Day, Moment};
use super::health::Health;
use super::person::Person;
use super::rng::Rng;
use super::shared::Payer;
use super::write::chart::Chart;
use super::{ResourceSink, SynthOptions};

/// Random streams of a patient: the life, and the defects on top of it.
const LIFE: u64 = 5;
const DEFECTS: u64 = 3;

/// State carried from visit to visit.
struct Course<'a> {
    chart: Chart<'a>,
    person: &'a Person,
    health: &'a Health,
    rng: Rng,
    meds: meds::Medicines,
    sugar: diabetes::Sugar,
    heart: heart::Heart,
    labs: labs::LastTests,
    problems: problems::ProblemList,
    mood: breath_and_mind::Mood,
    shots: vaccines::Shots,
    prevention: prevention::Prevention,
    wellness_visits: u32,
    last_height: Day,
}

/// Writes every resource of patient `index`.
pub(super) fn run(options: &SynthOptions, index: u64, sink: &mut dyn ResourceSink) {
    let mut rng = Rng::new(options.seed, LIFE, index);
    let person = Person::draw(options, index, &mut rng);
    let health = Health::draw(&person, &mut rng);
    let defects = Rng::new(options.seed, DEFECTS, index);
    let sugar = diabetes::Sugar::draw(&person, &health, &mut rng);
    let heart = heart::Heart::draw(&person, &health, &mut rng);
    let mood = breath_and_mind::Mood::draw(&mut rng);
    let prevention = prevention::Prevention::draw(&person, &mut rng);
    let plan = schedule::plan(&person, &health, &heart, &prevention, &mut rng);
    let mut course = Course {
        chart: Chart::new(&person, options.dirty, defects, sink),
        person: &person,
        health: &health,
        rng,
        meds: meds::Medicines::default(),
        sugar,
        heart,
        labs: labs::LastTests::default(),
        problems: problems::ProblemList::default(),
        mood,
        shots: vaccines::Shots::default(),
        prevention,
        wellness_visits: 0,
        last_height: Day::MIN / 2,
    };
    course.open();
    for item in &plan {
        course.visit(*item);
    }
    course.close();
}

impl Course<'_> {
    /// What is known before the first recorded visit.
    fn open(&mut self) {
        let person = self.person;
        self.chart.patient(Moment::at(person.last, 22 * 60));
        self.insurance();
        self.allergies();
        self.childhood_vaccines();
        self.earlier_screening();
    }

    /// Who turned 65 within the record changed to Medicare that day.
    fn insurance(&mut self) {
        let person = self.person;
        let turned = person.birth + (65.0 * 365.25) as i32;
        if person.payer == Payer::None {
            return;
        }
        if person.payer == Payer::Medicare && turned > person.start && turned < person.last {
            self.chart
                .coverage(Payer::Commercial, person.start, Some(turned));
            self.chart.coverage(Payer::Medicare, turned, None);
        } else {
            self.chart
                .coverage(person.payer, person.start, person.death);
        }
    }

    fn allergies(&mut self) {
        if self.person.age(self.person.last) < 3.0 || !self.rng.chance(0.14) {
            return;
        }
        let from = self.person.start;
        let day = self.rng.between(from, (from + 300).min(self.person.last));
        if let Some(allergen) = self.rng.pick(&super::codes::drugs::ALLERGENS).copied() {
            let severe = self.rng.chance(0.15);
            self.meds.allergic = Some(allergen.0);
            self.chart.allergy(allergen, Moment::at(day, 600), severe);
        }
    }

    fn close(&mut self) {
        self.write_prescriptions();
    }
}
