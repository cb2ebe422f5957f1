//! From a name to addresses, each of which is checked.
//!
//! The check is part of the look-up that a connection is made by, so that the address that was checked is
//! the one connected to, whatever the name means a moment later (DNS rebinding).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use ipnet::IpNet;
use tokio::sync::Semaphore;

use crate::address::refused;
use crate::allowed::RANGES;

/// Looks up names. Tests play servers that change their answer.
pub trait Resolver: Send + Sync {
    /// All addresses of a name.
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The look-up of the machine.
///
/// A look-up that hangs cannot be ended, and holds a thread: so at most [`System::LOOKUPS`] at once, of which
/// one name has [`System::OF_ONE_NAME`], and the next waits for its turn (until its deadline). A name whose
/// servers hang takes nothing from the others.
pub struct System {
    all: Arc<Semaphore>,
    /// Names are those of configured origins: there are a few.
    by_name: Mutex<HashMap<String, Arc<Semaphore>>>,
    look_up: LookUp,
}

type LookUp = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

impl System {
    /// Look-ups at once.
    pub const LOOKUPS: usize = 32;

    /// Look-ups of one name at once.
    pub const OF_ONE_NAME: usize = 2;

    fn with(look_up: LookUp) -> Self {
        System {
            all: Arc::new(Semaphore::new(System::LOOKUPS)),
            by_name: Mutex::default(),
            look_up,
        }
    }

    fn turns_of(&self, name: &str) -> Arc<Semaphore> {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        let turns = by_name.entry(name.to_owned());
        Arc::clone(turns.or_insert_with(|| Arc::new(Semaphore::new(System::OF_ONE_NAME))))
    }
}

impl Default for System {
    fn default() -> Self {
        System::with(Arc::new(|name| {
            let found = (name, 0u16).to_socket_addrs()?;
            Ok(found.map(|address| address.ip()).collect())
        }))
    }
}

impl Resolver for System {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let (own, all) = (self.turns_of(name), Arc::clone(&self.all));
        let (name, look_up) = (name.to_owned(), Arc::clone(&self.look_up));
        Box::pin(async move {
            // In this order: who waits for its own name's turn takes none of all.
            let own = own.acquire_owned().await.map_err(io::Error::other)?;
            let turn = all.acquire_owned().await.map_err(io::Error::other)?;
            let looked_up = move || {
                // Kept until the look-up ends, also where nobody waits for it any more.
                let _turns = (own, turn);
                look_up(&name)
            };
            tokio::task::spawn_blocking(looked_up)
                .await
                .map_err(io::Error::other)?
        })
    }
}

/// Why a name was not connected to.
#[derive(Debug, thiserror::Error)]
#[error("the host has {0}, which may be called from here only where it is in {ranges}", ranges = RANGES)]
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_name_that_hangs_takes_nothing_from_the_others() {
        let (end, ends) = mpsc::channel::<()>();
        let ends = Mutex::new(ends);
        let system = System::with(Arc::new(move |name| {
            if name == "hangs.example" {
                // Until the other end is gone.
                let _ = ends.lock().unwrap().recv();
            }
            Ok(vec![IpAddr::from([192, 0, 2, 1])])
        }));
        let soon = Duration::from_millis(200);
        for _ in 0..2 * System::LOOKUPS {
            let hangs = tokio::time::timeout(soon / 20, system.resolve("hangs.example"));
            assert!(hangs.await.is_err(), "nobody waits longer for it");
        }
        let other = tokio::time::timeout(50 * soon, system.resolve("ehr.example"));
        assert_eq!(other.await.unwrap().unwrap().len(), 1);
        drop(end);
        let again = tokio::time::timeout(50 * soon, system.resolve("hangs.example"));
        assert!(again.await.unwrap().is_ok(), "its turns come back");
    }
}
