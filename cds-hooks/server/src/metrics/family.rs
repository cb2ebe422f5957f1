//! A family of series with a bound: labels come from calls, and what calls name must not fill the memory.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::registry::{Metric, Registry};

/// Series of one family at most. What comes beyond is counted, and not kept apart.
const SERIES: usize = 5_000;

/// A family that stops growing. What has no room is left out and counted.
#[derive(Clone)]
pub(super) struct Bounded<L, M, C = fn() -> M> {
    family: Family<L, M, C>,
    /// How many series there are.
    made: Arc<AtomicUsize>,
    left_out: Arc<AtomicU64>,
}

impl<L, M, C> Bounded<L, M, C>
where
    L: Clone + Hash + Eq + Debug + EncodeLabelSet + Send + Sync + 'static,
    M: EncodeMetric + TypedMetric + Clone + Debug + Send + Sync + 'static,
    C: MetricConstructor<M> + Clone + Send + Sync + 'static,
    Family<L, M, C>: Metric,
{
    /// A family under a name.
    pub(super) fn new(
        registry: &mut Registry,
        name: &str,
        help: &str,
        family: Family<L, M, C>,
        left_out: &Arc<AtomicU64>,
    ) -> Self {
        registry.register(name, help, family.clone());
        Bounded {
            family,
            made: Arc::default(),
            left_out: Arc::clone(left_out),
        }
    }

    /// Counts with the series of these labels, where there is room for it.
    pub(super) fn with(&self, labels: &L, count: impl FnOnce(&M)) {
        if let Some(metric) = self.family.get(labels) {
            return count(&metric);
        }
        // Two threads may make the same at once, and count it twice: there is a little less room then.
        if self.made.fetch_add(1, Ordering::Relaxed) < SERIES {
            return count(&self.family.get_or_create(labels));
        }
        self.made.fetch_sub(1, Ordering::Relaxed);
        self.left_out.fetch_add(1, Ordering::Relaxed);
    }
}
