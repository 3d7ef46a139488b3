//! The threads that own the connections.
//!
//! One thread writes. Some threads serve short reads, which are broken off after some milliseconds. A read that takes longer begins anew on one
//! of the threads for long reads. So a long read makes no short one wait, and nothing has to tell beforehand how long a read will take.

use std::{
    cell::Cell,
    fmt,
    ops::Deref,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use scim_core::store::{Batch, Committed, Party, Stamps, StoreError, Tenant};

use super::{
    failure::{Failure, Result},
    jobs::{Answer, Commit, Job, Jobs, gone},
    ledger::{Ledger, Noted, PAUSE, Seen, Settled, is_unsure},
    note::Note,
    open::PATIENCE,
    session::{Session, begin},
    signals::Signals,
    write,
};

/// How many batches share a transaction at most.
const GROUP: usize = 256;

/// How many resources and members the batches of one transaction write at most. A larger batch has a transaction of its own, so that the
/// others do not wait for it.
const WEIGHT: usize = 2_000;

/// How long a read may take on a thread for short reads. A page of a hundred resources takes a fifth of it.
const SHORT: Duration = Duration::from_millis(5);

/// What a thread works with.
pub(super) struct Worker {
    sql: Session,
    ledger: Option<Ledger>,
    stamps: Stamps,
    /// Whether something was settled, so that all who wait for changes look again.
    settled: Cell<bool>,
    /// Whether the last commit failed in a way that leaves open what the disk has of it.
    unsure: Cell<bool>,
}

impl Worker {
    /// One that keeps no ledger.
    pub(super) fn new(sql: Session, stamps: Stamps) -> Self {
        Self { sql, ledger: None, stamps, settled: Cell::default(), unsure: Cell::default() }
    }

    /// The one that writes to a file with that ledger beside it.
    pub(super) fn keeping(sql: Session, ledger: Ledger, stamps: Stamps) -> Self {
        Self { ledger: Some(ledger), ..Self::new(sql, stamps) }
    }

    fn apply(&self, commit: &Commit) -> Result<(Committed, Note)> {
        write::apply(&self.sql, &commit.party.tenant, &commit.batch, self.stamps.draw()?)
    }

    /// The ledger of the file, if it has one and this is the worker that writes.
    pub(super) fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    /// A transaction that writes, over a file that agrees with its ledger.
    pub(super) fn begin(&self) -> Result<Transaction<'_>> {
        let tried = Instant::now();
        loop {
            let transaction = begin(&self.sql, TransactionBehavior::Immediate)?;
            if self.unsure.get() {
                self.write_over()?;
                transaction.commit()?;
                self.unsure.set(false);
                continue;
            }
            let Some(ledger) = &self.ledger else { return Ok(transaction) };
            let settled = ledger.settle_running(&self.sql)?;
            match settled {
                Settled::Agreed => return Ok(transaction),
                Settled::Changed(_) => {
                    let noted = Noted::of(&self.sql)?;
                    transaction.commit()?;
                    ledger.agree(noted);
                    self.settled.set(true);
                }
                Settled::Busy if tried.elapsed() < PATIENCE => {
                    transaction.rollback()?;
                    thread::sleep(PAUSE);
                }
                Settled::Busy => {
                    let text = "another process has not settled what it noted in the ledger";
                    return Err(StoreError::Unavailable(text.to_owned()).into());
                }
            }
        }
    }

    /// Makes the file agree with its ledger.
    fn settle(&self) -> Result<()> {
        self.begin()?.rollback()?;
        Ok(())
    }

    /// Withdraws what was noted and did not happen. Where that cannot be done now, it is done
    /// before the next transaction.
    fn withdraw(&self) {
        if let Err(error) = self.settle().map_err(StoreError::from) {
            tracing::warn!("a commit that failed is not withdrawn yet: {error}");
        }
    }

    /// Ends a transaction. Where that fails, nothing of it happens, whatever the disk has of it.
    fn commit(&self, transaction: Transaction<'_>) -> Result<()> {
        let committed = self.sql.execute_batch("COMMIT");
        // SQLite looks once more whether it is interrupted when the transaction is over.
        let is_over = self.sql.is_autocommit();
        drop(transaction);
        match committed {
            Err(error) if is_over && is_interrupted(&error) => Ok(()),
            Err(error) => {
                self.unsure.set(self.unsure.get() || is_unsure(&error));
                Err(error.into())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Writes something in the place of a commit that failed, which a crash might bring to light
    /// otherwise.
    fn write_over(&self) -> Result<()> {
        self.sql.execute("UPDATE noted SET number = number", [])?;
        Ok(())
    }

    /// Says that no copy from before a time will be brought back. How many values and deletions
    /// were dropped.
    pub(super) fn forget_copies(&self, before: DateTime<Utc>) -> Result<u64> {
        let Some(ledger) = &self.ledger else { return Ok(0) };
        let transaction = self.begin()?;
        let last = ledger.flush(&self.sql)?;
        self.commit(transaction)?;
        ledger.forget(before, last)
    }
}

fn is_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

impl Deref for Worker {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.sql
    }
}

/// Connections that only read.
pub(super) struct Readers {
    pub(super) short: Vec<Connection>,
    pub(super) long: Vec<Connection>,
}

/// The queues, and the threads that serve them, the writer first.
pub(super) struct Workers {
    writer: Arc<Jobs>,
    short: Arc<Jobs>,
    long: Arc<Jobs>,
    threads: Vec<thread::JoinHandle<()>>,
    longest_read: Duration,
    /// Which notes of a ledger readers may find in the file.
    seen: Option<Arc<Seen>>,
}

impl fmt::Debug for Workers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Workers").field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl Workers {
    /// Threads for the connections. Without readers the writer reads too.
    pub(super) fn start(
        writer: Worker,
        readers: Option<Readers>,
        longest_read: Duration,
        committed: &Arc<Signals>,
    ) -> Answer<Self> {
        let jobs = Jobs::new(GROUP);
        let (short, long) = (Arc::clone(&jobs), Arc::clone(&jobs));
        let seen = writer.ledger().map(Ledger::seen);
        let mut workers = Self { writer: jobs, short, long, threads: vec![], longest_read, seen };
        let (jobs, committed) = (Arc::clone(&workers.writer), Arc::clone(committed));
        workers.employ("scim-sql writer", move || write_all(&writer, &jobs, &committed))?;
        if let Some(Readers { short, long }) = readers {
            workers.short = workers.serve("scim-sql short read", short)?;
            workers.long = workers.serve("scim-sql long read", long)?;
        }
        Ok(workers)
    }

    /// A queue that a thread with each of these connections serves.
    fn serve(&mut self, name: &str, connections: Vec<Connection>) -> Answer<Arc<Jobs>> {
        let jobs = Jobs::new(connections.len());
        for connection in connections {
            let reader = Worker::new(Session::limited(connection)?, Stamps::random());
            let jobs = Arc::clone(&jobs);
            self.employ(name, move || read_all(&reader, &jobs))?;
        }
        Ok(jobs)
    }

    fn employ(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Answer<()> {
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .map_err(|error| StoreError::Unavailable(format!("no thread: {error}")))?;
        self.threads.push(thread);
        Ok(())
    }

    pub(super) async fn commit(&self, tenant: Tenant, batch: Batch) -> Answer<Committed> {
        let (answer, answered) = async_channel::bounded(1);
        let party = Party::asking(&tenant);
        let job = Job::Commit(Commit { party: party.clone(), batch, answer });
        self.writer.push(&party, job)?;
        answered.recv().await.map_err(|_| gone())?
    }

    /// Reads in one transaction, so that all it sees is of one moment, and no longer than a read
    /// may take. What is not done in a short time begins anew among the long reads. A file that was
    /// set back is settled first, so that nothing that has ended is read.
    pub(super) async fn read<R: Send + 'static>(
        &self,
        tenant: &Tenant,
        read: impl Fn(&Session) -> Result<R> + Send + Sync + 'static,
    ) -> Answer<R> {
        let read = Arc::new(read);
        let (mut jobs, mut longest) = (&self.short, SHORT.min(self.longest_read));
        loop {
            let (read, seen) = (Arc::clone(&read), self.seen.clone());
            let attempt = move |worker: &Worker| match in_one_view(
                worker,
                longest,
                seen.as_deref(),
                &*read,
            ) {
                Ok(done) => Ok(Attempt::Done(done)),
                Err(Failure::Late) => Ok(Attempt::Late),
                Err(Failure::SetBack) => Ok(Attempt::SetBack),
                Err(failure) => Err(failure),
            };
            match alone(jobs, tenant, attempt).await? {
                Attempt::Done(done) => return Ok(done),
                Attempt::Late if longest >= self.longest_read => return Err(Failure::Late.into()),
                Attempt::Late => (jobs, longest) = (&self.long, self.longest_read),
                Attempt::SetBack => self.maintain(Worker::settle).await?,
            }
        }
    }

    /// Does something with the connection of a reader, outside of a transaction.
    pub(super) async fn beside<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Session) -> Result<R> + Send + 'static,
    ) -> Answer<R> {
        alone(&self.long, &all(), move |worker| work(worker)).await
    }

    /// Does something with the connection of the writer, outside of a transaction.
    pub(super) async fn maintain<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Worker) -> Result<R> + Send + 'static,
    ) -> Answer<R> {
        alone(&self.writer, &all(), work).await
    }
}

