//! From a name to addresses, each of which is checked.
//!
//! The check is part of the look-up that a connection is made by, so that the address that was checked is
//! the one connected to, whatever the name means a moment later (DNS rebinding).

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use futures::future::BoxFuture;
use ipnet::IpNet;
use tokio::sync::Semaphore;

use crate::address::refused;

/// Looks up names. Tests play servers that change their answer.
pub trait Resolver: Send + Sync {
    /// All addresses of a name.
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The look-up of the machine.
///
/// A look-up that hangs cannot be ended, and holds a thread: so at most [`System::LOOKUPS`] at once, and
/// the next waits for its turn (until its deadline).
pub struct System(Arc<Semaphore>);

impl System {
    /// Look-ups at once.
    pub const LOOKUPS: usize = 16;
}

impl Default for System {
    fn default() -> Self {
        System(Arc::new(Semaphore::new(System::LOOKUPS)))
    }
}

impl Resolver for System {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let (turns, name) = (Arc::clone(&self.0), name.to_owned());
        Box::pin(async move {
            let turn = turns.acquire_owned().await.map_err(io::Error::other)?;
            let look_up = move || {
                // Kept until the look-up ends, also where nobody waits for it any more.
                let _turn = turn;
                let found = (name.as_str(), 0u16).to_socket_addrs()?;
                Ok(found.map(|address| address.ip()).collect())
            };
            tokio::task::spawn_blocking(look_up)
                .await
                .map_err(io::Error::other)?
        })
    }
}

/// Why a name was not connected to.
#[derive(Debug, thiserror::Error)]
#[error("the host has {0}, which may not be called from here")]
pub(crate) struct RefusedAddress(pub(crate) &'static str);

/// No address at all.
#[derive(Debug, thiserror::Error)]
#[error("the host's name has no address")]
pub(crate) struct NoAddress;

/// The look-up of one origin, with the ranges that are allowed there.
pub(crate) struct Checked {
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) networks: Arc<[IpNet]>,
}

impl reqwest::dns::Resolve for Checked {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let found = self.resolver.resolve(name.as_str());
        let networks = Arc::clone(&self.networks);
        Box::pin(async move {
            let found = found.await.map_err(|_| NoAddress)?;
            // One address that is not allowed spoils the answer: half of an attack is no answer.
            if let Some(why) = found
                .iter()
                .find_map(|address| refused(*address, &networks))
            {
                return Err(RefusedAddress(why).into());
            }
            if found.is_empty() {
                return Err(NoAddress.into());
            }
            let all = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(all) as reqwest::dns::Addrs)
        })
    }
}
