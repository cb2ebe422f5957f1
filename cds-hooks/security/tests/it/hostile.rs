//! Tokens that were made to come in without a right to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cds_security::testing::{TestKey, key_set};
use cds_security::{Algorithm, Answer, Client, Endpoint, Presented, Reason};
use serde_json::{Value, json};

use crate::fixture::{
    BASE, EC, EVIL, ISS, JKU, NOW, OTHER, OTHER_ISS, RSA, Service, ehr, good, headed, other,
    payload, says, with,
};

fn part(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// HMAC (RFC 2104) is what an attacker has, too.
fn hs(bits: u32, secret: &[u8], message: &str) -> String {
    use aws_lc_rs::hmac;
    let algorithm = match bits {
        256 => hmac::HMAC_SHA256,
        384 => hmac::HMAC_SHA384,
        _ => hmac::HMAC_SHA512,
    };
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes());
    URL_SAFE_NO_PAD.encode(tag.as_ref())
}

/// Checklist 79: no signature, in all spellings, is none.
#[tokio::test]
async fn item_79_alg_none_is_refused() {
    let service = Service::new(vec![ehr()]);
    for none in ["none", "None", "NONE", "nOnE", "", "null", "none "] {
        let header = with(EC.header(), json!({ "alg": none })).to_string();
        let message = format!("{}.{}", part(&header), part(&payload().to_string()));
        let signed = EC.sign_text(&header, &payload().to_string());
        let tokens = [format!("{message}."), format!("{message}.AA"), signed];
        for token in tokens {
            assert_eq!(service.refused(&token).await, Reason::Header, "{none}");
        }
    }
    // A good header, and no signature.
    let message = good();
    let (message, _) = message.rsplit_once('.').unwrap();
    assert_eq!(
        service.refused(&format!("{message}.")).await,
        Reason::Signature
    );
    assert_eq!(service.refused(message).await, Reason::Malformed);
}

/// Checklist 79: a symmetric algorithm, with the public key for a secret.
#[tokio::test]
async fn item_79_hs_signed_with_the_public_key_is_refused() {
    let service = Service::new(vec![ehr()]);
    for key in [&*EC, &*RSA] {
        let jwk = key.jwk();
        let secrets = [
            key.public_pem().into_bytes(),
            jwk.to_string().into_bytes(),
            jwk["x"].to_string().into_bytes(),
            vec![],
        ];
        for bits in [256, 384, 512] {
            let header = with(key.header(), json!({ "alg": format!("HS{bits}") }));
            let message = format!(
                "{}.{}",
                part(&header.to_string()),
                part(&payload().to_string())
            );
            for secret in &secrets {
                let token = format!("{message}.{}", hs(bits, secret, &message));
                assert_eq!(service.refused(&token).await, Reason::Header);
            }
        }
    }
    // A symmetric key in a key set is none.
    let oct = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0", "kid": "h" }, EC.jwk()] });
    let service = Service::new(vec![Client {
        keys: Some(oct),
        ..ehr()
    }]);
    let header = json!({ "alg": "HS256", "kid": "h", "typ": "JWT" });
    let message = format!(
        "{}.{}",
        part(&header.to_string()),
        part(&payload().to_string())
    );
    let token = format!("{message}.{}", hs(256, b"secret", &message));
    assert_eq!(service.refused(&token).await, Reason::Header);
    service.call(&good()).await.unwrap();
}

