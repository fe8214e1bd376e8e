//! Systems that speak SQL: what the vocabularies say, as transactions that are written once for all of
//! them. A system brings a [`Connection`], a way to the right server ([`Servers`]) and a [`Dialect`].
//!
//! Every operation is one transaction at the isolation level that the system was told, and nothing is
//! tried twice: what loses to another transaction has failed. Each run has tables of its own, whose
//! names begin with its prefix; whoever misses one makes it.

mod access;
mod dialect;
mod errors;
mod objects;
mod steps;

use std::marker::PhantomData;

use serde_json::Value;
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::append::ListAppend;
use splitbrain_workloads::objects::bank::Bank;
use splitbrain_workloads::objects::causal::Causal;
use splitbrain_workloads::objects::causal_reverse::Table;
use splitbrain_workloads::objects::counter::Counter;
use splitbrain_workloads::objects::g2::Insertion;
use splitbrain_workloads::objects::long_fork::LongFork;
use splitbrain_workloads::objects::monotonic::Tables;
use splitbrain_workloads::objects::register::{Held, Register};
use splitbrain_workloads::objects::set::Set;
use splitbrain_workloads::objects::set_remove::Element;
use splitbrain_workloads::objects::wr::RwRegister;
use splitbrain_workloads::{BoxFuture, Client, Clients, OpError, Outcome, Vocabulary};

pub use access::Access;
pub use dialect::Dialect;
pub use errors::Problem;

/// A value in a statement or a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Datum {
    Null,
    Int(i64),
    Text(String),
}

impl From<i64> for Datum {
    fn from(value: i64) -> Datum {
        Datum::Int(value)
    }
}

impl From<&Held> for Datum {
    fn from(held: &Held) -> Datum {
        held.number().map_or_else(|| Datum::Text(held.to_string()), Datum::Int)
    }
}

impl From<&str> for Datum {
    fn from(text: &str) -> Datum {
        Datum::Text(text.to_owned())
    }
}

/// A row, by column.
pub type Row = Vec<Datum>;

/// A connection on which one thing is asked at a time. Whoever gives up an answer drops it.
pub trait Connection: Send + 'static {
    /// Begins a transaction at the level that the system was told.
    fn begin(&mut self, reads_only: bool) -> BoxFuture<'_, Result<(), Problem>>;
    /// Asks for rows.
    fn query<'a>(
        &'a mut self,
        statement: &'a str,
        values: &'a [Datum],
    ) -> BoxFuture<'a, Result<Vec<Row>, Problem>>;
    /// Has something changed, and returns how many rows were.
    fn change<'a>(
        &'a mut self,
        statement: &'a str,
        values: &'a [Datum],
    ) -> BoxFuture<'a, Result<u64, Problem>>;
}

/// A client's way to the servers: from a node, to whichever carries out a transaction.
pub trait Servers: Send + 'static {
    type Connection: Connection;
    /// How these servers are spoken to.
    fn dialect(&self) -> &'static Dialect;
    /// A connection for one transaction. An error says that nothing has happened.
    fn take(&mut self, reads_only: bool) -> BoxFuture<'_, Result<Self::Connection, OpError>>;
    /// Takes back a connection on which nothing is open.
    fn give_back(&mut self, connection: Self::Connection);
}

/// A vocabulary of which each call is one transaction.
pub trait InSql: Vocabulary {
    /// Statements that make its tables, if they are not there, with what is in them at first.
    const SETUP: &'static [&'static str];
    /// The statement after these that puts in what the workload says is there at first, all in one.
    fn opening(_initial: &Value) -> Option<String> {
        None
    }
    /// Whether a call changes nothing.
    fn reads_only(call: &Self::Call) -> bool;
    /// What is done between the beginning of the transaction and its commit.
    fn carry_out<'a, C: Connection>(
        call: &'a Self::Call,
        transaction: &'a mut Transaction<C>,
    ) -> BoxFuture<'a, Result<Self::Ret, Stop>>;
}

/// Why a transaction is not committed.
#[derive(Debug)]
pub enum Stop {
    /// A statement was not carried out.
    Problem(Problem),
    /// What was found forbids it: a correct negative answer.
    Mismatch(&'static str),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Stop {
        Stop::Problem(problem)
    }
}

/// An open transaction. In statements `{NAME}` stands for a table of this run or for a word of the
/// dialect, and `?` for a value.
pub struct Transaction<C> {
    connection: C,
    dialect: &'static Dialect,
    prefix: String,
}

impl<C: Connection> Transaction<C> {
    /// Asks for rows.
    pub async fn query(&mut self, statement: &str, values: &[Datum]) -> Result<Vec<Row>, Problem> {
        let statement = self.dialect.spell(statement, &self.prefix);
        self.connection.query(&statement, values).await
    }

