//! One origin: its connections, and the calls under way to it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use ipnet::IpNet;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::{Host, Url};

use crate::address::refused;
use crate::allowed::{Allowed, RANGES};
use crate::counters::Counters;
use crate::failure::{Failure, Family};
use crate::limits::Limits;
use crate::resolve::{Checked, Resolver};
use crate::trust::{self, Machine};

pub(crate) struct Site {
    pub(crate) origin: String,
    pub(crate) http: reqwest::Client,
    pub(crate) redirects: u8,
    pub(crate) counters: Counters,
    networks: Arc<[IpNet]>,
    calls: Semaphore,
    waiting: AtomicUsize,
    max_waiting: usize,
}

impl Site {
    /// A client of its own for each origin: addresses, authorities and connections are its own, too.
    pub(crate) fn new(
        allowed: &Allowed,
        limits: &Limits,
        resolver: Arc<dyn Resolver>,
        machine: &Machine,
    ) -> Result<Self, String> {
        let origin = allowed.key()?;
        let networks: Arc<[IpNet]> = allowed.networks.clone().into();
        let mut builder = reqwest::Client::builder();
        if origin.starts_with("https:") {
            let tls = trust::config(allowed.authorities.as_deref(), machine)?;
            builder = builder.tls_backend_preconfigured(tls).https_only(true);
        } else {
            // No authorities are needed, and none are read.
            let tls = trust::none()?;
            builder = builder.tls_backend_preconfigured(tls);
        }
        let http = builder
            .dns_resolver(Arc::new(Checked {
                resolver,
                networks: Arc::clone(&networks),
            }))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            // Whatever other crates switch on in reqwest: nothing is decompressed.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .connect_timeout(limits.connect)
            .pool_idle_timeout(limits.idle)
            .pool_max_idle_per_host(limits.max_calls)
            .user_agent("tandem")
            .build()
            .map_err(|e| format!("no client can be made: {e}"))?;
        Ok(Site {
            origin,
            http,
            redirects: allowed.redirects,
            counters: Counters::default(),
            networks,
            calls: Semaphore::new(limits.max_calls.max(1)),
            waiting: AtomicUsize::new(0),
            max_waiting: limits.max_waiting,
        })
    }

    /// A host that is an address is not looked up, so it is checked here.
    pub(crate) fn check_literal(&self, url: &Url) -> Result<(), Failure> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            _ => return Ok(()),
        };
        match refused(address, &self.networks) {
            None => Ok(()),
            Some(why) => Err(Failure::at(
                &self.origin,
                Family::NotAllowed,
                format!("{why}, which may be called from here only where it is in {RANGES}"),
            )),
        }
    }

    /// A turn. It ends when what is returned is dropped.
    pub(crate) async fn turn(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, Failure> {
        if let Ok(turn) = self.calls.try_acquire() {
            return Ok(turn);
        }
        let _waiting = Waiting::of(&self.waiting, self.max_waiting).ok_or_else(|| {
            Failure::at(
                &self.origin,
                Family::Busy,
                "too many calls wait for it already",
            )
        })?;
        let turn = tokio::time::timeout_at(deadline.into(), self.calls.acquire()).await;
        match turn {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) => Err(Failure::at(
                &self.origin,
                Family::Busy,
                "no more calls are made",
            )),
            Err(_) => Err(Failure::at(
                &self.origin,
                Family::TimedOut,
                "other calls to it did not end by the deadline",
            )),
        }
    }
}

/// One that waits; counted as long as it does, also where it is given up.
struct Waiting<'s>(&'s AtomicUsize);

impl<'s> Waiting<'s> {
    fn of(count: &'s AtomicUsize, most: usize) -> Option<Self> {
        let before = count.fetch_add(1, Ordering::AcqRel);
        let waiting = Waiting(count);
        (before < most).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
