//! Who keeps what: the credentials of providers that the rules reach, in a fixed order.

use std::collections::BTreeMap;
use std::sync::Arc;

use fkm_snapshot::{AnyFormat, Kept};

use super::{Candidate, HttpLink, Link, Offer, RuleRuntime, Runtime};
use crate::owner::{Claim, Owner};
use crate::policy::order::Weighted;

/// Where something is asked that a provider keeps.
#[derive(Debug)]
pub(super) struct KeptAt {
    pub(super) kept: Kept,
    /// The URL; the id follows.
    pub(super) url: String,
}

// === impl Runtime ===

impl Runtime {
    /// Who keeps what is claimed; where nothing is, who is asked first: in the order of the rules, of their backends, of
    /// priorities and of the pool, with the first credential. Gives the rule too. `model`: only who serves that model, by the
    /// first rule that matches it, as when it is asked.
    ///
    /// What has the weight 0 is not reached.
    pub(crate) fn keeper(
        &self,
        kept: Kept,
        claim: Option<&Claim>,
        model: Option<&str>,
    ) -> Option<(usize, Candidate)> {
        let mut rules = self.rules.iter().enumerate();
        let keeper = |(index, rule): (usize, &RuleRuntime)| {
            let usable = rule.unavailable.is_empty();
            let candidate = usable.then(|| rule.keeper(kept, claim, model))??;
            Some((index, candidate))
        };
        match model {
            None => rules.find_map(keeper),
            Some(model) => rules.find(|(_, rule)| rule.matches(model)).and_then(keeper),
        }
    }
}

// === impl RuleRuntime ===

impl RuleRuntime {
    fn keeper(&self, kept: Kept, claim: Option<&Claim>, model: Option<&str>) -> Option<Candidate> {
        let backends = self.backends.iter().filter(|backend| backend.weight() > 0);
        for backend in backends {
            let asked = backend.model.as_deref().or(model);
            let named = |name: &str| match asked {
                Some(asked) => name == asked,
                None => self.matches(name),
            };
            let offers = backend.offers.iter().filter(|(name, _)| named(name));
            let offers = offers.flat_map(|(_, offers)| offers);
            let reached: BTreeMap<_, _> = offers
                .filter(|offer| offer.weight() > 0)
                .map(|offer| ((offer.tier(), offer.provider.index), offer))
                .collect();
            let found = reached.into_values().find_map(|offer| {
                let Link::Http(http) = &offer.provider.link else {
                    return None;
                };
                http.kept_url(kept)?;
                let key = http.key_of(claim)?;
                Some((offer, key))
            });
            if let Some((offer, key)) = found {
                return Some(Candidate {
                    backend: backend.name.clone(),
                    // No model is asked.
                    offer: Offer {
                        upstream_model: Arc::from(""),
                        price: None,
                        ..offer.clone()
                    },
                    key,
                    way: 0,
                });
            }
        }
        None
    }
}

// === impl HttpLink ===

impl HttpLink {
    fn kept_url(&self, kept: Kept) -> Option<&str> {
        let mut all = self.keeps.iter();
        all.find(|one| one.kept == kept).map(|one| &*one.url)
    }

    /// The credential that is claimed; the first where none is.
    fn key_of(&self, claim: Option<&Claim>) -> Option<usize> {
        let Some(claim) = claim else {
            return Some(0);
        };
        self.keys.iter().position(|key| key.owner.is(claim))
    }
}

// === impl Candidate ===

impl Candidate {
    /// Who would keep what it makes.
    pub(crate) fn owner(&self) -> Option<&Owner> {
        match &self.offer.provider.link {
            Link::Http(http) => Some(&http.key(self.key).owner),
            Link::Simulated(_) => None,
        }
    }

    /// Where it is asked for what it keeps; `None` where it keeps nothing such.
    pub(crate) fn kept_url(&self, kept: Kept) -> Option<&str> {
        match &self.offer.provider.link {
            Link::Http(http) => http.kept_url(kept),
            Link::Simulated(_) => None,
        }
    }

    /// What stands at the end of the ids of its answers; `None` where they are not kept.
    pub(crate) fn mark(&self) -> Option<&Arc<str>> {
        self.kept_url(Kept::OpenAiResponses)?;
        self.owner().map(Owner::mark)
    }

    /// Whether it is asked in the format of answers that are kept.
    pub(crate) fn is_asked_in(&self, format: AnyFormat) -> bool {
        self.way().speaks.format() == format
    }
}