/// A key is for its algorithm: none that it says it is for another, and none of another kind.
#[tokio::test]
async fn item_80_key_confusion_is_refused() {
    let p256 = TestKey::new(Algorithm::ES256, "p256");
    let keys = Some(key_set(&[&EC, &RSA, &p256]));
    let algorithms = Some(vec![Algorithm::ES256, Algorithm::ES384, Algorithm::RS384]);
    let service = Service::new(vec![Client {
        keys,
        algorithms,
        ..ehr()
    }]);
    for (alg, kid) in [
        ("ES384", "rsa-1"),
        ("RS384", "ec-1"),
        ("ES384", "p256"),
        ("ES256", "ec-1"),
    ] {
        for signer in [&*EC, &*RSA, &p256] {
            let token = signer.sign(&json!({ "alg": alg, "kid": kid, "typ": "JWT" }), &payload());
            assert_eq!(service.refused(&token).await, Reason::Key, "{alg} {kid}");
        }
    }
    // The right key, and the signature of another.
    for (alg, kid, signer) in [
        ("ES384", "ec-1", &*RSA),
        ("RS384", "rsa-1", &*EC),
        ("ES384", "ec-1", &p256),
        ("ES256", "p256", &*EC),
    ] {
        let token = signer.sign(&json!({ "alg": alg, "kid": kid, "typ": "JWT" }), &payload());
        assert_eq!(
            service.refused(&token).await,
            Reason::Signature,
            "{alg} {kid}"
        );
    }
    // A key set whose keys lie about themselves.
    for lie in [
        with(EC.jwk(), json!({ "alg": "RS384" })),
        with(EC.jwk(), json!({ "alg": "ES256" })),
        with(EC.jwk(), json!({ "alg": "none" })),
        with(EC.jwk(), json!({ "use": "enc" })),
        with(EC.jwk(), json!({ "key_ops": ["sign"] })),
        with(EC.jwk(), json!({ "crv": "P-256" })),
        with(EC.jwk(), json!({ "kty": "RSA" })),
        with(EC.jwk(), json!({ "kty": "oct" })),
        with(EC.jwk(), json!({ "d": "AAAA" })),
        with(EC.jwk(), json!({ "x": EC.jwk()["y"] })),
    ] {
        let keys = Some(json!({ "keys": [lie, OTHER.jwk()] }));
        let service = Service::new(vec![Client { keys, ..ehr() }]);
        let reason = service.refused(&good()).await;
        assert!(
            matches!(reason, Reason::Key | Reason::Signature),
            "{lie}: {reason:?}"
        );
    }
}

/// Signatures that some libraries took for good: of zeros, of the order of the curve, in another form.
#[tokio::test]
async fn item_82_signatures_of_zeros_or_in_another_form_are_refused() {
    let service = Service::new(vec![ehr()]);
    let message = good();
    let (message, signature) = message.rsplit_once('.').unwrap();
    let order = [
        &[0xff; 24][..],
        &[
            0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0,
            0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
        ],
    ]
    .concat();
    let whole = URL_SAFE_NO_PAD.decode(signature).unwrap();
    // ASN.1, as certificates have it.
    let mut der = vec![0x30, 0x64, 0x02, 0x30];
    der.extend(&whole[..48]);
    der.extend([0x02, 0x30]);
    der.extend(&whole[48..]);
    for forged in [
        vec![0; 96],
        order.repeat(2),
        [vec![0; 47], vec![1], vec![0; 47], vec![1]].concat(),
        whole[..95].to_vec(),
        [&whole[..], &[0]].concat(),
        whole.repeat(2),
        der,
    ] {
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(&forged));
        assert_eq!(
            service.refused(&token).await,
            Reason::Signature,
            "{forged:?}"
        );
    }
    service
        .call(&format!("{message}.{signature}"))
        .await
        .unwrap();
}

/// RFC 7518 §3.3: keys that can be broken are none.
#[tokio::test]
async fn item_80_short_rsa_keys_are_left_out() {
    let jwk = RSA.jwk();
    let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    for (changes, why) in [
        (json!({ "n": URL_SAFE_NO_PAD.encode(&n[..128]) }), "bits"),
        (json!({ "n": URL_SAFE_NO_PAD.encode(n.repeat(5)) }), "bits"),
        (json!({ "n": "" }), "bits"),
        (json!({ "n": "+/+/" }), "base64url"),
        (json!({ "e": "AQ" }), "exponent"),
        (json!({ "e": "Ag" }), "exponent"),
        (json!({ "e": "AQABAQABAQAB" }), "exponent"),
    ] {
        let set = json!({ "keys": [with(jwk.clone(), changes.clone())] });
        let error = cds_security::KeySet::of(&set).unwrap_err();
        assert!(error.contains(why), "{changes}: {error}");
    }
    // A zero too many at the front is what Java writes.
    let mut padded = vec![0];
    padded.extend(&n);
    let padded = json!({ "n": URL_SAFE_NO_PAD.encode(padded) });
    let keys = Some(json!({ "keys": [with(jwk, padded)] }));
    let service = Service::new(vec![Client { keys, ..ehr() }]);
    service
        .call(&RSA.sign(&RSA.header(), &payload()))
        .await
        .unwrap();
}

