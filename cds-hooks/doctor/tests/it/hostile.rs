//! Hostile requests at Tandem's own service, over sockets: acceptance 4 of the service.
//!
//! `HOSTILE_REQUESTS` says how many, by default 2,000; `HOSTILE_SEED` what they are made from.

use cds_doctor::hostile::{Attack, attack};

use crate::broken::options;
use crate::model::Model;
use crate::ours::serve;

/// Memory that may come on top while thousands of requests are answered, client included, in bytes.
const MORE: u64 = 400 << 20;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(otherwise)
}

/// Resident memory of this process, client and service, in bytes; 0 where it cannot be told.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_brings_it_down_or_leads_it_astray() {
    let (requests, seed) = (number("HOSTILE_REQUESTS", 2000), number("HOSTILE_SEED", 1));
    let (at, lines) = serve().await;
    let mut options = options(&format!("http://{at}"));
    options.seed = seed;
    // Rules compile at their first call: that is no growth.
    let how = |requests| Attack {
        requests,
        at_once: 16,
    };
    let warm = attack(&options, &how(200)).await.unwrap();
    assert!(warm.passed(), "{}", warm.text());
    let before = resident();
    options.seed ^= 0xff;
    let start = std::time::Instant::now();
    let aftermath = attack(&options, &how(requests)).await.unwrap();
    let after = resident();
    println!(
        "{}\nseed {seed}, {:.1} s; resident before {} MiB, after {} MiB",
        aftermath.text(),
        start.elapsed().as_secs_f64(),
        before >> 20,
        after >> 20
    );
    assert!(aftermath.passed(), "{}", aftermath.text());
    assert_eq!(aftermath.requests, requests);
    assert!(after < before + MORE, "{before} {after}");
    for line in lines.all() {
        assert!(!line.contains("panic"), "{line}");
        assert!(!line.contains("doctor-access-token"), "{line}");
    }
}

/// A service that falls over, or that goes where it is led, does not pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_falls_over_is_told() {
    for flaw in ["broken-body-500", "context-500", "fetches-anywhere"] {
        let base = Model {
            flaw,
            ..Model::default()
        }
        .serve()
        .await;
        let how = Attack {
            requests: 400,
            at_once: 8,
        };
        let aftermath = attack(&options(&base), &how).await.unwrap();
        assert!(!aftermath.passed(), "{flaw}: {}", aftermath.text());
        assert_eq!(
            aftermath.led_astray > 0,
            flaw == "fetches-anywhere",
            "{flaw}"
        );
    }
    // The same seed, the same requests.
    let base = Model::default().serve().await;
    let how = Attack {
        requests: 400,
        at_once: 1,
    };
    let once = attack(&options(&base), &how).await.unwrap();
    assert!(once.passed(), "{}", once.text());
    let again = attack(&options(&base), &how).await.unwrap();
    assert_eq!(once.kinds, again.kinds);
}
