//! Who clients are to a database.

use crate::databases::login::{self, said};

/// Who clients are, from the environment, so that no plan and no report has a password in it.
#[derive(Clone)]
pub struct Access {
    pub user: String,
    pub database: String,
    pub password: Option<String>,
}

/// Where the environment says which database it is.
const DATABASE: &str = "SPLITBRAIN_DB_NAME";

impl Access {
    /// As the environment says; otherwise user and database have this name.
    pub fn of_environment(usual: &str) -> Access {
        let usual = || usual.to_owned();
        Access {
            user: said(login::USER).unwrap_or_else(usual),
            database: said(DATABASE).unwrap_or_else(usual),
            password: said(login::PASSWORD),
        }
    }
}