/// Checklist 81: an address that is not on the list is never asked, whatever it is.
#[tokio::test]
async fn item_81_jku_not_on_the_list_is_refused_and_not_fetched() {
    let client = Client {
        keys: None,
        jku: vec![JKU.into()],
        ..ehr()
    };
    let service = Service::new(vec![client, other()]);
    let set = key_set(&[&EVIL]);
    let attackers = [
        "https://evil.example/jwks.json",
        "https://ehr.example/.well-known/jwks.json/",
        "https://ehr.example/.well-known/jwks.json?x=1",
        "https://ehr.example/.well-known/jwks.json#x",
        "https://ehr.example/.well-known/../evil/jwks.json",
        "https://ehr.example//.well-known/jwks.json",
        "https://ehr.example/.well-known/./jwks.json",
        "https://ehr.example/.well-known/%6awks.json",
        "https://ehr.example/.WELL-KNOWN/jwks.json",
        "https://ehr.example:8443/.well-known/jwks.json",
        "https://ehr.example./.well-known/jwks.json",
        "https://ehr.example%2f.evil.example/.well-known/jwks.json",
        "https://\u{ff45}hr.example/.well-known/jwks.json",
        "https://ehr.example@evil.example/.well-known/jwks.json",
        "https://evil.example/.well-known/jwks.json#https://ehr.example/.well-known/jwks.json",
        "https://evil.example\\@ehr.example/.well-known/jwks.json",
        "http://ehr.example/.well-known/jwks.json",
        "http://127.0.0.1:8080/jwks.json",
        "http://[::1]/jwks.json",
        "http://localhost/jwks.json",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "file:///etc/passwd",
        "data:application/json,{}",
        " https://ehr.example/.well-known/jwks.json",
    ];
    for jku in attackers {
        service.web.put(jku, &set);
        for header in [
            with(EVIL.header(), json!({ "jku": jku })),
            with(EVIL.header(), json!({ "jku": jku, "kid": null })),
        ] {
            let token = EVIL.sign(&header, &payload());
            assert_eq!(
                service.refused(&token).await,
                Reason::KeySetAddress,
                "{jku}"
            );
            // The list is that of the issuer, not of all.
            let token = EVIL.sign(&header, &with(payload(), json!({ "iss": OTHER_ISS })));
            assert_eq!(
                service.refused(&token).await,
                Reason::KeySetAddress,
                "{jku}"
            );
        }
    }
    assert_eq!(service.web.asked(), 0);
    // The one on the list of another client.
    let token = OTHER.sign(
        &with(OTHER.header(), json!({ "jku": JKU })),
        &with(payload(), json!({ "iss": OTHER_ISS })),
    );
    assert_eq!(service.refused(&token).await, Reason::KeySetAddress);
    assert_eq!(service.web.asked(), 0);
    service.web.put(JKU, &key_set(&[&EC]));
    service.call(&headed(json!({ "jku": JKU }))).await.unwrap();
    assert_eq!(service.web.asked(), 1);
    // The same address in other letters is the one on the list, and that one is known by now.
    for same in [
        "https://EHR.example",
        "HTTPS://ehr.example",
        "https://ehr.example:443",
    ] {
        let jku = format!("{same}/.well-known/jwks.json");
        let token = headed(json!({ "jku": jku }));
        service.call(&token).await.unwrap();
    }
    assert_eq!(service.web.asked(), 1);
}

/// Keys that come with the token are the attacker's.
#[tokio::test]
async fn item_80_no_key_is_taken_from_a_token() {
    let service = Service::new(vec![ehr()]);
    for changes in [
        json!({ "jwk": EVIL.jwk() }),
        json!({ "jwk": EVIL.jwk(), "kid": null }),
        json!({ "x5u": "https://evil.example/cert.pem" }),
        json!({ "x5c": ["MIIB"] }),
        json!({ "jwks": key_set(&[&EVIL]) }),
    ] {
        let token = EVIL.sign(&with(EVIL.header(), changes.clone()), &payload());
        let reason = service.refused(&token).await;
        assert!(
            matches!(reason, Reason::Signature | Reason::Key),
            "{changes}: {reason:?}"
        );
        // They do no harm beside a good signature.
        let fine = with(changes, json!({ "kid": "ec-1" }));
        service.call(&headed(fine)).await.unwrap();
    }
}

