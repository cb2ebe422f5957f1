//! Key sets that clients publish: when they are fetched, and what happens where they cannot be.

use std::sync::Arc;
use std::time::Duration;

use cds_security::testing::{TestKey, key_set};
use cds_security::{Algorithm, Authenticator, Client, KeyFetcher, Reason, ReplayStore};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::fixture::{
    EC, EVIL, JKU, NOW, OTHER, RSA, Service, ehr, good, headed, payload, says, security, with,
};

/// An EHR that publishes its keys.
fn publishes() -> Client {
    Client {
        keys: None,
        jku: vec![JKU.into()],
        ..ehr()
    }
}

/// Good at this time.
fn token_at(key: &TestKey, now: i64) -> String {
    let times = json!({ "iat": now, "exp": now + 300 });
    key.sign(&key.header(), &with(payload(), times))
}

/// Checklist 80: published or exchanged, both work; what was fetched is kept.
#[tokio::test]
async fn item_80_jku_is_fetched_once() {
    let service = Service::new(vec![publishes()]);
    service.web.put(JKU, &key_set(&[&EC, &RSA]));
    // Without `jku` in the token, too.
    service.call(&good()).await.unwrap();
    service.call(&headed(json!({ "jku": JKU }))).await.unwrap();
    service
        .call(&RSA.sign(&RSA.header(), &payload()))
        .await
        .unwrap();
    assert_eq!(service.web.asked(), 1);
    let state = &service.authenticator.key_states()[0];
    assert_eq!(
        (state.url.as_str(), state.keys, state.fetched),
        (JKU, 2, Some(NOW))
    );
    assert_eq!((state.counts.fetched, state.counts.failed), (1, 0));
}

/// Keys that were exchanged need no fetch, also where an address is listed.
#[tokio::test]
async fn item_80_exchanged_keys_come_first() {
    let jku = vec![JKU.into()];
    let service = Service::new(vec![Client { jku, ..ehr() }]);
    service.call(&headed(json!({ "jku": JKU }))).await.unwrap();
    assert_eq!(service.web.asked(), 0);
    // The next key is published only.
    service.web.put(JKU, &key_set(&[&OTHER]));
    service
        .call(&OTHER.sign(&OTHER.header(), &payload()))
        .await
        .unwrap();
    assert_eq!(service.web.asked(), 1);
}

/// A key in PEM has no name, and hides no newer one that is published.
#[tokio::test]
async fn item_80_a_key_in_pem_hides_no_published_one() {
    let service = Service::new(vec![Client {
        keys: Some(EC.public_pem().into()),
        ..publishes()
    }]);
    service.web.put(JKU, &key_set(&[&OTHER]));
    service.call(&good()).await.unwrap();
    assert_eq!(service.web.asked(), 0);
    let newer = OTHER.sign(&OTHER.header(), &payload());
    service.call(&newer).await.unwrap();
    assert_eq!(service.web.asked(), 1);
    let forged = EVIL.sign(&EVIL.header(), &payload());
    assert_eq!(service.refused(&forged).await, Reason::Key);
}

/// Checklist 82: a key that is not in the set is a reason to look again, also just after another look.
#[tokio::test]
async fn item_82_rotation_is_seen_at_once() {
    let service = Service::new(vec![publishes()]);
    service.web.put(JKU, &key_set(&[&EC]));
    service.call_at(&token_at(&EC, NOW), NOW).await.unwrap();
    // The client changes to another key.
    service.web.put(JKU, &key_set(&[&OTHER]));
    service.call_at(&token_at(&OTHER, NOW), NOW).await.unwrap();
    assert_eq!(service.web.asked(), 2);
    // The old one is withdrawn.
    let denied = service.call_at(&token_at(&EC, NOW), NOW).await;
    assert_eq!(denied.unwrap_err().reason, Reason::Key);
}

/// Checklist 82: whoever writes tokens of keys that nobody has makes few looks, and puts off the one for a new
/// key by five seconds at most.
#[tokio::test]
async fn item_82_nobody_can_hold_off_a_new_key() {
    let service = Service::new(vec![publishes()]);
    service.web.put(JKU, &key_set(&[&EC]));
    service.call_at(&token_at(&EC, NOW), NOW).await.unwrap();
    let attack = async |now: i64, count: usize| {
        for number in 0..count {
            let header = with(EVIL.header(), json!({ "kid": format!("no-{number}") }));
            let times = json!({ "iat": now, "exp": now + 60 });
            let token = EVIL.sign(&header, &with(payload(), times));
            let denied = service.call_at(&token, now).await.unwrap_err();
            assert_eq!(denied.reason, Reason::Key);
        }
    };
    attack(NOW, 200).await;
    assert_eq!(service.web.asked(), 3, "as many as may follow each other");
    for second in 1..=60 {
        attack(NOW + second, 10).await;
    }
    assert_eq!(service.web.asked(), 3 + 12, "one each five seconds");
    // A new key while it goes on.
    service.web.put(JKU, &key_set(&[&EC, &OTHER]));
    let mut taken_at = None;
    for second in 61..=70 {
        let now = NOW + second;
        attack(now, 10).await;
        if service.call_at(&token_at(&OTHER, now), now).await.is_ok() {
            taken_at = Some(second);
            break;
        }
    }
    assert_eq!(taken_at, Some(65));
    // A clock that was put back does not stop the looks.
    service.web.put(JKU, &key_set(&[&RSA]));
    let before = NOW - 10_000;
    service
        .call_at(&token_at(&RSA, before), before)
        .await
        .unwrap();
}

