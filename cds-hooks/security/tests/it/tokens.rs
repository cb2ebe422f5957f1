//! Good tokens, and what one thing wrong makes of them.

use cds_security::testing::{TestKey, claims, key_set};
use cds_security::{
    Action, Algorithm, Answer, ClaimPath, Client, Endpoint, Policy, Reason, Role, RoleClaim,
};
use serde_json::{Value, json};

use crate::fixture::{
    BASE, CALLED, EC, ISS, NOW, OTHER, OTHER_ISS, RSA, Service, ehr, good, headed, jti, other,
    payload, says, security, with, without_kid,
};

/// Checklist 76, 77 and 79: both recommended algorithms.
#[tokio::test]
async fn item_79_es384_and_rs384_are_taken() {
    let service = Service::new(vec![ehr()]);
    for key in [&*EC, &*RSA] {
        let caller = service.call(&key.sign(&key.header(), &payload())).await;
        let caller = caller.unwrap();
        assert_eq!(&*caller.client, "ehr");
        assert_eq!(caller.tenant, None);
        assert!(caller.permissions.allows(Action::Call, Some("a1c")));
        assert!(!caller.permissions.allows(Action::Audit, None));
    }
}

#[tokio::test]
async fn item_79_other_algorithms_where_they_are_configured() {
    let kinds = [
        Algorithm::ES256,
        Algorithm::RS256,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
        Algorithm::EdDSA,
    ];
    for algorithm in kinds {
        let key = TestKey::new(algorithm, "k");
        let token = || key.sign(&key.header(), &payload());
        let keys = Some(key_set(&[&key]));
        let client = Client { keys, ..ehr() };
        let service = Service::new(vec![client.clone()]);
        assert_eq!(
            service.refused(&token()).await,
            Reason::Header,
            "{algorithm:?}"
        );
        let algorithms = Some(vec![algorithm]);
        let service = Service::new(vec![Client {
            algorithms,
            ..client
        }]);
        service.call(&token()).await.unwrap();
        // The recommended ones are not taken beside.
        assert_eq!(service.refused(&good()).await, Reason::Header);
    }
}

/// Checklist 76.
#[tokio::test]
async fn item_76_header() {
    let service = Service::new(vec![ehr()]);
    service
        .call(&headed(json!({ "typ": "jwt" })))
        .await
        .unwrap();
    service.call(&headed(json!({ "x": [1] }))).await.unwrap();
    for (changes, reason) in [
        (json!({ "typ": null }), Reason::Header),
        (json!({ "typ": "at+jwt" }), Reason::Header),
        (json!({ "typ": "JOSE" }), Reason::Header),
        (json!({ "typ": 1 }), Reason::Header),
        (json!({ "alg": null }), Reason::Header),
        (json!({ "alg": 1 }), Reason::Header),
        (json!({ "alg": ["ES384"] }), Reason::Header),
        (json!({ "alg": "es384" }), Reason::Header),
        (json!({ "alg": "ES512" }), Reason::Header),
        (json!({ "kid": 1 }), Reason::Header),
        (json!({ "kid": "" }), Reason::Header),
        (json!({ "kid": "ec-2" }), Reason::Key),
        (json!({ "kid": "EC-1" }), Reason::Key),
        (json!({ "kid": "rsa-1" }), Reason::Key),
        (json!({ "jku": ["https://ehr.example"] }), Reason::Header),
    ] {
        let refused = service.refused(&headed(changes.clone())).await;
        assert_eq!(refused, reason, "{changes}");
    }
}

/// Checklist 77: each is needed, of its type.
#[tokio::test]
async fn item_77_payload() {
    let service = Service::new(vec![ehr()]);
    for name in ["iss", "aud", "exp", "iat", "jti"] {
        for wrong in [
            Value::Null,
            json!(true),
            json!({}),
            json!([]),
            json!([null]),
            json!([1]),
            json!(""),
        ] {
            let token = says(json!({ name: wrong }));
            let reason = service.refused(&token).await;
            // An empty `aud` is a text, and no address.
            let aud = name == "aud" && wrong == "";
            let wanted = if aud {
                Reason::Audience
            } else {
                Reason::Malformed
            };
            assert_eq!(reason, wanted, "{name}: {wrong}");
        }
    }
    for (name, wrong) in [
        ("exp", json!((NOW + 300).to_string())),
        ("iat", json!(NOW.to_string())),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!(9_223_372_036_854_775_807_i64)),
        ("iat", json!(18_446_744_073_709_551_615_u64)),
        ("nbf", json!("0")),
        ("jti", json!(5)),
        ("jti", json!("x".repeat(257))),
        ("jti", json!("a\u{0}b")),
        ("iss", json!(["https://ehr.example/fhir"])),
        ("iss", json!("x".repeat(3000))),
        ("aud", json!(5)),
        ("aud", json!({ "0": CALLED })),
        ("aud", json!([CALLED, 5])),
        ("tenant", json!(5)),
        ("tenant", json!("")),
        ("sub", json!(["x"])),
    ] {
        let reason = service.refused(&says(json!({ name: wrong }))).await;
        assert_eq!(reason, Reason::Malformed, "{name}: {wrong}");
    }
    // RFC 7519 §2 allows parts of seconds.
    let token = says(json!({ "iat": 1_799_999_999.5, "exp": 1_800_000_200.25 }));
    service.call(&token).await.unwrap();
    service
        .call(&says(json!({ "other": { "a": 1 } })))
        .await
        .unwrap();
}