    /// Has something changed, and returns how many rows were.
    pub async fn change(&mut self, statement: &str, values: &[Datum]) -> Result<u64, Problem> {
        let statement = self.dialect.spell(statement, &self.prefix);
        self.connection.change(&statement, values).await
    }
}

/// A client of any of these systems.
struct SqlClient<S, V> {
    servers: S,
    prefix: String,
    initial: Value,
    vocabulary: PhantomData<fn() -> V>,
}

impl<S: Servers, V: InSql> SqlClient<S, V> {
    async fn take(&mut self, reads_only: bool) -> Result<Transaction<S::Connection>, OpError> {
        let connection = self.servers.take(reads_only).await?;
        let (dialect, prefix) = (self.servers.dialect(), self.prefix.clone());
        Ok(Transaction { connection, dialect, prefix })
    }

    /// Carries out a call. The inner error is a statement or a look that stopped it: it has not
    /// happened.
    async fn transact(&mut self, call: &V::Call) -> Result<Result<V::Ret, Stop>, OpError> {
        let reads_only = V::reads_only(call);
        let mut open = self.take(reads_only).await?;
        let begun = open.connection.begin(reads_only).await;
        let done = match begun {
            Ok(()) => V::carry_out(call, &mut open).await,
            Err(problem) => Err(problem.into()),
        };
        if let Err(Stop::Problem(Problem { state: None, .. })) = &done {
            return Ok(done);
        }
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        match open.connection.change(end, &[]).await {
            Ok(_) => self.servers.give_back(open.connection),
            Err(problem) if done.is_ok() => return Err(problem.at_commit()),
            Err(_) => {}
        }
        Ok(done)
    }

    /// Makes the tables. Somebody else may be doing the same.
    async fn set_up(&mut self) -> Result<(), OpError> {
        let mut open = self.take(false).await?;
        let opening = V::opening(&self.initial);
        for statement in V::SETUP.iter().copied().chain(opening.as_deref()) {
            match open.change(statement, &[]).await {
                Err(problem) if !problem.is_there_already() => return Err(problem.before_commit()),
                _ => {}
            }
        }
        self.servers.give_back(open.connection);
        Ok(())
    }
}

impl<S: Servers, V: InSql> Client<V> for SqlClient<S, V> {
    fn invoke<'a>(
        &'a mut self,
        call: &'a V::Call,
    ) -> BoxFuture<'a, Result<Outcome<V::Ret>, OpError>> {
        Box::pin(async move {
            let mut done = self.transact(call).await?;
            if let Err(Stop::Problem(problem)) = &done
                && problem.is_missing_table()
            {
                self.set_up().await?;
                done = self.transact(call).await?;
            }
            done.map(Outcome::from).map_err(|stop| match stop {
                Stop::Problem(problem) => problem.before_commit(),
                Stop::Mismatch(why) => OpError::fail(ErrorKind::Mismatch, why),
            })
        })
    }
}

/// Serves all vocabularies that are spoken here. `connect` gets the index of a node.
pub fn clients<S: Servers>(
    prefix: &str,
    connect: impl Fn(usize) -> S + Clone + Send + Sync + 'static,
) -> Clients {
    let clients = Clients::default();
    let clients = serve::<Bank, S>(clients, prefix, connect.clone());
    let clients = serve::<Causal, S>(clients, prefix, connect.clone());
    let clients = serve::<Counter, S>(clients, prefix, connect.clone());
    let clients = serve::<Element, S>(clients, prefix, connect.clone());
    let clients = serve::<Insertion, S>(clients, prefix, connect.clone());
    let clients = serve::<ListAppend, S>(clients, prefix, connect.clone());
    let clients = serve::<LongFork, S>(clients, prefix, connect.clone());
    let clients = serve::<Register, S>(clients, prefix, connect.clone());
    let clients = serve::<RwRegister, S>(clients, prefix, connect.clone());
    let clients = serve::<Set, S>(clients, prefix, connect.clone());
    let clients = serve::<Table, S>(clients, prefix, connect.clone());
    serve::<Tables, S>(clients, prefix, connect)
}

fn serve<V: InSql, S: Servers>(
    clients: Clients,
    prefix: &str,
    connect: impl Fn(usize) -> S + Send + Sync + 'static,
) -> Clients {
    let prefix = prefix.to_owned();
    clients.serve_filled::<V, _>(move |node, initial| SqlClient {
        servers: connect(node),
        prefix: prefix.clone(),
        initial: initial.clone(),
        vocabulary: PhantomData,
    })
}
