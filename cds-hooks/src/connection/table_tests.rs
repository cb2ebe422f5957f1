use super::*;

fn connections(max_connections: usize) -> Arc<Connections> {
    let limits = Limits {
        max_connections,
        ..Limits::default()
    };
    Connections::new(&limits, Arc::default())
}

fn is_closed(place: &Place) -> bool {
    !place.all.lock().by_number.contains_key(&place.number)
}

#[test]
fn the_one_least_in_use_makes_room() {
    let all = connections(3);
    let [working, idle, coming] = [Phase::Work, Phase::Idle, Phase::Head].map(|phase| {
        let place = all.admit().unwrap();
        place.connection.enter(phase);
        place
    });
    let first = all.admit().unwrap();
    assert!(is_closed(&idle) && !is_closed(&coming));
    first.connection.enter(Phase::Work);
    let second = all.admit().unwrap();
    assert!(is_closed(&coming));
    second.connection.enter(Phase::Body);
    // All are in use.
    assert!(all.admit().is_none());
    std::thread::sleep(STALE);
    let third = all.admit().unwrap();
    assert!(is_closed(&second));
    third.connection.enter(Phase::Work);
    assert!(all.admit().is_none());
    assert!(!is_closed(&working));
    let told = all.turned.counts().unwrap();
    assert_eq!(
        (&told["refused"], &told["closed_for_others"]),
        (&2.into(), &3.into())
    );
    // A place is given back.
    drop(working);
    assert!(all.admit().is_some());
}
