//! When a request is sent again. A runtime does the waiting, through [`Pause`]: this crate has none.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use http::StatusCode;

use super::ClientError;

/// Waits. A runtime's timer in a program, a list of pauses in a test.
#[async_trait]
pub trait Pause: fmt::Debug + Send + Sync + 'static {
    /// Ends when `time` has passed.
    async fn pause(&self, time: Duration);

    /// A random number from 0 to 1: where a pause ends in its range, so that many clients do not come back at the same moment.
    fn spread(&self) -> f64 {
        f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX)
    }
}

/// How often, and after which pauses, requests are sent again that change nothing: reads, lists and searches. A write is sent once, for
/// nobody knows what became of it.
///
/// They are sent again after 429, 500, 502, 503 and 504, and where no answer came. The service's `Retry-After` counts, if it gives one;
/// where that is longer than `longest`, the refusal is given out at once. Else a pause is twice the one before, and a random half of it
/// is left out.
///
/// Source: RFC 9110 §9.2.1 and §10.2.3.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Retries {
    /// How pauses are made.
    pub pause: Arc<dyn Pause>,
    /// How often a request is sent at most.
    pub attempts: u32,
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Retries {
    /// Four attempts, with pauses from half a second to a minute.
    pub fn new(pause: Arc<dyn Pause>) -> Self {
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(60));
        Self { pause, attempts: 4, first, longest }
    }

    /// How long to wait before the next attempt; none where there is none. `done` is how many there were.
    pub(super) fn before_next(&self, error: &ClientError, done: u32) -> Option<Duration> {
        if done >= self.attempts {
            return None;
        }
        match error {
            ClientError::Transport(_) => Some(self.backed_off(done)),
            ClientError::Refused { status, retry_after, .. } if passes(*status) => {
                let told = retry_after.filter(|told| *told > Duration::ZERO);
                Some(told.unwrap_or_else(|| self.backed_off(done))).filter(|it| *it <= self.longest)
            }
            _ => None,
        }
    }

    fn backed_off(&self, done: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(done.saturating_sub(1));
        let whole = self.first.saturating_mul(doubled).min(self.longest);
        whole.mul_f64(0.5 + self.pause.spread().clamp(0.0, 1.0) / 2.0)
    }
}

/// Whether another attempt may go better.
fn passes(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}
