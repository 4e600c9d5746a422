//! The ways to ask for the models of one provider: its formats, and where requests go.

use std::collections::BTreeSet;
use std::sync::Arc;

use fkm_snapshot::{AnyFormat, Connection};

use super::endpoint::{self, Endpoint};
use super::{SIMULATED, Speaks, Way};

/// Of one provider, model by model. What does not depend on the model is shared.
pub(super) struct Ways<'a> {
    /// The base URL, and the host that requests name instead of its own. `None`: without a network.
    origin: Option<(&'a str, &'a str)>,
    all: Vec<Way>,
    /// The last ones given.
    last: Option<Arc<[Way]>>,
}

// === impl Ways ===

impl<'a> Ways<'a> {
    pub(super) fn of(connection: &'a Connection) -> Self {
        let (origin, speaks) = match connection {
            Connection::Simulated(_) => (None, vec![Speaks::Chat(SIMULATED.clone())]),
            Connection::Http(http) => {
                let chats = http.conversations().cloned();
                let chats = chats.map(|dialect| Speaks::Chat(Arc::new(dialect)));
                let embeddings = http.embeddings.iter().cloned();
                let embeddings = embeddings.map(|dialect| Speaks::Embeddings(Arc::new(dialect)));
                let ranks = http.ranks.iter().cloned();
                let ranks = ranks.map(|dialect| Speaks::Rerank(Arc::new(dialect)));
                let relays = http.relays.iter().cloned();
                let relays = relays.map(|dialect| Speaks::Relayed(Arc::new(dialect)));
                let all = chats.chain(embeddings).chain(ranks).chain(relays).collect();
                (Some((&*http.base_url, &*http.network.host_header)), all)
            }
        };
        let way = |speaks| Way {
            speaks,
            endpoint: None,
        };
        Self {
            origin,
            all: speaks.into_iter().map(way).collect(),
            last: None,
        }
    }

    /// Those to the model, in these formats; in every one where none is named. An error says what is wrong with an address.
    pub(super) fn to(
        &mut self,
        model: &str,
        formats: &BTreeSet<AnyFormat>,
    ) -> Result<Arc<[Way]>, String> {
        if let Some((base_url, host)) = self.origin {
            let base = endpoint::base(base_url, host)?;
            for way in &mut self.all {
                let paths = way.speaks.paths();
                let endpoint = Endpoint::of(&base, paths, model, way.endpoint.as_ref())?;
                way.endpoint = Some(endpoint);
            }
        }
        let asked = |way: &&Way| formats.is_empty() || formats.contains(&way.speaks.format());
        let ways: Vec<Way> = self.all.iter().filter(asked).cloned().collect();
        if let Some(last) = self.last.as_ref().filter(|last| are_same(last, &ways)) {
            return Ok(last.clone());
        }
        let ways: Arc<[Way]> = ways.into();
        self.last = Some(ways.clone());
        Ok(ways)
    }
}

/// Whether these are the very same formats at the very same addresses.
fn are_same(one: &[Way], other: &[Way]) -> bool {
    let address = |way: &Way| way.endpoint.as_ref().map(Arc::as_ptr);
    let same = |(one, other): (&Way, &Way)| {
        one.speaks.format() == other.speaks.format() && address(one) == address(other)
    };
    one.len() == other.len() && one.iter().zip(other).all(same)
}
