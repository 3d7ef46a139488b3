//! The threads that own the connections.

use std::{collections::BTreeSet, ops::Deref, sync::Arc, thread, time::Duration};

use async_channel::{Receiver, Sender, TrySendError};
use event_listener::Event as Signal;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use scim_core::store::{Batch, Committed, StoreError, Tenant};

use super::{
    failure::{Failure, Result},
    ledger::{Ledger, lasts},
    session::{Session, begin},
    write,
};

/// How many batches share a transaction at most.
const GROUP: usize = 256;

/// How many jobs wait at most. Who comes then is told so at once: a database that stands still must not gather all that comes in.
const QUEUE: usize = 1024;

type Answer<T> = std::result::Result<T, StoreError>;

type Alone = Box<dyn FnOnce(&Worker) + Send>;

enum Job {
    Commit(Commit),
    /// Something that shares no transaction.
    Alone(Alone),
}

struct Commit {
    tenant: Tenant,
    batch: Batch,
    answer: Sender<Answer<Committed>>,
}

/// What a thread works with.
pub(super) struct Worker {
    sql: Session,
    ledger: Option<Ledger>,
}

impl Worker {
    /// One that keeps no ledger.
    pub(super) fn new(sql: Session) -> Self {
        Self { sql, ledger: None }
    }

    /// The one that writes to a file with that ledger beside it.
    pub(super) fn keeping(sql: Session, ledger: Ledger) -> Self {
        Self { sql, ledger: Some(ledger) }
    }

    /// The ledger of the file, if it has one and this is who writes.
    pub(super) fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }
}

impl Deref for Worker {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.sql
    }
}

/// The two queues, and the threads that serve them, the writer first.
#[derive(Debug)]
pub(super) struct Workers {
    writer: Sender<Job>,
    readers: Sender<Job>,
    threads: Vec<thread::JoinHandle<()>>,
    longest_read: Duration,
}

impl Workers {
    /// Threads for the connections. Without readers the writer reads too.
    pub(super) fn start(
        writer: Worker,
        readers: Vec<Connection>,
        longest_read: Duration,
        committed: &Arc<Signal>,
    ) -> Answer<Self> {
        let (to_writer, jobs) = async_channel::bounded(QUEUE);
        let (writers, threads) = (to_writer.clone(), vec![]);
        let mut workers = Self { writer: writers, readers: to_writer, threads, longest_read };
        workers.employ("scim-sql writer", writer, jobs, committed)?;
        if !readers.is_empty() {
            let (to_readers, jobs) = async_channel::bounded(QUEUE);
            workers.readers = to_readers;
            for reader in readers {
                let reader = Worker::new(Session::limited(reader)?);
                workers.employ("scim-sql reader", reader, jobs.clone(), committed)?;
            }
        }
        Ok(workers)
    }

    fn employ(
        &mut self,
        name: &str,
        worker: Worker,
        jobs: Receiver<Job>,
        committed: &Arc<Signal>,
    ) -> Answer<()> {
        let committed = Arc::clone(committed);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&worker, &jobs, &committed))
            .map_err(|error| StoreError::Unavailable(format!("no thread: {error}")))?;
        self.threads.push(thread);
        Ok(())
    }

    pub(super) async fn commit(&self, tenant: Tenant, batch: Batch) -> Answer<Committed> {
        let (answer, answered) = async_channel::bounded(1);
        let job = Job::Commit(Commit { tenant, batch, answer });
        self.writer.try_send(job).map_err(refused)?;
        answered.recv().await.map_err(|_| gone())?
    }

    /// Reads in one transaction, so that all it sees is of one moment, and no longer than a read may take.
    pub(super) async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&Session) -> Result<R> + Send + 'static,
    ) -> Answer<R> {
        let longest = self.longest_read;
        alone(&self.readers, move |sql| in_one_view(sql, longest, read)).await
    }

    /// Does something with the connection of a reader, outside of a transaction.
    pub(super) async fn beside<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Session) -> Result<R> + Send + 'static,
    ) -> Answer<R> {
        alone(&self.readers, move |worker| work(worker)).await
    }

    /// Does something with the connection of the writer, outside of a transaction.
    pub(super) async fn maintain<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Worker) -> Result<R> + Send + 'static,
    ) -> Answer<R> {
        alone(&self.writer, work).await
    }
}

async fn alone<R: Send + 'static>(
    to: &Sender<Job>,
    work: impl FnOnce(&Worker) -> Result<R> + Send + 'static,
) -> Answer<R> {
    let (answer, answered) = async_channel::bounded(1);
    let job = Job::Alone(Box::new(move |sql| {
        // Nobody may be waiting any more.
        if !answer.is_closed() {
            let _ = answer.try_send(work(sql).map_err(StoreError::from));
        }
    }));
    to.try_send(job).map_err(refused)?;
    answered.recv().await.map_err(|_| gone())?
}

