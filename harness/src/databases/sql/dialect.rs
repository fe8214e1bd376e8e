//! What differs from one system's SQL to another's.

/// How a system writes names, values and what is usual but not standard.
pub struct Dialect {
    /// Around a name.
    pub quote: char,
    /// Values are `$1`, `$2`, ..., otherwise `?`.
    pub numbered: bool,
    /// Before the assignments of an insertion whose key `k` is there already.
    pub or_set: &'static str,
    /// In such an assignment, what was to be inserted as `v`.
    pub new: &'static str,
    /// After an insertion that does nothing if the row is there already.
    pub or_leave: &'static str,
}

impl Dialect {
    /// A statement with this system's words and the tables of a run.
    pub fn spell(&self, statement: &str, prefix: &str) -> String {
        let mut spelled = String::with_capacity(2 * statement.len());
        let mut values = 0;
        let mut rest = statement;
        while let Some(at) = rest.find(['{', '?']) {
            spelled += &rest[..at];
            rest = &rest[at..];
            if let Some((word, after)) =
                rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
            {
                match word {
                    "or-set" => spelled += self.or_set,
                    "new" => spelled += self.new,
                    "or-leave" => spelled += self.or_leave,
                    table => {
                        let quote = self.quote;
                        spelled += &format!("{quote}{prefix}{table}{quote}");
                    }
                }
                rest = after;
            } else {
                values += 1;
                spelled += &if self.numbered { format!("${values}") } else { "?".to_owned() };
                rest = &rest[1..];
            }
        }
        spelled + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_spelled_as_each_system_wants_them() {
        let statement =
            "insert into {list} (k, v) values (?, ?) {or-set} v = concat({list}.v, {new})";
        let check = |dialect: &Dialect, expect: &str| {
            assert_eq!(dialect.spell(statement, "run-1-"), expect);
        };
        let numbered = Dialect {
            quote: '"',
            numbered: true,
            or_set: "on conflict (k) do update set",
            new: "excluded.v",
            or_leave: "on conflict do nothing",
        };
        check(
            &numbered,
            "insert into \"run-1-list\" (k, v) values ($1, $2) on conflict (k) do update set \
             v = concat(\"run-1-list\".v, excluded.v)",
        );
        let plain = Dialect {
            quote: '`',
            numbered: false,
            or_set: "on duplicate key update",
            new: "values(v)",
            or_leave: "on duplicate key update k = values(k)",
        };
        check(
            &plain,
            "insert into `run-1-list` (k, v) values (?, ?) on duplicate key update \
             v = concat(`run-1-list`.v, values(v))",
        );
    }
}
