//! The graph of stages: levels, cycles, the critical path. Pure; a stage is its index, and `needs[i]` are the stages that `i` waits for.
//!
//! Not here: names, files and the order in which queued stages start (that is scheduling).

/// Stages that wait for each other: each needs the next, and the last needs the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these stages need each other in a circle: {path:?}")]
pub struct Cycle {
    /// The circle, beginning with its smallest index; the first is not repeated at the end.
    pub path: Vec<u32>,
}

/// Puts every stage in the first level at which all it needs stands in earlier levels (Kahn 1962). Linear in stages and needs;
/// within a level by index.
///
/// # Errors
/// [`Cycle`] with one circle where there is no such order. Needs outside of the slice are taken as met.
pub fn levels(needs: &[Vec<u32>]) -> Result<Vec<Vec<u32>>, Cycle> {
    let count = needs.len();
    let (first, followers) = followers(needs);
    let mut open: Vec<u32> =
        needs.iter().map(|list| list.iter().filter(|&&n| (n as usize) < count).count() as u32).collect();
    let mut level: Vec<u32> = (0..count as u32).filter(|&stage| open[stage as usize] == 0).collect();
    let mut levels = Vec::new();
    let mut placed = 0;
    while !level.is_empty() {
        placed += level.len();
        let mut next = Vec::new();
        for &stage in &level {
            for &follower in &followers[first[stage as usize]..first[stage as usize + 1]] {
                open[follower as usize] -= 1;
                if open[follower as usize] == 0 {
                    next.push(follower);
                }
            }
        }
        next.sort_unstable();
        levels.push(std::mem::replace(&mut level, next));
    }
    if placed == count { Ok(levels) } else { Err(circle(needs, &open)) }
}

/// The greatest number of stages in one level.
#[must_use]
pub fn max_parallelism(levels: &[Vec<u32>]) -> usize {
    levels.iter().map(Vec::len).max().unwrap_or(0)
}

/// The chain of needs that takes longest, first stage first, and its length in seconds. `seconds[i]` is the time of stage `i`; a missing
/// or negative one counts as 0. Empty where the graph has a circle or no stage.
#[must_use]
pub fn critical_path(needs: &[Vec<u32>], seconds: &[f64]) -> (Vec<u32>, f64) {
    let Ok(levels) = levels(needs) else { return (Vec::new(), 0.0) };
    let mut end = vec![0.0_f64; needs.len()];
    let mut before: Vec<Option<u32>> = vec![None; needs.len()];
    let mut last: Option<u32> = None;
    for &stage in levels.iter().flatten() {
        let here = stage as usize;
        for &need in needs[here].iter().filter(|&&n| (n as usize) < needs.len()) {
            if before[here].is_none_or(|best| end[need as usize] > end[best as usize]) {
                before[here] = Some(need);
            }
        }
        let start = before[here].map_or(0.0, |need| end[need as usize]);
        end[here] = start + seconds.get(here).copied().unwrap_or(0.0).max(0.0);
        if last.is_none_or(|best| end[here] > end[best as usize]) {
            last = Some(stage);
        }
    }
    let length = last.map_or(0.0, |stage| end[stage as usize]);
    let mut path = Vec::new();
    while let Some(stage) = last {
        path.push(stage);
        last = before[stage as usize];
    }
    path.reverse();
    (path, length)
}

/// Who waits for each stage, as one list and where each stage's part begins.
fn followers(needs: &[Vec<u32>]) -> (Vec<usize>, Vec<u32>) {
    let count = needs.len();
    let mut first = vec![0_usize; count + 1];
    for &need in needs.iter().flatten().filter(|&&n| (n as usize) < count) {
        first[need as usize + 1] += 1;
    }
    for index in 0..count {
        first[index + 1] += first[index];
    }
    let mut fill = first.clone();
    let mut list = vec![0_u32; first[count]];
    for (stage, its) in needs.iter().enumerate() {
        for &need in its.iter().filter(|&&n| (n as usize) < count) {
            list[fill[need as usize]] = stage as u32;
            fill[need as usize] += 1;
        }
    }
    (first, list)
}

