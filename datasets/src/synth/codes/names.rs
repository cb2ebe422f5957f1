//! Invented people and places. Towns and postal codes are real Massachusetts ones with an invented
//! street; the telephone numbers use the 555-01xx block set aside for fiction.

pub(in super::super) static FAMILY: [&str; 48] = [
    "Abbott", "Alvarez", "Baker", "Bennett", "Brooks", "Carter", "Chen", "Clark", "Collins",
    "Cruz", "Diaz", "Edwards", "Evans", "Fisher", "Flores", "Foster", "Garcia", "Gray", "Green",
    "Gupta", "Hall", "Harris", "Hayes", "Hughes", "Jackson", "Johnson", "Kelly", "Kim", "Lee",
    "Lewis", "Lopez", "Martin", "Miller", "Morgan", "Murphy", "Nguyen", "Ortiz", "Patel", "Perez",
    "Powell", "Reed", "Rivera", "Santos", "Silva", "Singh", "Taylor", "Walker", "Young",
];
pub(in super::super) static GIRLS: [&str; 24] = [
    "Alice", "Amanda", "Anna", "Beatrice", "Carla", "Diana", "Elena", "Emma", "Grace", "Hannah",
    "Irene", "Julia", "Karen", "Laura", "Maria", "Nora", "Olivia", "Paula", "Rachel", "Rosa",
    "Sarah", "Teresa", "Victoria", "Wendy",
];
pub(in super::super) static BOYS: [&str; 24] = [
    "Adam", "Andrew", "Benjamin", "Carlos", "Daniel", "David", "Edward", "Eric", "Frank", "George",
    "Henry", "Ivan", "James", "Jorge", "Kevin", "Luis", "Mark", "Nathan", "Oscar", "Peter",
    "Robert", "Samuel", "Thomas", "William",
];
pub(in super::super) static STREETS: [&str; 16] = [
    "Maple Street",
    "Oak Avenue",
    "Main Street",
    "Chestnut Street",
    "Elm Street",
    "Park Road",
    "Washington Street",
    "Lake Drive",
    "Hill Road",
    "River Street",
    "Pine Lane",
    "Church Street",
    "School Street",
    "Mill Road",
    "Spring Street",
    "Union Street",
];
pub(in super::super) static TOWNS: [(&str, &str); 12] = [
    ("Worcester", "01608"),
    ("Springfield", "01103"),
    ("Lowell", "01852"),
    ("Quincy", "02169"),
    ("Newton", "02458"),
    ("Framingham", "01702"),
    ("Salem", "01970"),
    ("Plymouth", "02360"),
    ("Pittsfield", "01201"),
    ("Fitchburg", "01420"),
    ("Malden", "02148"),
    ("Brockton", "02301"),
];

/// US Core race: OMB category code, display, share of the panel.
pub(in super::super) static RACES: [(&str, &str, f64); 5] = [
    ("2106-3", "White", 0.68),
    ("2054-5", "Black or African American", 0.15),
    ("2028-9", "Asian", 0.08),
    ("2131-1", "Other Race", 0.07),
    ("1002-5", "American Indian or Alaska Native", 0.02),
];
