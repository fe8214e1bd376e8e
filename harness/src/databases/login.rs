//! Who clients are to nodes that run elsewhere, and whether what they say can be read on its way.
//!
//! It comes from the environment of the process, so that no plan, history or report has a password in it.
//! Nodes that are started here know no users.

use std::sync::OnceLock;

use super::Database;
use super::tls::Tls;

/// Where the environment says who they are.
pub(super) const USER: &str = "SPLITBRAIN_DB_USER";
pub(super) const PASSWORD: &str = "SPLITBRAIN_DB_PASSWORD";

/// Who clients are, and how they are secret.
#[derive(Default)]
pub struct Login {
    /// Nobody, unless it is said.
    pub user: Option<String>,
    /// What proves it.
    pub password: Option<String>,
    /// There, if nodes are spoken to by TLS.
    pub tls: Option<Tls>,
}

static OF_RUN: OnceLock<Login> = OnceLock::new();
static NOBODY: Login = Login { user: None, password: None, tls: None };

/// That of this process's run, which has one at most; nobody's, if it starts its nodes itself.
pub fn of_run() -> &'static Login {
    OF_RUN.get().unwrap_or(&NOBODY)
}

/// What the environment says of a variable. An empty one says nothing.
pub(super) fn said(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Takes what the environment says, for nodes of this database at these URLs.
///
/// # Errors
/// It knows no users, or TLS cannot be spoken.
pub fn take(database: &dyn Database, urls: &[String]) -> Result<(), String> {
    let (user, password) = (said(USER), said(PASSWORD));
    if (user.is_some() || password.is_some()) && !database.knows_users() {
        let target = database.target();
        return Err(format!("{target} knows no users here: leave {USER} and {PASSWORD} out"));
    }
    let mut secret = urls.iter().map(|url| !url.starts_with(&format!("{}:", database.scheme())));
    let first = secret.next().unwrap_or_default();
    if secret.any(|other| other != first) {
        return Err("either all nodes are spoken to by TLS or none is".to_owned());
    }
    let tls = first.then(Tls::of_environment).transpose()?;
    // A second run of a process would be of the same environment.
    let _ = OF_RUN.set(Login { user, password, tls });
    Ok(())
}