impl Drop for Workers {
    fn drop(&mut self) {
        // The writer's connection closes last and alone. Of several that close at once, each may take another for one that stays, and none
        // clears the write-ahead log away. A thread that panicked has nothing left to finish.
        let mut threads = self.threads.drain(..);
        let writer = threads.next();
        self.readers.close();
        threads.for_each(|reader| _ = reader.join());
        self.writer.close();
        let _ = writer.map(thread::JoinHandle::join);
    }
}

fn refused(error: TrySendError<Job>) -> StoreError {
    match error {
        TrySendError::Full(_) => {
            StoreError::Unavailable(format!("{QUEUE} calls wait for the database already"))
        }
        TrySendError::Closed(_) => gone(),
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("the thread of the database is gone".to_owned())
}

fn work(worker: &Worker, jobs: &Receiver<Job>, committed: &Signal) {
    while let Ok(job) = jobs.recv_blocking() {
        let alone = match job {
            Job::Alone(alone) => Some(alone),
            Job::Commit(first) => {
                let (mut commits, alone) = waiting(first, jobs);
                commits.retain(|commit| !commit.answer.is_closed());
                commit_together(worker, commits);
                committed.notify(usize::MAX);
                alone
            }
        };
        if let Some(alone) = alone {
            alone(worker);
        }
    }
    if let Some(ledger) = worker.ledger()
        && let Err(error) = ledger.close(worker).map_err(StoreError::from)
    {
        tracing::warn!("the ledger lacks the last positions: {error}");
    }
}

/// The batches that can share a transaction with the first, and what stood behind them. Whose caller has gone is not begun.
fn waiting(first: Commit, jobs: &Receiver<Job>) -> (Vec<Commit>, Option<Alone>) {
    let mut commits = vec![first];
    while commits.len() < GROUP {
        match jobs.try_recv() {
            Ok(Job::Commit(commit)) => commits.push(commit),
            Ok(Job::Alone(alone)) => return (commits, Some(alone)),
            Err(_) => break,
        }
    }
    (commits, None)
}

fn in_one_view<R>(
    sql: &Session,
    longest: Duration,
    read: impl FnOnce(&Session) -> Result<R>,
) -> Result<R> {
    let view = begin(sql, TransactionBehavior::Deferred)?;
    let result = sql.within(longest, || read(sql))?;
    view.commit()?;
    Ok(result)
}

/// Nobody is answered before all is durable. If it does not become so, all batches failed alike, also those that were refused: they were
/// judged by changes that never happened.
fn commit_together(worker: &Worker, commits: Vec<Commit>) {
    let results = in_one_transaction(worker, &commits).map_err(StoreError::from);
    match results {
        Ok(results) => commits.into_iter().zip(results).for_each(|(commit, result)| {
            let _ = commit.answer.try_send(result);
        }),
        Err(error) => commits.into_iter().for_each(|commit| {
            let _ = commit.answer.try_send(Err(error.clone()));
        }),
    }
}

fn in_one_transaction(sql: &Worker, commits: &[Commit]) -> Result<Vec<Answer<Committed>>> {
    let transaction = begin(sql, TransactionBehavior::Immediate)?;
    let results: Vec<_> = match commits {
        // Here the transaction itself is what is taken back. A savepoint keeps each page as it was, for most creates in a file of its own.
        [commit] => vec![Ok(write::apply(sql, &commit.tenant, &commit.batch)?)],
        _ => commits.iter().map(|commit| in_savepoint(sql, commit)).collect::<Result<_>>()?,
    };
    let lasting =
        commits.iter().zip(&results).filter(|(it, done)| done.is_ok() && lasts(&it.batch));
    let tenants: BTreeSet<_> = lasting.map(|(it, _)| it.tenant.as_str().to_owned()).collect();
    let noted = match sql.ledger() {
        Some(ledger) if !tenants.is_empty() => ledger.note(sql, tenants)?,
        _ => None,
    };
    transaction.commit()?;
    noted.map(Transaction::commit).transpose()?;
    Ok(results)
}

/// The batch's own result; a failure only where the others of its transaction are lost with it.
fn in_savepoint(sql: &Session, commit: &Commit) -> Result<Answer<Committed>> {
    sql.prepare_cached("SAVEPOINT batch")?.execute([])?;
    let result = write::apply(sql, &commit.tenant, &commit.batch);
    match result {
        Err(failure @ Failure::Sqlite(_)) if sql.is_autocommit() => return Err(failure),
        Err(_) => sql.prepare_cached("ROLLBACK TO batch")?.execute([])?,
        Ok(_) => 0,
    };
    sql.prepare_cached("RELEASE batch")?.execute([])?;
    Ok(result.map_err(StoreError::from))
}

#[cfg(test)]
mod tests;
