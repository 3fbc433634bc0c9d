//! Leaves a failing backend alone for a while: no I/O, no clock of its own.
//!
//! After a few failures in a row it rests, twice as long each time; after the rest one probe is let through, and the others
//! go on resting until the probe has answered.

use std::time::{Duration, Instant};

/// Failures in a row after which a backend rests. One is a hiccup, two may be bad luck.
const TOLERATED: u32 = 3;

/// First rest.
const FIRST_REST: Duration = Duration::from_secs(5);

/// Longest rest. A person who mends a server waits no longer than this.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The state of one backend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    failures: u32,
    last_reason: String,
    /// While it rests: when the next probe may go.
    probe_at: Option<Instant>,
    /// A probe is under way since then.
    probing_since: Option<Instant>,
}

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Admit {
    /// Go on as usual.
    Yes,
    /// Go on; the others wait for how it ends.
    Probe,
    /// Not now.
    Rest {
        /// When to ask again.
        retry_in: Duration,
        /// Failures in a row.
        failures: u32,
        /// The last one.
        reason: String,
    },
}

impl Breaker {
    /// Asks whether an attempt may be made now. A probe whose end was never reported counts as lost after the longest
    /// rest: its caller was dropped.
    pub(super) fn admit(&mut self, now: Instant) -> Admit {
        let Some(probe_at) = self.probe_at else { return Admit::Yes };
        let probing = self.probing_since.filter(|since| now.duration_since(*since) < LONGEST_REST);
        if now >= probe_at && probing.is_none() {
            self.probing_since = Some(now);
            return Admit::Probe;
        }
        let retry_in = probe_at.saturating_duration_since(now).max(Duration::from_secs(1));
        Admit::Rest { retry_in, failures: self.failures, reason: self.last_reason.clone() }
    }

    /// An attempt went well.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// An attempt failed.
    pub(super) fn failed(&mut self, now: Instant, reason: String) {
        self.failures = self.failures.saturating_add(1);
        self.last_reason = reason;
        self.probing_since = None;
        if self.failures >= TOLERATED {
            let doublings = (self.failures - TOLERATED).min(8);
            self.probe_at = Some(now + (FIRST_REST * 2_u32.pow(doublings)).min(LONGEST_REST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tripped(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..TOLERATED {
            assert_eq!(breaker.admit(now), Admit::Yes);
            breaker.failed(now, "it is gone".into());
        }
        breaker
    }

    #[test]
    fn a_tripped_breaker_lets_one_probe_through_after_its_rest() {
        let now = Instant::now();
        let mut breaker = tripped(now);
        assert!(matches!(breaker.admit(now), Admit::Rest { retry_in: FIRST_REST, failures: 3, .. }));
        assert_eq!(breaker.admit(now + FIRST_REST), Admit::Probe);
        assert!(matches!(breaker.admit(now + FIRST_REST), Admit::Rest { .. }));
    }

    #[test]
    fn a_failed_probe_rests_twice_as_long_up_to_a_minute() {
        let mut now = Instant::now();
        let mut breaker = tripped(now);
        let mut rests = Vec::new();
        for _ in 0..6 {
            let Admit::Rest { retry_in, .. } = breaker.admit(now) else { panic!("not resting") };
            rests.push(retry_in.as_secs());
            now += retry_in;
            assert_eq!(breaker.admit(now), Admit::Probe);
            breaker.failed(now, "still gone".into());
        }
        assert_eq!(rests, [5, 10, 20, 40, 60, 60]);
    }

    #[test]
    fn a_probe_that_succeeds_ends_the_rest_and_a_lost_one_is_replaced() {
        let now = Instant::now();
        let mut breaker = tripped(now);
        assert_eq!(breaker.admit(now + FIRST_REST), Admit::Probe);
        assert_eq!(breaker.admit(now + FIRST_REST + LONGEST_REST), Admit::Probe);
        breaker.succeeded();
        assert_eq!(breaker.admit(now), Admit::Yes);
    }
}