/// One circle among the stages that could not be placed (`open` above 0): each of them needs another such stage, so that a walk along
/// needs must come back.
fn circle(needs: &[Vec<u32>], open: &[u32]) -> Cycle {
    let mut seen: Vec<Option<usize>> = vec![None; needs.len()];
    let mut walk: Vec<u32> = Vec::new();
    let mut at = open.iter().position(|&n| n > 0).unwrap_or(0) as u32;
    while seen[at as usize].is_none() {
        seen[at as usize] = Some(walk.len());
        walk.push(at);
        let next = needs[at as usize].iter().find(|&&n| open.get(n as usize).is_some_and(|&left| left > 0));
        match next {
            Some(&need) => at = need,
            None => break,
        }
    }
    let mut path = walk.split_off(seen[at as usize].unwrap_or(0));
    let smallest = path.iter().enumerate().min_by_key(|(_, stage)| **stage).map_or(0, |(index, _)| index);
    path.rotate_left(smallest);
    Cycle { path }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn levels_hold_what_can_run_together() {
        assert_eq!(levels(&[]), Ok(vec![]));
        let diamond = [vec![], vec![0], vec![0], vec![2, 1], vec![]];
        let found = levels(&diamond).unwrap();
        assert_eq!(found, vec![vec![0, 4], vec![1, 2], vec![3]]);
        assert_eq!(max_parallelism(&found), 2);
    }

    #[test]
    fn a_need_named_twice_counts_once_it_is_met() {
        assert_eq!(levels(&[vec![], vec![0, 0]]), Ok(vec![vec![0], vec![1]]));
    }

    #[test]
    fn a_circle_is_named_in_the_order_of_the_needs() {
        // 4 hangs on the circle and 0 stands before it; neither belongs to it.
        let needs = [vec![], vec![0, 3], vec![1], vec![2], vec![3]];
        assert_eq!(levels(&needs), Err(Cycle { path: vec![1, 3, 2] }));
        assert_eq!(levels(&[vec![0]]), Err(Cycle { path: vec![0] }));
        assert_eq!(critical_path(&needs, &[1.0; 5]), (vec![], 0.0));
    }

    #[test]
    fn the_critical_path_is_the_chain_that_takes_longest() {
        let needs = [vec![], vec![0], vec![0], vec![1, 2]];
        assert_eq!(critical_path(&needs, &[1.0, 5.0, 2.0, 1.0]), (vec![0, 1, 3], 7.0));
        assert_eq!(critical_path(&needs, &[1.0, 5.0, 9.0, 1.0]), (vec![0, 2, 3], 11.0));
        assert_eq!(critical_path(&needs, &[]), (vec![0], 0.0));
    }

    proptest! {
        #[test]
        fn every_stage_stands_one_level_after_its_latest_need(
            edges in proptest::collection::vec((0u32..60, 0u32..60), 0..200)
        ) {
            let mut needs = vec![Vec::new(); 60];
            for (a, b) in edges {
                if a != b {
                    needs[a.max(b) as usize].push(a.min(b));
                }
            }
            let found = levels(&needs).unwrap();
            let mut level_of = vec![usize::MAX; 60];
            for (number, level) in found.iter().enumerate() {
                for &stage in level {
                    prop_assert_eq!(level_of[stage as usize], usize::MAX);
                    level_of[stage as usize] = number;
                }
            }
            for (stage, its) in needs.iter().enumerate() {
                let expected = its.iter().map(|&n| level_of[n as usize] + 1).max().unwrap_or(0);
                prop_assert_eq!(level_of[stage], expected);
            }
            let (path, seconds) = critical_path(&needs, &[1.0; 60]);
            prop_assert_eq!(path.len(), found.len());
            prop_assert_eq!(seconds, found.len() as f64);
            prop_assert!(path.windows(2).all(|pair| needs[pair[1] as usize].contains(&pair[0])));
        }

        #[test]
        fn a_circle_that_is_named_is_one(edges in proptest::collection::vec((0u32..20, 0u32..20), 0..60)) {
            let mut needs = vec![Vec::new(); 20];
            for (a, b) in edges {
                needs[a as usize].push(b);
            }
            if let Err(Cycle { path }) = levels(&needs) {
                prop_assert!(!path.is_empty());
                for (index, &stage) in path.iter().enumerate() {
                    prop_assert!(needs[stage as usize].contains(&path[(index + 1) % path.len()]));
                }
            }
        }
    }
}
