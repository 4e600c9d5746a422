//! Routes into one snapshot of bounded size; what does not fit, or can never match, is refused.
//!
//! *Guarantees*: a route that does not fit as it stands goes on as it was last accepted, before any other route goes;
//! older routes have their room before younger ones, and what one leaves goes to the next that fits.

use std::collections::BTreeMap;

use fkm_crds::Reason;
use fkm_snapshot::{MAX_PAYLOAD_BYTES, Snapshot};

use crate::build::{self, Claim, Ledger};
use crate::conflict::{self, Shadows};
use crate::dereference::{Pools, ResolvedRoute, each_once};
use crate::{Complaint, Fault, ObjectName, Verdict};

/// A snapshot that fits, and what became of the routes.
pub(crate) struct Fitted {
    pub(crate) snapshot: Snapshot,
    /// The bytes of the snapshot.
    pub(crate) payload: Vec<u8>,
    pub(crate) verdicts: BTreeMap<ObjectName, Verdict>,
}

/// One route on its way into the snapshot.
struct Candidate<'a> {
    live: Version<'a>,
    earlier: Option<Version<'a>>,
    taken: Taken,
}

/// A route as one of its generations has it.
struct Version<'a> {
    route: &'a ResolvedRoute,
    claim: Claim,
}

/// What is taken in of a route; where that is not the live generation, the size that the payload would have with it.
#[derive(Clone, Copy, Debug)]
enum Taken {
    Live,
    Earlier(usize),
    Nothing(usize),
}

/// Builds the snapshot of these routes, which are given oldest first.
pub(crate) fn fit(routes: &[ResolvedRoute], pools: &Pools<'_>) -> Fitted {
    let mut ledger = Ledger::new(pools);
    let mut candidates: Vec<Candidate<'_>> = routes
        .iter()
        .map(|route| Candidate::new(route, &mut ledger))
        .collect();
    loop {
        let mut shadows = shadows(&candidates);
        let takes_part = |index: &usize| {
            let shadows = shadows.get(index);
            shadows.is_some_and(|shadows| !shadows.conflicted)
        };
        let oldest_first: Vec<usize> = (0..candidates.len()).filter(takes_part).collect();
        if let Some(mut chosen) = all_fit(&candidates, &oldest_first, &mut ledger) {
            chosen.sort_by_key(|route| conflict::order(route));
            let snapshot = build::snapshot(&chosen, pools);
            let payload = snapshot.to_payload();
            debug_assert_eq!(payload.len(), ledger.size(), "the ledger is exact");
            let judged = candidates.iter().enumerate().map(|(index, candidate)| {
                let shadows = shadows.remove(&index).unwrap_or_default();
                (
                    candidate.live.route.name.clone(),
                    candidate.verdict(shadows),
                )
            });
            return Fitted {
                verdicts: judged.collect(),
                snapshot,
                payload,
            };
        }
        // fewer routes may leave others in reach, which then ask for room too
        make_room(&mut candidates, &oldest_first, &mut ledger);
    }
}

/// What of each route can never match, beside the others that are taken in.
fn shadows(candidates: &[Candidate<'_>]) -> BTreeMap<usize, Shadows> {
    let taken = candidates.iter().enumerate();
    let mut taken: Vec<(usize, &ResolvedRoute)> = taken
        .filter_map(|(index, candidate)| Some((index, candidate.taken()?.route)))
        .collect();
    taken.sort_by_key(|(_, route)| conflict::order(route));
    let (indices, routes): (Vec<usize>, Vec<&ResolvedRoute>) = taken.into_iter().unzip();
    let shadows = conflict::shadows(&routes);
    indices.into_iter().zip(shadows).collect()
}

/// These routes, if there is room for them all.
fn all_fit<'a>(
    candidates: &[Candidate<'a>],
    indices: &[usize],
    ledger: &mut Ledger<'a>,
) -> Option<Vec<&'a ResolvedRoute>> {
    let versions = indices
        .iter()
        .filter_map(|index| candidates[*index].taken());
    let mut routes = Vec::new();
    ledger.clear();
    for version in versions {
        ledger.take(&version.claim);
        routes.push(version.route);
    }
    (ledger.size() <= MAX_PAYLOAD_BYTES).then_some(routes)
}