/// Checklist 71 and 78: discovery, call and feedback each have their own; a text or a list.
#[tokio::test]
async fn item_78_aud_is_the_address_called_as_text_or_list() {
    let service = Service::new(vec![ehr()]);
    let endpoints = [
        (Endpoint::discovery(), "/cds-services"),
        (Endpoint::call("a1c"), "/cds-services/a1c"),
        (Endpoint::feedback("a1c"), "/cds-services/a1c/feedback"),
    ];
    for (endpoint, path) in &endpoints {
        let address = format!("{BASE}{path}");
        for aud in [json!(address), json!([address]), json!(["urn:x", address])] {
            let token = says(json!({ "aud": aud }));
            let called = service.request(Some(&token), None, endpoint, NOW).await;
            called.unwrap();
        }
        for (_, wrong) in endpoints.iter().filter(|(_, other)| other != path) {
            let token = says(json!({ "aud": format!("{BASE}{wrong}") }));
            let called = service.request(Some(&token), None, endpoint, NOW).await;
            assert_eq!(called.unwrap_err().reason, Reason::Audience);
        }
    }
    // The base alone, or what the client was promised, only where that is configured.
    let (base, own) = (
        says(json!({ "aud": BASE })),
        says(json!({ "aud": "tandem" })),
    );
    assert_eq!(service.refused(&base).await, Reason::Audience);
    assert_eq!(service.refused(&own).await, Reason::Audience);
    let mut security = security(vec![ehr()]);
    security.base_audience = true;
    security.clients[0].audiences = vec!["tandem".into()];
    let service = Service::of(&security);
    service.call(&base).await.unwrap();
    service.call(&own).await.unwrap();
}

/// Checklist 83: clocks differ; a token is good for a short time.
#[tokio::test]
async fn item_83_times_with_leeway_and_a_cap() {
    let service = Service::new(vec![ehr()]);
    let times = |iat: i64, exp: i64| says(json!({ "iat": NOW + iat, "exp": NOW + exp }));
    for (iat, exp) in [
        (0, 300),
        (-3600, 0),
        (-300, -59),
        (60, 300),
        (0, 3600),
        (0, 1),
    ] {
        let called = service.call(&times(iat, exp)).await;
        assert!(called.is_ok(), "{iat} {exp}: {called:?}");
    }
    for (iat, exp) in [
        (-300, -60),
        (-300, -61),
        (-3600, -3000),
        (61, 300),
        (0, 3601),
        (-1, 3600),
        (0, 0),
        (10, 5),
        (0, 10_000_000),
    ] {
        let reason = service.refused(&times(iat, exp)).await;
        assert_eq!(reason, Reason::Time, "{iat} {exp}");
    }
    service
        .call(&says(json!({ "nbf": NOW + 60 })))
        .await
        .unwrap();
    service
        .call(&says(json!({ "nbf": NOW - 9 })))
        .await
        .unwrap();
    assert_eq!(
        service.refused(&says(json!({ "nbf": NOW + 61 }))).await,
        Reason::Time
    );

    let client = Client {
        max_lifetime_seconds: Some(120),
        ..ehr()
    };
    let short = Service::new(vec![client]);
    short.call(&times(0, 120)).await.unwrap();
    assert_eq!(short.refused(&times(0, 121)).await, Reason::Time);

    let mut security = security(vec![ehr()]);
    security.policy = Policy {
        leeway_seconds: 0,
        max_lifetime_seconds: 60,
        ..Policy::default()
    };
    let strict = Service::of(&security);
    strict.call(&times(0, 60)).await.unwrap();
    for (iat, exp) in [(1, 60), (0, 61), (-60, 0)] {
        assert_eq!(strict.refused(&times(iat, exp)).await, Reason::Time);
    }
}