/// What is done for the file as a whole takes turns as one more organisation.
fn all() -> Tenant {
    "".into()
}

async fn alone<R: Send + 'static>(
    jobs: &Jobs,
    tenant: &Tenant,
    work: impl FnOnce(&Worker) -> Result<R> + Send + 'static,
) -> Answer<R> {
    let (answer, answered) = async_channel::bounded(1);
    let job = Job::Alone(Box::new(move |sql| {
        // Nobody may be waiting any more.
        if !answer.is_closed() {
            let _ = answer.try_send(work(sql).map_err(StoreError::from));
        }
    }));
    jobs.push(&Party::asking(tenant), job)?;
    answered.recv().await.map_err(|_| gone())?
}

impl Drop for Workers {
    fn drop(&mut self) {
        // The writer's connection closes last and alone. Of several that close at once, each may take another for one that stays, and none
        // clears the write-ahead log away. A thread that panicked has nothing left to finish.
        let mut threads = self.threads.drain(..);
        let writer = threads.next();
        if !Arc::ptr_eq(&self.short, &self.writer) {
            self.short.close();
            self.long.close();
        }
        threads.for_each(|reader| _ = reader.join());
        self.writer.close();
        let _ = writer.map(thread::JoinHandle::join);
    }
}

fn read_all(reader: &Worker, jobs: &Jobs) {
    while let Some((party, job)) = jobs.next() {
        if let Job::Alone(work) = job {
            work(reader);
        }
        jobs.end([&party]);
    }
}

