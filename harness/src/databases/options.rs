//! What a system can be told beside its name: `NAME@OPTION=VALUE[+OPTION=VALUE]...`, as faults are.

use std::fmt;

/// Something that a system can be told.
pub struct Opt {
    /// Name, as after `@` or `--db-option`.
    pub name: &'static str,
    /// What it is if nothing is said.
    pub usual: &'static str,
    /// The words that it may be; a number, if there are none.
    pub words: &'static [&'static str],
    /// What it does, in a few words.
    pub about: &'static str,
}

/// What a system is told.
#[derive(Clone)]
pub struct Told {
    options: &'static [Opt],
    /// Option and value, in the order in which they were said.
    said: Vec<(&'static str, String)>,
}

impl Told {
    /// Nothing is said of these options.
    pub fn nothing(options: &'static [Opt]) -> Told {
        Told { options, said: Vec::new() }
    }

    /// Understands what follows the name of a system that has no modes: nothing, or
    /// `@OPTION=VALUE[+OPTION=VALUE]...`.
    ///
    /// # Errors
    /// What there is instead, in words.
    pub fn parse(who: &str, options: &'static [Opt], rest: &str) -> Result<Told, String> {
        let mut told = Told::nothing(options);
        if rest.is_empty() {
            return Ok(told);
        }
        let all = rest.strip_prefix('@').ok_or_else(|| {
            let mode = rest.trim_start_matches('/');
            format!("{who} has no modes, so not {mode:?}; leave --mode out")
        })?;
        for part in all.split('+') {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("{who} is told {part:?}; it must be OPTION=VALUE"))?;
            told.tell(who, name, value)?;
        }
        Ok(told)
    }

    /// Adds an option.
    ///
    /// # Errors
    /// What there is instead, in words.
    pub fn tell(&mut self, who: &str, name: &str, value: &str) -> Result<(), String> {
        let option = self.options.iter().find(|option| option.name == name).ok_or_else(|| {
            let names = names(self.options.iter().map(|option| option.name));
            format!("{who} has no option {name:?}; it has: {names}")
        })?;
        let fits = match option.words {
            [] => value.parse::<u32>().is_ok(),
            words => words.contains(&value),
        };
        if !fits {
            let words = names(option.words.iter().copied());
            let expected = if option.words.is_empty() { "a number".to_owned() } else { words };
            return Err(format!("{name} is {value:?}, expected: {expected}"));
        }
        if self.said(name).is_some() {
            return Err(format!("{who} is told {name} twice"));
        }
        self.said.push((option.name, value.to_owned()));
        Ok(())
    }

    /// What was said of an option, if anything.
    pub fn said(&self, name: &str) -> Option<&str> {
        self.said.iter().find(|(said, _)| *said == name).map(|(_, value)| value.as_str())
    }

    /// What an option is: as it was said, or else as usual.
    ///
    /// # Panics
    /// There is no such option.
    pub fn get(&self, name: &str) -> &str {
        let usual = || self.options.iter().find(|option| option.name == name).map(|o| o.usual);
        self.said(name).or_else(usual).unwrap_or_else(|| panic!("there is no option {name}"))
    }

    /// Everything that was said: option and value.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.said.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((name, value), before) in self.iter().zip(['@'].into_iter().chain(['+'; 99])) {
            write!(f, "{before}{name}={value}")?;
        }
        Ok(())
    }
}

/// Names as a person lists them.
pub(super) fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = all.collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &[Opt] = &[
        Opt { name: "read-mode", usual: "primary", words: &["primary", "local"], about: "" },
        Opt { name: "replicas", usual: "2", words: &[], about: "" },
    ];

    fn parse(rest: &str) -> Result<Told, String> {
        Told::parse("redis", OPTIONS, rest)
    }

    #[test]
    fn what_is_told_is_written_as_it_was_read() {
        for rest in ["", "@replicas=3", "@replicas=3+read-mode=local"] {
            assert_eq!(parse(rest).unwrap().to_string(), rest);
        }
        let told = parse("@replicas=3").unwrap();
        assert_eq!((told.get("replicas"), told.get("read-mode")), ("3", "primary"));
        assert_eq!((told.said("replicas"), told.said("read-mode")), (Some("3"), None));
    }

    #[test]
    fn what_there_is_not_is_refused_with_what_there_is() {
        let check = |rest: &str, expect: &str| {
            let error = parse(rest).err().unwrap_or_else(|| panic!("{rest} is taken"));
            assert!(error.contains(expect), "{rest}: {error}");
        };
        check("/raft", "has no modes, so not \"raft\"");
        check("@read-mode", "must be OPTION=VALUE");
        check("@speed=3", "redis has no option \"speed\"; it has: read-mode, replicas");
        check("@read-mode=near", "expected: primary, local");
        check("@replicas=many", "expected: a number");
        check("@replicas=1+replicas=2", "twice");
    }
}
