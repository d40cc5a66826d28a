//! How long a shim sees to it that an owner is there, and how often it tries.

/// So long, milliseconds: a disk that was full in the evening may have room in the morning.
pub(super) const LONGEST_MS: u64 = 24 * 3_600_000;
/// The first pause but one, milliseconds; each is four times the one before, up to a limit.
const SHORT_MS: u64 = 20;
/// The limit at first, milliseconds. Later it is a tenth of the time that was tried in vain: what took ten minutes to mend
/// is found mended within another one.
const LIMIT_MS: u64 = 5_000;
/// The limit of limits, milliseconds.
const LAST_LIMIT_MS: u64 = 60_000;

/// What is left of it.
pub(super) struct Patience {
    since: u64,
    pause: u64,
}

impl Patience {
    /// At `now`, the running clock, the bell was rung.
    pub(super) fn from(now: u64) -> Self {
        Self { since: now, pause: 0 }
    }

    /// When it is over, on the running clock.
    pub(super) fn ends(&self) -> u64 {
        self.since.saturating_add(LONGEST_MS)
    }

    /// How long to wait, milliseconds, after an owner that failed or died: the first is followed at once.
    pub(super) fn pause(&mut self, now: u64) -> u64 {
        let limit = (now.saturating_sub(self.since) / 10).clamp(LIMIT_MS, LAST_LIMIT_MS);
        let next = (self.pause * 4).clamp(SHORT_MS, limit);
        std::mem::replace(&mut self.pause, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Owners that fail at once until `mended`; how long after that the next one is started, and how many were in vain.
    fn tries_until(mended: u64) -> Option<(u64, u32)> {
        let (start, mut in_vain) = (1_000_000, 0);
        let mut patience = Patience::from(start);
        let mut now = start;
        while now < start + mended {
            in_vain += 1;
            now += patience.pause(now);
            if now >= patience.ends() {
                return None;
            }
        }
        Some((now - start - mended, in_vain))
    }

    #[test]
    fn what_is_mended_is_found_soon_and_a_night_costs_few_tries() {
        let minutes = |n: u64| n * 60_000;
        for (mended, within, at_most) in [
            (1, 20, 2),
            (1_000, 2_000, 6),
            (minutes(1), 5_000, 20),
            (minutes(10), minutes(1), 80),
            (minutes(60), minutes(1), 140),
            (minutes(10 * 60), minutes(1), 700),
            (minutes(23 * 60), minutes(1), 1_500),
        ] {
            let (late, in_vain) = tries_until(mended).expect("it still tries");
            assert!(late <= within && in_vain <= at_most, "{mended}: {late} ms late, {in_vain} in vain");
        }
        assert_eq!(tries_until(minutes(25 * 60)), None, "not for ever");
    }
}