fn write_all(writer: &Worker, jobs: &Jobs, committed: &Signals) {
    while let Some((party, job)) = jobs.next() {
        match job {
            Job::Alone(work) => {
                work(writer);
                jobs.end([&party]);
            }
            Job::Commit(first) => {
                let mut commits = with_others(first, jobs);
                let parties: Vec<Party> =
                    commits.iter().map(|commit| commit.party.clone()).collect();
                // A batch whose caller has gone is not begun.
                commits.retain(|commit| !commit.answer.is_closed());
                commit_together(writer, commits);
                committed.notify(parties.iter().map(|party| &party.tenant));
                jobs.end(&parties);
            }
        }
        if writer.settled.take() {
            committed.notify_all();
        }
    }
    // Otherwise the next process would do it again.
    if writer.ledger().is_some_and(Ledger::has_pending) {
        writer.withdraw();
    }
}

/// The batches that share a transaction with the first.
fn with_others(first: Commit, jobs: &Jobs) -> Vec<Commit> {
    let mut left = WEIGHT.saturating_sub(first.weight());
    let mut commits = vec![first];
    while commits.len() < GROUP
        && let Some(commit) = jobs.next_commit(left)
    {
        left -= commit.weight();
        commits.push(commit);
    }
    commits
}

/// What came of a read.
enum Attempt<R> {
    Done(R),
    Late,
    SetBack,
}

fn in_one_view<R>(
    sql: &Session,
    longest: Duration,
    seen: Option<&Seen>,
    read: impl FnOnce(&Session) -> Result<R>,
) -> Result<R> {
    // Before the view begins, which then has that note or a later one, unless the file was set
    // back.
    let floor = seen.map(Seen::floor);
    let view = begin(sql, TransactionBehavior::Deferred)?;
    if let (Some(seen), Some(floor)) = (seen, floor)
        && !seen.allows(Noted::of(sql)?, floor)
    {
        return Err(Failure::SetBack);
    }
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
        Err(error) => {
            if worker.unsure.get() || worker.ledger().is_some_and(Ledger::has_pending) {
                worker.withdraw();
            }
            commits.into_iter().for_each(|commit| {
                let _ = commit.answer.try_send(Err(error.clone()));
            });
        }
    }
}

fn in_one_transaction(worker: &Worker, commits: &[Commit]) -> Result<Vec<Answer<Committed>>> {
    let transaction = worker.begin()?;
    let results: Vec<Answer<_>> = match commits {
        // Here the transaction itself is what is taken back. A savepoint keeps each page as it was, for most creates in a file of its own.
        [commit] => vec![Ok(worker.apply(commit)?)],
        _ => commits.iter().map(|commit| in_savepoint(worker, commit)).collect::<Result<_>>()?,
    };
    let (mut answers, mut notes) = (vec![], vec![]);
    for result in results {
        answers.push(result.map(|(committed, note)| {
            notes.extend(Some(note).filter(|note| !note.is_empty()));
            committed
        }));
    }
    let Some(ledger) = worker.ledger().filter(|_| !notes.is_empty()) else {
        worker.commit(transaction)?;
        return Ok(answers);
    };
    let noted = ledger.note(worker, &notes)?;
    worker.commit(transaction)?;
    ledger.agree(noted);
    Ok(answers)
}

/// The batch's own result; a failure only where the others of its transaction are lost with it.
fn in_savepoint(sql: &Worker, commit: &Commit) -> Result<Answer<(Committed, Note)>> {
    sql.prepare_cached("SAVEPOINT batch")?.execute([])?;
    let result = sql.apply(commit);
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