/// A `kid` is a name and nothing else.
#[tokio::test]
async fn item_80_kid_is_no_path_and_no_query() {
    let client = Client {
        jku: vec![JKU.into()],
        ..ehr()
    };
    let service = Service::new(vec![client]);
    service.web.put(JKU, &key_set(&[&EC]));
    for kid in [
        "../../../../dev/null",
        "/etc/passwd",
        "file:///dev/null",
        "ec-1' OR '1'='1",
        "ec-1; DROP TABLE jti",
        "| cat /etc/passwd",
        "%65c-1",
        "ec-1 ",
        " ec-1",
        "*",
        "https://evil.example/key",
    ] {
        let token = EVIL.sign(&with(EVIL.header(), json!({ "kid": kid })), &payload());
        assert_eq!(service.refused(&token).await, Reason::Key, "{kid}");
    }
    for kid in ["ec-1\u{0}", "ec\r\n-1", &"x".repeat(300)] {
        let token = EVIL.sign(&with(EVIL.header(), json!({ "kid": kid })), &payload());
        assert_eq!(service.refused(&token).await, Reason::Header, "{kid}");
    }
    assert_eq!(service.web.asked(), 3, "for all of them together");
}

/// One client cannot speak for another.
#[tokio::test]
async fn item_81_iss_of_another_client_is_refused() {
    let service = Service::new(vec![ehr(), other()]);
    let theirs = with(payload(), json!({ "iss": OTHER_ISS }));
    service
        .call(&OTHER.sign(&OTHER.header(), &theirs))
        .await
        .unwrap();
    let theirs = with(payload(), json!({ "iss": OTHER_ISS }));
    for kid in ["ec-1", "other-1"] {
        let header = with(EC.header(), json!({ "kid": kid }));
        let reason = service.refused(&EC.sign(&header, &theirs)).await;
        assert!(matches!(reason, Reason::Key | Reason::Signature));
    }
    for iss in [
        "https://ehr.example/fhir/",
        "https://EHR.example/fhir",
        "https://ehr.example/fhir ",
        " https://ehr.example/fhir",
        "https://ehr.example/fhi",
        "*",
        "https://nobody.example",
    ] {
        let token = says(json!({ "iss": iss }));
        assert_eq!(service.refused(&token).await, Reason::Issuer, "{iss}");
    }
}

/// RFC 7515 §4.1.11, RFC 7797, RFC 7519 §5.2: nothing that changes how a token is read.
#[tokio::test]
async fn item_76_crit_b64_and_nested_tokens_are_refused() {
    let service = Service::new(vec![ehr()]);
    for changes in [
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "crit": ["b64"], "b64": true }),
        json!({ "b64": false }),
        json!({ "crit": [] }),
        json!({ "crit": ["exp"], "exp": 1 }),
        json!({ "crit": ["http://example.org/x"] }),
        json!({ "crit": "b64" }),
        json!({ "cty": "JWT" }),
        json!({ "enc": "A256GCM" }),
        json!({ "zip": "DEF" }),
    ] {
        let token = headed(changes.clone());
        assert_eq!(service.refused(&token).await, Reason::Header, "{changes}");
    }
    // A token inside a token.
    let nested = EC.sign_text(&EC.header().to_string(), &good());
    assert_eq!(service.refused(&nested).await, Reason::Malformed);
    let nested = EC.sign_text(&EC.header().to_string(), &json!(good()).to_string());
    assert_eq!(service.refused(&nested).await, Reason::Malformed);
    // JWE has five parts.
    assert_eq!(
        service.refused(&format!("{}.AA.AA", good())).await,
        Reason::Malformed
    );
}

