//! The contract between the interpreter and a database client.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;
use splitbrain_checker::history::{ErrorKind, EventError, Kind};

use crate::generator::Invocation;
use crate::vocabulary::Vocabulary;

/// A boxed future that borrows for `'a`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One connection to one node, used by one worker, one operation at a time.
///
/// Retries inside drivers must be off: a retried write is two writes, and the history would show
/// one.
pub trait Client<V: Vocabulary>: Send {
    /// Carries out one call. The caller gives up by dropping the future, which must be safe.
    fn invoke<'a>(
        &'a mut self,
        call: &'a V::Call,
    ) -> BoxFuture<'a, Result<Outcome<V::Ret>, OpError>>;
}

/// What a successful call returned.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<R> {
    /// The typed result.
    pub ret: R,
    /// The version of the object that the system itself reported.
    pub version: Option<u64>,
}

impl<R> From<R> for Outcome<R> {
    fn from(ret: R) -> Outcome<R> {
        Outcome { ret, version: None }
    }
}

/// Why a call returned nothing.
///
/// Every error that nobody classified becomes [`OpError::Info`] through `From`: forgetting one
/// costs precision, never soundness.
#[derive(Clone, Debug, PartialEq)]
pub enum OpError {
    /// It certainly did not happen and never will.
    Fail(EventError),
    /// It may have happened, now or later.
    Info(EventError),
}

impl OpError {
    /// Certainly did not happen.
    pub fn fail(kind: ErrorKind, text: impl Into<String>) -> OpError {
        OpError::Fail(EventError { kind, text: text.into() })
    }

    /// May have happened.
    pub fn info(kind: ErrorKind, text: impl Into<String>) -> OpError {
        OpError::Info(EventError { kind, text: text.into() })
    }

    /// What went wrong, however certain it is what became of the operation.
    pub fn error(self) -> EventError {
        match self {
            OpError::Fail(error) | OpError::Info(error) => error,
        }
    }

    /// The same where nothing was done yet that anybody could see.
    pub fn before_anything(self) -> OpError {
        OpError::Fail(self.error())
    }
}

impl<E: std::error::Error> From<E> for OpError {
    fn from(error: E) -> OpError {
        OpError::info(ErrorKind::Other, error.to_string())
    }
}

/// What goes into the history for one invocation: the erased form of a client's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// `ok`, `fail` or `info`; never `invoke`.
    pub kind: Kind,
    /// The result of an `ok`, the argument otherwise.
    pub value: Value,
    /// Version that the system reported.
    pub version: Option<u64>,
    /// Why it is not `ok`.
    pub error: Option<EventError>,
}

impl Completion {
    /// The completion of an operation that ended in an error.
    pub fn error(error: OpError, argument: Value) -> Completion {
        let (kind, error) = match error {
            OpError::Fail(error) => (Kind::Fail, error),
            OpError::Info(error) => (Kind::Info, error),
        };
        Completion { kind, value: argument, version: None, error: Some(error) }
    }
}

/// A client whose vocabulary is known only at run time.
pub trait ErasedClient: Send {
    /// Carries out one invocation.
    fn invoke<'a>(&'a mut self, invocation: &'a Invocation) -> BoxFuture<'a, Completion>;
}

struct Erased<V, C> {
    client: C,
    vocabulary: std::marker::PhantomData<fn() -> V>,
}

impl<V: Vocabulary, C: Client<V>> ErasedClient for Erased<V, C> {
    fn invoke<'a>(&'a mut self, invocation: &'a Invocation) -> BoxFuture<'a, Completion> {
        Box::pin(async move {
            let decoded = V::decode(&invocation.f, invocation.key.as_deref(), &invocation.value);
            let call = match decoded {
                Ok(call) => call,
                // Nothing was sent, so it certainly did not happen.
                Err(malformed) => {
                    let error = OpError::fail(ErrorKind::Other, malformed.to_string());
                    return Completion::error(error, invocation.value.clone());
                }
            };
            match self.client.invoke(&call).await {
                Ok(outcome) => Completion {
                    kind: Kind::Ok,
                    value: V::encode(&call, outcome.ret),
                    version: outcome.version,
                    error: None,
                },
                Err(error) => Completion::error(error, invocation.value.clone()),
            }
        })
    }
}

