//! Tokens at random: never a panic, never let in.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cds_security::{Endpoint, Presented};
use serde_json::{Map, Value, json};

use crate::fixture::{BASE, CALLED, EC, EVIL, ISS, JKU, NOW, RSA, Service, ehr, good, payload};

/// The same numbers in each run (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).unwrap()
    }

    fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 9 } else { 11 }) {
            0 => Value::Null,
            1 => json!(self.next().is_multiple_of(2)),
            2 => json!(self.next()),
            3 => json!(i64::try_from(self.next() >> 1).unwrap() - (1 << 62)),
            4 => json!(self.next() as f64 / 1e3),
            5 => json!(NOW),
            6 => json!(""),
            7 => json!(*self.one(&[
                ISS, CALLED, BASE, JKU, "ES384", "none", "JWT", "ec-1", "b64"
            ])),
            8 => {
                let length = self.below(20);
                let text = (0..length).map(|_| {
                    char::from_u32(u32::try_from(self.next() % 0x3000).unwrap()).unwrap_or('x')
                });
                json!(text.collect::<String>())
            }
            9 => json!([self.value(depth - 1), self.value(depth - 1)]),
            _ => json!({ "a": self.value(depth - 1) }),
        }
    }

    /// An object with one to three members that are not what they should be.
    fn spoiled(&mut self, object: &Value, names: &[&str]) -> Value {
        let mut members: Map<String, Value> = object.as_object().unwrap().clone();
        for _ in 0..=self.below(3) {
            let name = *self.one(names);
            match self.below(4) {
                0 => members.remove(name),
                _ => members.insert(name.to_owned(), self.value(3)),
            };
        }
        Value::Object(members)
    }
}

const HEADER: [&str; 10] = [
    "alg", "kid", "typ", "jku", "crit", "b64", "cty", "jwk", "x5c", "zip",
];
const PAYLOAD: [&str; 8] = ["iss", "aud", "exp", "iat", "nbf", "jti", "tenant", "sub"];

/// Acceptance 4, for tokens. Those of the first half are signed by an attacker, and everything else may
/// be right; those of the second are good ones with bytes changed.
#[tokio::test]
async fn ten_thousand_tokens_at_random_are_refused() {
    let service = Service::new(vec![ehr()]);
    let mut random = Random(0x5eed);
    let mut reasons = HashSet::new();
    let token = good();
    for count in 0..10_000 {
        let text = match count % 5 {
            0 | 1 => {
                let header = random.spoiled(&EC.header(), &HEADER);
                let payload = random.spoiled(&payload(), &PAYLOAD);
                EVIL.sign(&header, &payload)
            }
            2 => {
                // A whole signature of the EHR, of another message.
                let header = random.spoiled(&EC.header(), &HEADER).to_string();
                let payload = random.spoiled(&payload(), &PAYLOAD).to_string();
                let [header, payload] = [header, payload].map(|t| URL_SAFE_NO_PAD.encode(t));
                let signature = token.rsplit('.').next().unwrap();
                format!("{header}.{payload}.{signature}")
            }
            3 => {
                let mut bytes = token.clone().into_bytes();
                for _ in 0..=random.below(4) {
                    let at = random.below(bytes.len());
                    match random.below(3) {
                        0 => drop(bytes.remove(at)),
                        1 => bytes.insert(at, u8::try_from(random.next() % 128).unwrap()),
                        _ => bytes[at] ^= u8::try_from(1 + random.next() % 127).unwrap(),
                    }
                }
                String::from_utf8(bytes).unwrap()
            }
            _ => {
                let length = random.below(3000);
                let bytes = (0..length).map(|_| *random.one(b"eyJhbGciOi.-_AZaz09+/= \t"));
                String::from_utf8(bytes.collect()).unwrap()
            }
        };
        if text == token {
            continue;
        }
        let value = format!("Bearer {text}");
        let presented = Presented {
            authorization: &[value.as_bytes()],
            certificate: None,
        };
        let endpoint = Endpoint::call("a1c");
        let asked = service
            .authenticator
            .authenticate(&presented, &endpoint, NOW)
            .await;
        reasons.insert(asked.expect_err(&text).reason);
    }
    assert!(reasons.len() >= 7, "not at random: {reasons:?}");
    assert_eq!(service.replay.counts(), (0, 0));
    assert_eq!(service.web.asked(), 0);
    // All this time it was open to those who may come in.
    service.call(&token).await.unwrap();
    service
        .call(&RSA.sign(&RSA.header(), &payload()))
        .await
        .unwrap();
}

/// Random payloads with a good signature of a client that is not to be trusted with more than its own:
/// it gets in as itself or not at all.
#[tokio::test]
async fn a_client_that_signs_nonsense_is_nobody_else() {
    let service = Service::new(vec![ehr(), crate::fixture::other()]);
    let mut random = Random(0xc11e);
    let mut taken = 0;
    for _ in 0..2000 {
        let token = EC.sign(&EC.header(), &random.spoiled(&payload(), &PAYLOAD));
        if let Ok(caller) = service.call(&token).await {
            assert_eq!(&*caller.client, "ehr");
            assert_eq!(caller.tenant, None);
            taken += 1;
        }
    }
    assert!(taken > 10, "what does not matter may be anything: {taken}");
}