/// One reader takes the first of two members, another the last.
#[tokio::test]
async fn item_77_members_that_stand_twice_are_refused() {
    let service = Service::new(vec![ehr()]);
    let (header, payload) = (EC.header().to_string(), payload().to_string());
    let twice = |text: &str, more: &str| format!("{},{more}}}", &text[..text.len() - 1]);
    for more in [
        r#""alg":"none""#,
        r#""alg":"ES384""#,
        r#""kid":"ec-1""#,
        r#""typ":"JWT""#,
    ] {
        let token = EC.sign_text(&twice(&header, more), &payload);
        assert_eq!(service.refused(&token).await, Reason::Malformed, "{more}");
    }
    for more in [
        format!(r#""iss":"{ISS}""#),
        format!(r#""exp":{}"#, NOW + 300),
        r#""jti":"other""#.to_owned(),
        r#""\u0069ss":"x""#.to_owned(),
        format!(r#""aud":"{BASE}""#),
    ] {
        let token = EC.sign_text(&header, &twice(&payload, &more));
        assert_eq!(service.refused(&token).await, Reason::Malformed, "{more}");
    }
}

/// What is no token at all.
#[tokio::test]
async fn item_83_malformed_and_huge_tokens_are_refused() {
    let service = Service::new(vec![ehr()]);
    let token = good();
    let [head, body, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts");
    };
    let padded = format!("{head}=.{body}.{signature}");
    let huge = says(json!({ "x": "x".repeat(20_000) }));
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(3000), "]".repeat(3000));
    let tokens = [
        "".to_owned(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "a.b.c".to_owned(),
        head.to_owned(),
        format!("{head}.{body}"),
        format!(".{body}.{signature}"),
        format!("{head}..{signature}"),
        format!("{token}.{signature}"),
        format!("{token} {token}"),
        format!("{token},{token}"),
        padded,
        huge,
        format!("{}.{body}.{signature}", part("[]")),
        format!("{}.{body}.{signature}", part("")),
        format!("{}.{body}.{signature}", part(&deep)),
        format!("{}.{body}.{signature}", part("{\"alg\":\"ES384\"")),
        EC.sign_text(&EC.header().to_string(), ""),
        EC.sign_text(&EC.header().to_string(), "null"),
        EC.sign_text(&EC.header().to_string(), &format!("{} {{}}", payload())),
        EC.sign_text(&format!("\u{feff}{}", EC.header()), &payload().to_string()),
    ];
    for token in tokens {
        let denied = service.call(&token).await.unwrap_err();
        assert_eq!(denied.reason, Reason::Malformed, "{token}");
    }
    // Every single change of a good token.
    for index in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(service.call(&changed).await.is_err(), "{index}");
    }
    service.call(&token).await.unwrap();
}

/// More than one `Authorization`, another scheme, letters that no token has.
#[tokio::test]
async fn item_75_authorization_headers() {
    let service = Service::new(vec![ehr()]);
    let ask = async |values: &[&[u8]]| {
        let presented = Presented {
            authorization: values,
            certificate: None,
        };
        let endpoint = Endpoint::call("a1c");
        let asked = service
            .authenticator
            .authenticate(&presented, &endpoint, NOW)
            .await;
        asked
            .map(|_| ())
            .map_err(|denied| (denied.reason, denied.answer()))
    };
    let value = |scheme: &str| format!("{scheme}{}", good()).into_bytes();
    for scheme in ["Bearer ", "bearer ", "BEARER ", "bEaReR  "] {
        assert_eq!(ask(&[&value(scheme)]).await, Ok(()), "{scheme}");
    }
    let refused = Err((Reason::Malformed, Answer::Unauthenticated));
    for scheme in [
        "",
        "Basic ",
        "DPoP ",
        "Bearer",
        "Bearer\t",
        "Bearer: ",
        "Token ",
        "Bearer Bearer ",
    ] {
        assert_eq!(ask(&[&value(scheme)]).await, refused, "{scheme}");
    }
    let one = value("Bearer ");
    assert_eq!(ask(&[&one, &one]).await, refused);
    assert_eq!(ask(&[&one, b""]).await, refused);
    assert_eq!(ask(&[&[&one[..], b"\xc3\xa4"].concat()]).await, refused);
    assert_eq!(ask(&[&[&one[..], b"\x00"].concat()]).await, refused);
    assert_eq!(ask(&[b"Bearer "]).await, refused);
    assert_eq!(ask(&[&one]).await, Ok(()), "used up by none of these");
}

/// The log gets what was sent in one short line.
#[tokio::test]
async fn item_82_what_the_log_gets_is_short_and_one_line() {
    let service = Service::new(vec![ehr()]);
    let nasty = "x\u{85}\u{2028}\u{202e}`evil`".to_owned() + &"y".repeat(1500);
    for changes in [
        json!({ "iss": nasty.replace('\u{85}', "") }),
        json!({ "aud": nasty }),
    ] {
        let denied = service.call(&says(changes)).await.unwrap_err();
        let line = denied.to_string();
        assert!(line.chars().count() < 800, "{line}");
        assert!(
            !line
                .chars()
                .any(|c| c.is_control() || c == '\u{2028}' || c == '\u{202e}'),
            "{line}"
        );
    }
    let value: Value = json!({ "kid": "\u{7}" });
    let denied = service.call(&headed(value)).await.unwrap_err();
    assert!(!denied.to_string().contains('\u{7}'));
}