/// Checklist 82 and 83: a token is good for one call, of its issuer, and also where two come at once.
#[tokio::test]
async fn item_82_a_token_is_good_once() {
    let service = Service::new(vec![ehr(), other()]);
    let token = good();
    service.call(&token).await.unwrap();
    assert_eq!(service.refused(&token).await, Reason::Replay);
    // Signed anew, with the same `jti`.
    let used = payload();
    service.call(&EC.sign(&EC.header(), &used)).await.unwrap();
    let again = service.refused(&EC.sign(&EC.header(), &used)).await;
    assert_eq!(again, Reason::Replay);
    // Another issuer has its own.
    let theirs = with(used, json!({ "iss": OTHER_ISS }));
    service
        .call(&OTHER.sign(&OTHER.header(), &theirs))
        .await
        .unwrap();
    // Until it expires: at any moment at which it would be taken otherwise.
    let token = good();
    service.call_at(&token, NOW).await.unwrap();
    for later in [1, 299, 300, 359] {
        let denied = service.call_at(&token, NOW + later).await.unwrap_err();
        assert_eq!(denied.reason, Reason::Replay, "{later}");
    }
    let denied = service.call_at(&token, NOW + 360).await.unwrap_err();
    assert_eq!(denied.reason, Reason::Time);

    let token = good();
    let calls = (0..50).map(|_| service.call(&token));
    let mut taken = 0;
    for call in calls.collect::<Vec<_>>() {
        taken += usize::from(call.await.is_ok());
    }
    assert_eq!(taken, 1);
}

/// Checklist 83: servers share what is remembered, and their clocks differ by the leeway at most. The one that is
/// ahead forgets nothing that another would still take.
#[tokio::test]
async fn item_83_a_server_that_is_ahead_opens_no_replay() {
    let service = Service::new(vec![ehr()]);
    let token = says(json!({ "iat": NOW, "exp": NOW + 300 }));
    service.call_at(&token, NOW).await.unwrap();
    let last = NOW + 359;
    let ahead = last + 60;
    let later = says(json!({ "iat": ahead, "exp": ahead + 60 }));
    service.call_at(&later, ahead).await.unwrap();
    let denied = service.call_at(&token, last).await.unwrap_err();
    assert_eq!(denied.reason, Reason::Replay);
}

/// Checklist 83: a client that signs tokens without end keeps no other out.
#[tokio::test]
async fn item_83_one_client_cannot_use_up_the_room_of_others() {
    let mut security = security(vec![ehr(), other()]);
    security.policy.max_remembered = 10;
    let service = Service::of(&security);
    let mut taken = 0;
    for _ in 0..50 {
        taken += usize::from(service.call(&good()).await.is_ok());
    }
    assert_eq!(taken, 5);
    let theirs = || with(payload(), json!({ "iss": OTHER_ISS }));
    for _ in 0..5 {
        let token = OTHER.sign(&OTHER.header(), &theirs());
        service.call(&token).await.unwrap();
    }
}

/// Nobody can use up the `jti` of another: it counts once the signature does.
#[tokio::test]
async fn item_82_a_refused_token_uses_up_nothing() {
    let service = Service::new(vec![ehr()]);
    let payload = payload();
    let forged = crate::fixture::EVIL.sign(&EC.header(), &payload);
    assert_eq!(service.refused(&forged).await, Reason::Signature);
    let early = with(payload.clone(), json!({ "aud": BASE }));
    let reason = service.refused(&EC.sign(&EC.header(), &early)).await;
    assert_eq!(reason, Reason::Audience);
    assert_eq!(service.replay.counts().0, 0);
    service
        .call(&EC.sign(&EC.header(), &payload))
        .await
        .unwrap();
}

/// Checklist 83: where no more can be remembered, no more is let in; those outside are told 503.
#[tokio::test]
async fn item_83_a_full_store_refuses() {
    let mut security = security(vec![ehr()]);
    security.policy.max_remembered = 2;
    let service = Service::of(&security);
    let first = good();
    service.call(&first).await.unwrap();
    service.call(&good()).await.unwrap();
    let denied = service.call(&good()).await.unwrap_err();
    assert_eq!(denied.reason, Reason::ReplayStore);
    assert_eq!(denied.answer(), Answer::Unavailable);
    assert_eq!(service.refused(&first).await, Reason::Replay);
    assert_eq!(service.replay.counts(), (2, 1));
}