/// Checklist 80: of several addresses one that is slow or down is waited for only where none has the key.
#[tokio::test]
async fn item_80_an_address_that_is_down_delays_no_known_key() {
    let second = "https://ehr.example/other.json";
    let service = Service::new(vec![Client {
        jku: vec![JKU.into(), second.into()],
        ..publishes()
    }]);
    service.web.put(second, &key_set(&[&EC]));
    service.call_at(&token_at(&EC, NOW), NOW).await.unwrap();
    assert_eq!(service.web.asked(), 2);
    // From now on no address answers.
    service.web.wait_for(Arc::new(Semaphore::new(0)));
    let soon = Duration::from_millis(1500);
    for age in [0, 60, 599, 601, 3600] {
        let now = NOW + age;
        let token = token_at(&EC, now);
        let called = tokio::time::timeout(soon, service.call_at(&token, now)).await;
        assert!(called.is_ok_and(|called| called.is_ok()), "{age}");
    }
}

/// A set without keys is an answer: what was withdrawn counts no more. What is no set changes nothing.
#[tokio::test]
async fn item_82_an_emptied_set_withdraws_its_keys() {
    for emptied in [
        json!({ "keys": [] }),
        json!({ "keys": [{ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" }] }),
    ] {
        let service = Service::new(vec![publishes()]);
        service.web.put(JKU, &key_set(&[&EC]));
        service.call_at(&token_at(&EC, NOW), NOW).await.unwrap();
        service.web.put(JKU, &json!({ "error": "later" }));
        let now = NOW + 700;
        service.call_at(&token_at(&EC, now), now).await.unwrap();
        tokio::task::yield_now().await;
        service.call_at(&token_at(&EC, now), now).await.unwrap();
        service.web.put(JKU, &emptied);
        let now = NOW + 800;
        service.call_at(&token_at(&EC, now), now).await.unwrap();
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(service.authenticator.key_states()[0].keys, 0);
        let denied = service.call_at(&token_at(&EC, now), now).await.unwrap_err();
        assert_eq!(denied.reason, Reason::Key);
        assert_eq!(denied.answer().status(), 401, "nobody outside makes a 5xx");
        // And back.
        service.web.put(JKU, &key_set(&[&EC]));
        let now = now + 30;
        service.call_at(&token_at(&EC, now), now).await.unwrap();
    }
}

/// Keys that no token is tried with are told, and not passed over.
#[test]
fn keys_beyond_those_that_are_tried_are_told() {
    let pem: String = (0..6)
        .map(|_| TestKey::new(Algorithm::ES384, "x").public_pem())
        .collect();
    let set = cds_security::KeySet::parse(pem.as_bytes()).unwrap();
    assert_eq!((set.len(), set.left_out.len()), (4, 2));
    assert!(set.left_out[0].starts_with("keys[4]: there are 4 before it"));
    let same: Vec<_> = (0..5)
        .map(|_| TestKey::new(Algorithm::ES384, "x"))
        .collect();
    let mut all: Vec<&TestKey> = same.iter().collect();
    all.extend([&*EC, &*OTHER, &*RSA]);
    let set = cds_security::KeySet::of(&key_set(&all)).unwrap();
    assert_eq!((set.len(), set.left_out.len()), (7, 1));
}

/// Checklist 82: an address that does not answer locks out nobody whose key is known, for a time.
#[tokio::test]
async fn item_82_stale_keys_are_used_while_none_can_be_had_and_no_longer() {
    let service = Service::new(vec![publishes()]);
    service.web.put(JKU, &key_set(&[&EC]));
    service.call_at(&token_at(&EC, NOW), NOW).await.unwrap();
    service.web.fail(JKU, "it is down");
    for age in [599, 601, 3600] {
        let now = NOW + age;
        let called = service.call_at(&token_at(&EC, now), now).await;
        assert!(called.is_ok(), "{age}: {called:?}");
        // What is sought beside it is done by then.
        tokio::task::yield_now().await;
    }
    let asked = service.web.asked();
    assert!((2..=3).contains(&asked), "{asked}");
    let now = NOW + 3601;
    let denied = service.call_at(&token_at(&EC, now), now).await.unwrap_err();
    assert_eq!(denied.reason, Reason::Key);
    assert!(denied.to_string().contains("it is down"), "{denied}");
    // It is back.
    service.web.put(JKU, &key_set(&[&EC]));
    let now = now + 60;
    service.call_at(&token_at(&EC, now), now).await.unwrap();
}

/// A set that is old is sought while the old one is used: no call waits for it.
#[tokio::test]
async fn a_new_set_is_fetched_in_the_background() {
    let service = Service::new(vec![publishes()]);
    service.web.put(JKU, &key_set(&[&EC]));
    service.call_at(&token_at(&EC, NOW), NOW).await.unwrap();
    let permits = Arc::new(Semaphore::new(0));
    service.web.wait_for(permits.clone());
    let now = NOW + 700;
    for _ in 0..20 {
        service.call_at(&token_at(&EC, now), now).await.unwrap();
    }
    tokio::task::yield_now().await;
    assert_eq!(service.web.asked(), 2, "one, and nobody waited");
    // With the new set the key is gone.
    service.web.put(JKU, &key_set(&[&OTHER]));
    permits.add_permits(10);
    while service.authenticator.key_states()[0].fetched != Some(now) {
        tokio::task::yield_now().await;
    }
    let denied = service.call_at(&token_at(&EC, now), now).await.unwrap_err();
    assert_eq!(denied.reason, Reason::Key);
}

/// Many at once wait for one fetch; one that goes away does not end it.
#[tokio::test]
async fn item_82_one_fetch_at_a_time() {
    let service = Arc::new(Service::new(vec![publishes()]));
    service.web.put(JKU, &key_set(&[&EC]));
    let permits = Arc::new(Semaphore::new(0));
    service.web.wait_for(permits.clone());
    let gone = tokio::spawn({
        let service = service.clone();
        async move { service.call(&good()).await.is_ok() }
    });
    while service.web.asked() == 0 {
        tokio::task::yield_now().await;
    }
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(async move { service.call(&good()).await.is_ok() })
        })
        .collect();
    tokio::task::yield_now().await;
    permits.add_permits(1);
    for one in waiting {
        assert!(one.await.unwrap());
    }
    assert_eq!(service.web.asked(), 1);
}

/// What comes is no key set, too large, or does not come: refused, told, and asked again later.
#[tokio::test]
async fn what_is_no_key_set_is_told() {
    let service = Service::new(vec![publishes()]);
    let denied = service.call(&good()).await.unwrap_err();
    assert!(denied.to_string().contains("it is not there"), "{denied}");
    for (number, (set, why)) in [
        (json!([]), "no list `keys`"),
        (json!({ "keys": {} }), "no list `keys`"),
        (json!({ "keys": [] }), "it is empty"),
        (json!({ "keys": ["x", 1, null, {}] }), "there is no `kty`"),
        (
            json!({ "keys": [with(EC.jwk(), json!({ "d": "x" }))] }),
            "private",
        ),
        (
            json!({ "keys": [EC.jwk()], "x": "x".repeat(300_000) }),
            "too large",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        service.web.put(JKU, &set);
        let now = NOW + 30 * (1 + i64::try_from(number).unwrap());
        let denied = service.call_at(&token_at(&EC, now), now).await.unwrap_err();
        assert_eq!(denied.reason, Reason::Key);
        assert!(denied.to_string().contains(why), "{why}: {denied}");
    }
    assert_eq!(service.authenticator.key_states()[0].counts.failed, 7);
    // Some of its keys are of no use here.
    let odd = TestKey::new(Algorithm::ES256, "p");
    let okp = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" });
    let set = json!({ "keys": [okp, odd.jwk(), EC.jwk()] });
    service.web.put(JKU, &set);
    let now = NOW + 600;
    service.call_at(&token_at(&EC, now), now).await.unwrap();
    let state = &service.authenticator.key_states()[0];
    assert_eq!((state.keys, state.left_out.len()), (2, 1));
}

/// After a reload nothing that is known is fetched anew, and what is no longer listed is forgotten.
#[tokio::test]
async fn a_reload_keeps_what_was_fetched() {
    let service = Service::new(vec![publishes()]);
    service.web.put(JKU, &key_set(&[&EC]));
    service.authenticator.warm(NOW).await;
    assert_eq!(service.web.asked(), 1);
    let (web, replay): (Arc<dyn KeyFetcher>, Arc<dyn ReplayStore>) =
        (service.web.clone(), service.replay.clone());
    let token = good();
    service.call(&token).await.unwrap();
    let authenticator = Authenticator::new(
        &security(vec![publishes()]),
        web,
        replay,
        Some(&service.authenticator),
    );
    let service = Service {
        authenticator: authenticator.unwrap(),
        ..service
    };
    service.call(&says(json!({}))).await.unwrap();
    assert_eq!(service.refused(&token).await, Reason::Replay);
    assert_eq!(service.web.asked(), 1);
}