/// Takes less of the routes that take part, which do not fit together: first each as it was accepted, as far as they fit,
/// then as they stand, as far as they fit.
fn make_room<'a>(
    candidates: &mut [Candidate<'a>],
    oldest_first: &[usize],
    ledger: &mut Ledger<'a>,
) {
    ledger.clear();
    let mut changed = Vec::new();
    for &index in oldest_first {
        let candidate = &mut candidates[index];
        if matches!(candidate.taken, Taken::Live) && candidate.earlier.is_some() {
            candidate.taken = Taken::Earlier(ledger.size());
            changed.push(index);
        }
        let size = candidate.try_take(ledger);
        if size > MAX_PAYLOAD_BYTES {
            candidate.taken = Taken::Nothing(size);
        }
    }
    for index in changed {
        candidates[index].try_live(ledger);
    }
}

// === impl Candidate ===

impl<'a> Candidate<'a> {
    fn new(route: &'a ResolvedRoute, ledger: &mut Ledger<'a>) -> Self {
        let live = Version {
            route,
            claim: ledger.claim(route),
        };
        let earlier = route.earlier.as_deref().map(|route| Version {
            route,
            claim: ledger.claim(route),
        });
        // one that is no smaller makes no room
        let earlier =
            earlier.filter(|earlier| ledger.alone(&earlier.claim) < ledger.alone(&live.claim));
        Self {
            live,
            earlier,
            taken: Taken::Live,
        }
    }

    /// The generation that is taken in.
    fn taken(&self) -> Option<&Version<'a>> {
        match self.taken {
            Taken::Live => Some(&self.live),
            Taken::Earlier(_) => self.earlier.as_ref(),
            Taken::Nothing(_) => None,
        }
    }

    /// Takes it in, if there is room; the size that the payload has with it.
    fn try_take(&self, ledger: &mut Ledger<'a>) -> usize {
        let Some(version) = self.taken() else {
            return ledger.size();
        };
        ledger.take(&version.claim);
        let size = ledger.size();
        if size > MAX_PAYLOAD_BYTES {
            ledger.give_back(&version.claim);
        }
        size
    }

    /// Takes the live generation in the place of the earlier one, if there is room.
    fn try_live(&mut self, ledger: &mut Ledger<'a>) {
        let Taken::Earlier(_) = self.taken else {
            return;
        };
        let earlier = self.earlier.as_ref().expect("it is taken in");
        ledger.give_back(&earlier.claim);
        ledger.take(&self.live.claim);
        let size = ledger.size();
        if size <= MAX_PAYLOAD_BYTES {
            self.taken = Taken::Live;
        } else {
            ledger.give_back(&self.live.claim);
            ledger.take(&earlier.claim);
            self.taken = Taken::Earlier(size);
        }
    }

    fn verdict(&self, shadows: Shadows) -> Verdict {
        let taken = self.taken().map(|version| version.route);
        let mut refused = self.live.route.invalid.clone();
        refused.extend(self.too_large());
        let mut warnings = Vec::new();
        if shadows.conflicted || refused.is_empty() {
            warnings = shadows.unreachable;
        }
        if shadows.conflicted {
            refused.append(&mut warnings);
        }
        let mut unresolved = self.live.route.unresolved.clone();
        unresolved.extend(taken.into_iter().flat_map(|route| route.unresolved.clone()));
        Verdict {
            accepted: Complaint::of(refused).map(|()| warnings),
            resolved: Complaint::of(each_once(unresolved)),
            served: taken
                .and_then(|route| route.served)
                .filter(|_| !shadows.conflicted),
        }
    }

    fn too_large(&self) -> Option<Fault> {
        let (what, size) = match self.taken {
            Taken::Live => return None,
            Taken::Earlier(size) => ("this generation of the route", size),
            Taken::Nothing(size) => ("this route", size),
        };
        let message = format!(
            "with {what} the snapshot of its pods has {size} bytes, and {MAX_PAYLOAD_BYTES} is the most; use fewer or smaller pools, rules or CA bundles"
        );
        Some(Fault::new(Reason::TooLarge, "spec.rules", message))
    }
}
