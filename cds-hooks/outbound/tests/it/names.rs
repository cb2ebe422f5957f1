//! A look-up of names that is played, and clients with it.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use outbound::{Allowed, Client, Limits, Resolver};

/// Names with the answers they give, one after the other; the last one again and again.
#[derive(Default)]
pub struct Names {
    answers: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    pub fn of(names: &[(&str, &[&[&str]])]) -> Arc<Names> {
        let of = |all: &[&str]| all.iter().map(|a| a.parse().unwrap()).collect();
        let answers = names
            .iter()
            .map(|(name, answers)| ((*name).to_owned(), answers.iter().map(|a| of(a)).collect()));
        Arc::new(Names {
            answers: Mutex::new(answers.collect()),
            asked: Mutex::default(),
        })
    }

    /// What was looked up so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolver for Names {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.get_mut(name).map(|all| match all.len() {
            1 => all[0].clone(),
            _ => all.pop_front().unwrap(),
        });
        let answer = answer.ok_or_else(|| io::Error::other("no such name"));
        Box::pin(std::future::ready(answer))
    }
}

/// An origin on loopback, which is allowed there.
pub fn local(origin: &str) -> Allowed {
    Allowed {
        plain_http: true,
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..Allowed::new(origin)
    }
}

/// A client for these origins that knows no name.
pub fn client(allowed: &[Allowed]) -> Client {
    with(allowed, Limits::default(), Names::of(&[]))
}

pub fn with(allowed: &[Allowed], limits: Limits, names: Arc<Names>) -> Client {
    Client::new(allowed, limits, names).unwrap()
}

/// A moment from now.
pub fn after(millis: u64) -> Instant {
    Instant::now() + Duration::from_millis(millis)
}