/// Checklist 82: the first thing that is wrong is what is told to the log; those outside hear nothing.
#[tokio::test]
async fn item_82_order_of_checks_and_401_without_details() {
    let service = Service::new(vec![Client {
        tenants: vec!["north".into()],
        ..ehr()
    }]);
    let mut wrong = with(
        payload(),
        json!({ "iss": "https://nobody.example", "aud": "x", "exp": 1, "iat": 0, "tenant": "x" }),
    );
    let order = [
        (Reason::Issuer, json!({ "iss": ISS })),
        (Reason::Audience, json!({ "aud": CALLED })),
        (Reason::Time, json!({ "exp": NOW + 60, "iat": NOW })),
        (Reason::Tenant, json!({ "tenant": "north" })),
    ];
    for (reason, mended) in order {
        let denied = service
            .call(&crate::fixture::EVIL.sign(&EC.header(), &wrong))
            .await
            .unwrap_err();
        assert_eq!(denied.reason, reason, "{denied}");
        assert_eq!(denied.answer(), Answer::Unauthenticated);
        assert_eq!(denied.answer().status(), 401);
        assert!(
            denied.claimed.iss.is_some()
                && denied.claimed.jti_hash.is_some()
                && denied.claimed.tenant.is_some()
        );
        assert!(!denied.to_string().contains(wrong["jti"].as_str().unwrap()));
        wrong = with(wrong, mended);
    }
    let forged = crate::fixture::EVIL.sign(&EC.header(), &wrong);
    assert_eq!(service.refused(&forged).await, Reason::Signature);
    service.call(&EC.sign(&EC.header(), &wrong)).await.unwrap();
    assert_eq!(
        service.refused(&EC.sign(&EC.header(), &wrong)).await,
        Reason::Replay
    );
}

#[tokio::test]
async fn item_77_tenants() {
    let of = |tenants: &[&str]| {
        Service::new(vec![Client {
            tenants: tenants.iter().map(|t| (*t).to_owned()).collect(),
            ..ehr()
        }])
    };
    let says = |tenant: Value| says(json!({ "tenant": tenant }));
    let tenant = async |service: &Service, token: &str| {
        let caller = service.call(token).await.map_err(|denied| denied.reason)?;
        Ok(caller.tenant.map(|tenant| tenant.to_string()))
    };
    let (none, one, two) = (of(&[]), of(&["north"]), of(&["north", "south"]));
    assert_eq!(tenant(&none, &good()).await, Ok(None));
    assert_eq!(tenant(&none, &says(json!("north"))).await, Ok(None));
    assert_eq!(tenant(&one, &good()).await, Ok(Some("north".into())));
    assert_eq!(
        tenant(&one, &says(json!("north"))).await,
        Ok(Some("north".into()))
    );
    assert_eq!(
        tenant(&one, &says(json!("south"))).await,
        Err(Reason::Tenant)
    );
    assert_eq!(
        tenant(&one, &says(json!("North"))).await,
        Err(Reason::Tenant)
    );
    assert_eq!(
        tenant(&two, &says(json!("south"))).await,
        Ok(Some("south".into()))
    );
    assert_eq!(
        tenant(&two, &says(json!("west"))).await,
        Err(Reason::Tenant)
    );
    assert_eq!(tenant(&two, &good()).await, Err(Reason::Tenant));
}

