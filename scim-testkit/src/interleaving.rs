//! Futures side by side on one thread, of which a seed decides at each call of their store which
//! goes on.
//!
//! What a test of races finds so is found again with the same seed.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use scim_core::store::{StoreError, Tenant};

use crate::{
    interceptor::{Call, Interceptor},
    random::Random,
};

/// A future under way.
pub type Running<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Lets the other futures go on before each call of a store that looks at resources or writes. The
/// call itself is one step.
#[derive(Debug, Clone, Copy)]
pub struct Steps;

impl Interceptor for Steps {
    async fn around<R: Send>(
        &self,
        call: Call,
        _: &Tenant,
        work: impl Future<Output = Result<R, StoreError>> + Send,
    ) -> Result<R, StoreError> {
        match call {
            Call::Get | Call::Query | Call::Commit => step().await,
            // Waiting for a change lasts until another future has made it.
            Call::Changed => return work.await,
            Call::Changes | Call::Claims | Call::Audit => {}
        }
        pollster::block_on(work)
    }
}

/// Lets the other futures go on.
pub async fn step() {
    let mut has_waited = false;
    poll_fn(|context| match std::mem::replace(&mut has_waited, true) {
        true => Poll::Ready(()),
        false => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

/// Runs futures to their ends, a step of one of them at a time, and gives what they gave, in their
/// order.
///
/// # Examples
///
/// ```
/// use std::cell::RefCell;
/// use scim_testkit::interleaving::{interleave, step};
///
/// let order = |seed| {
///     let steps = RefCell::new(vec![]);
///     let walk = |name| {
///         let steps = &steps;
///         Box::pin(async move {
///             for _ in 0..3 {
///                 step().await;
///                 steps.borrow_mut().push(name);
///             }
///         }) as _
///     };
///     interleave(seed, vec![walk('a'), walk('b')]);
///     steps.into_inner()
/// };
/// assert_eq!(order(1), order(1));
/// assert!((0..20).any(|seed| order(seed) != order(1)));
/// ```
pub fn interleave<T>(seed: u64, futures: Vec<Running<'_, T>>) -> Vec<T> {
    let mut random = Random::new(seed);
    let mut running: Vec<_> = futures.into_iter().enumerate().collect();
    let mut done = vec![];
    while !running.is_empty() {
        let at = random.below(running.len());
        let Some((_, future)) = running.get_mut(at) else { continue };
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            done.push((running.swap_remove(at).0, result));
        }
    }
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
