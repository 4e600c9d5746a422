//! The order in which things are tried: tiers by priority, inside a tier a draw by weight.

/// Something that is drawn by weight inside a tier.
pub(crate) trait Weighted {
    /// Failover tier, lower first.
    fn tier(&self) -> i32;
    /// Share inside the tier; 0 is never drawn.
    fn weight(&self) -> u32;
}

/// Indices of `items` in the order to try them: tier by tier, and inside a tier each place drawn by weight among those
/// left, so that the first place follows the weights and what comes next does too when the first one fails.
///
/// `draw(n)` returns a number in `0..n`. Items of weight 0 are left out. O(n²) for n ≤ 32.
pub(crate) fn order<T: Weighted>(items: &[T], mut draw: impl FnMut(u64) -> u64) -> Vec<usize> {
    let mut left: Vec<usize> = (0..items.len())
        .filter(|&i| items[i].weight() > 0)
        .collect();
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(tier) = left.iter().map(|&i| items[i].tier()).min() {
        let in_tier = |i: &usize| items[*i].tier() == tier;
        let total: u64 = left
            .iter()
            .filter(|i| in_tier(i))
            .map(|&i| u64::from(items[i].weight()))
            .sum();
        let mut ticket = draw(total);
        let place = left.iter().position(|i| {
            let weight = u64::from(items[*i].weight());
            in_tier(i)
                && (ticket < weight || {
                    ticket -= weight;
                    false
                })
        });
        match place {
            Some(place) => ordered.push(left.remove(place)),
            None => break,
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Weighted for (i32, u32) {
        fn tier(&self) -> i32 {
            self.0
        }

        fn weight(&self) -> u32 {
            self.1
        }
    }

    proptest! {
        #[test]
        fn is_a_permutation_without_weight_zero_and_tiers_ascend(
            items in prop::collection::vec((0..3i32, 0..4u32), 0..12), seed in any::<u64>(),
        ) {
            let mut rng = fastrand::Rng::with_seed(seed);
            let ordered = order(&items, |n| rng.u64(0..n));
            let mut sorted = ordered.clone();
            sorted.sort_unstable();
            let expected: Vec<usize> = (0..items.len()).filter(|&i| items[i].1 > 0).collect();
            prop_assert_eq!(sorted, expected);
            prop_assert!(ordered.is_sorted_by_key(|&i| items[i].0));
        }
    }

    #[test]
    fn first_place_follows_the_weights() {
        let items = [(0, 90), (0, 10), (1, 1000)];
        let mut rng = fastrand::Rng::with_seed(7);
        let firsts = (0..10_000)
            .filter(|_| order(&items, |n| rng.u64(0..n))[0] == 0)
            .count();
        assert!((8_850..=9_150).contains(&firsts), "{firsts}");
    }
}