/// Roles of the configuration, and of a claim.
#[tokio::test]
async fn roles_by_client_and_by_claim() {
    let role_claim = |claim| {
        Some(RoleClaim {
            claim,
            map: [
                ("cds-audit".into(), "auditor".into()),
                ("pharm".into(), "drugs".into()),
            ]
            .into(),
        })
    };
    let mut security = security(vec![Client {
        role_claim: role_claim(ClaimPath::Path(vec!["realm".into(), "roles".into()])),
        ..ehr()
    }]);
    security.roles.push(Role {
        name: "drugs".into(),
        may: [Action::Call].into(),
        services: Some(vec!["a1c".into()]),
    });
    let service = Service::of(&security);
    let ask = async |changes: Value, endpoint: Endpoint| {
        let changes = with(
            changes,
            json!({ "aud": format!("{BASE}{}", endpoint.path) }),
        );
        let token = says(changes);
        let called = service.request(Some(&token), None, &endpoint, NOW).await;
        called
            .map(|caller| caller.roles)
            .map_err(|denied| (denied.reason, denied.answer()))
    };
    let audit = || Endpoint::other(Action::Audit, "/audit");
    let no = Err((Reason::Role, Answer::Forbidden));
    // With a claim configured, and none in the token: nothing.
    assert_eq!(ask(json!({}), Endpoint::call("a1c")).await, no);
    assert_eq!(
        ask(json!({ "realm": { "roles": "x" } }), Endpoint::call("a1c")).await,
        no
    );
    assert_eq!(
        ask(json!({ "realm.roles": "pharm" }), Endpoint::call("a1c")).await,
        no
    );
    assert_eq!(
        ask(json!({ "realm": "pharm" }), Endpoint::call("a1c")).await,
        no
    );
    let both = json!({ "realm": { "roles": ["cds-audit", "pharm", 5] } });
    let roles = ask(both.clone(), audit()).await.unwrap();
    assert_eq!(
        roles.iter().map(|r| &**r).collect::<Vec<_>>(),
        ["auditor", "drugs"]
    );
    let words = json!({ "realm": { "roles": "x  pharm" } });
    assert!(ask(words.clone(), Endpoint::call("a1c")).await.is_ok());
    assert_eq!(ask(words.clone(), Endpoint::call("a1c-2")).await, no);
    assert_eq!(ask(words.clone(), Endpoint::feedback("a1c")).await, no);
    assert!(ask(words.clone(), Endpoint::discovery()).await.is_ok());
    assert_eq!(ask(words, audit()).await, no);
    // Without a map what the claim says is the role.
    security.clients[0].role_claim = Some(RoleClaim {
        claim: ClaimPath::Member("https://ehr.example/roles".into()),
        map: [].into(),
    });
    let named = Service::of(&security);
    let token = |roles: &str| says(json!({ "https://ehr.example/roles": roles }));
    assert!(named.call(&token("ehr")).await.is_ok());
    assert_eq!(named.refused(&token("auditor root")).await, Reason::Role);
    security.clients[0].role_claim =
        role_claim(ClaimPath::Path(vec!["realm".into(), "roles".into()]));
    // Both together.
    security.clients[0].roles = Some(vec!["ehr".into()]);
    let service = Service::of(&security);
    let token = says(json!({ "aud": format!("{BASE}/audit"), "realm": { "roles": "cds-audit" } }));
    let caller = service
        .request(Some(&token), None, &audit(), NOW)
        .await
        .unwrap();
    assert!(caller.permissions.allows(Action::Call, Some("other")));
    assert!(service.call(&good()).await.is_ok());
}

/// Checklist 80: by `kid`; without one only where there is no doubt.
#[tokio::test]
async fn item_80_without_kid_the_one_key_that_fits() {
    let token = || headed(json!({ "kid": null }));
    // One of each kind.
    let service = Service::new(vec![ehr()]);
    service.call(&token()).await.unwrap();
    let keys = Some(key_set(&[&EC, &OTHER]));
    let service = Service::new(vec![Client { keys, ..ehr() }]);
    assert_eq!(service.refused(&token()).await, Reason::Key);
    service.call(&good()).await.unwrap();
    // A key without a `kid` is no key for a token with one.
    let keys = Some(without_kid(&[&EC]));
    let service = Service::new(vec![Client { keys, ..ehr() }]);
    service.call(&token()).await.unwrap();
    assert_eq!(service.refused(&good()).await, Reason::Key);
}

/// Checklist 75: without a token nobody comes in, to discovery neither, nor learns what there is.
#[tokio::test]
async fn item_75_no_token_no_entry() {
    let service = Service::new(vec![ehr()]);
    let feedback = Endpoint::feedback("a1c");
    let unknown = Endpoint::call("no-such-service");
    for endpoint in [
        Endpoint::discovery(),
        Endpoint::call("a1c"),
        unknown,
        feedback,
    ] {
        let denied = service
            .request(None, None, &endpoint, NOW)
            .await
            .unwrap_err();
        assert_eq!(denied.reason, Reason::Missing);
        assert_eq!(denied.answer(), Answer::Unauthenticated);
    }
}

/// What a token says of its user is for the audit.
#[tokio::test]
async fn subject_is_kept_for_the_audit() {
    let service = Service::new(vec![ehr()]);
    let caller = service
        .call(&says(json!({ "sub": "Practitioner/7" })))
        .await;
    assert_eq!(caller.unwrap().subject.as_deref(), Some("Practitioner/7"));
    let token = EC.sign(&EC.header(), &claims(ISS, CALLED, &jti(), NOW));
    assert_eq!(service.call(&token).await.unwrap().subject, None);
}