/// Wraps a typed client for the interpreter.
pub fn erase<V: Vocabulary>(client: impl Client<V> + 'static) -> Box<dyn ErasedClient> {
    Box::new(Erased::<V, _> { client, vocabulary: std::marker::PhantomData })
}

/// Makes the client of one worker from the index of the node it is bound to, and from what the objects
/// hold before the first operation.
type Connect = Arc<dyn Fn(usize, &Value) -> Box<dyn ErasedClient> + Send + Sync>;

/// A client with a connection to each node that it has been to.
struct Traveller {
    connect: Connect,
    initial: Value,
    open: BTreeMap<usize, Box<dyn ErasedClient>>,
    home: usize,
}

impl ErasedClient for Traveller {
    fn invoke<'a>(&'a mut self, invocation: &'a Invocation) -> BoxFuture<'a, Completion> {
        let node = invocation.node.unwrap_or(self.home);
        let connect = || (self.connect)(node, &self.initial);
        let client = self.open.entry(node).or_insert_with(connect);
        client.invoke(invocation)
    }
}

/// The vocabularies that a database serves, and how to connect for each.
#[derive(Clone, Default)]
pub struct Clients {
    served: BTreeMap<&'static str, Connect>,
    texts: BTreeSet<&'static str>,
}

impl Clients {
    /// Adds a vocabulary. `connect` gets the index of a node and must not block: connections are
    /// opened by the first operation.
    pub fn serve<V: Vocabulary, C: Client<V> + 'static>(
        self,
        connect: impl Fn(usize) -> C + Send + Sync + 'static,
    ) -> Clients {
        self.serve_filled::<V, C>(move |node, _| connect(node))
    }

    /// The same for objects that are not empty at first: `connect` also gets what they are to hold before
    /// the first operation, as [`crate::Load::initial`] says it, and the client sees to that they do.
    pub fn serve_filled<V: Vocabulary, C: Client<V> + 'static>(
        self,
        connect: impl Fn(usize, &Value) -> C + Send + Sync + 'static,
    ) -> Clients {
        self.serve_erased(V::NAME, move |node, initial| erase::<V>(connect(node, initial)))
    }

    /// Adds a vocabulary by its name, for a client that carries out operations as they stand in a
    /// history.
    pub fn serve_erased(
        mut self,
        vocabulary: &'static str,
        connect: impl Fn(usize, &Value) -> Box<dyn ErasedClient> + Send + Sync + 'static,
    ) -> Clients {
        self.served.insert(vocabulary, Arc::new(connect));
        self
    }

    /// Says of a vocabulary of registers or transactions that texts are kept as they are where it has values, so
    /// that these can be of any size ([`crate::padding`]).
    pub fn keep_texts<V: Vocabulary>(mut self) -> Clients {
        self.texts.insert(V::NAME);
        self
    }

    /// The names of the vocabularies whose values can be texts.
    pub fn texts(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.texts.iter().copied()
    }

    /// The names of the vocabularies served.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.served.keys().copied()
    }

    /// A client for a vocabulary, or nothing if the database does not serve it. It is at home at
    /// this node, and goes to others for invocations that name another one. Its objects hold `initial`
    /// before the first operation.
    pub fn connect(
        &self,
        vocabulary: &str,
        home: usize,
        initial: &Value,
    ) -> Option<Box<dyn ErasedClient>> {
        let connect = self.served.get(vocabulary)?.clone();
        let open = BTreeMap::from([(home, connect(home, initial))]);
        Some(Box::new(Traveller { connect, initial: initial.clone(), open, home }))
    }
}
