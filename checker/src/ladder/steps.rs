//! The steps of an argument as a graph, which is searched anew after every step.

use super::argument::{Argument, Because, End, Rules, Step};
use super::kept::Kept;
use super::sessions::Sessions;

/// What is known to come before what.
pub(super) struct Graph {
    pub steps: Vec<Step>,
    /// By node, the steps that begin there.
    from: Vec<Vec<usize>>,
}

impl Graph {
    pub fn of(kept: impl Kept, sessions: &Sessions, reader: u32) -> Graph {
        let mut graph = Graph { steps: Vec::new(), from: vec![Vec::new(); sessions.len()] };
        for after in 0..sessions.len() as u32 {
            kept.before(sessions, reader, after, |before| {
                let is_source = sessions[after].source == before;
                let because = if is_source { Because::ReadsFrom } else { Because::Session };
                graph.add(Step { before, after, because });
            });
        }
        graph
    }

    fn add(&mut self, step: Step) {
        self.from[step.before as usize].push(self.steps.len());
        self.steps.push(step);
    }

    /// Adds a step unless it is known already; the cycle that it closes, if it does.
    pub fn derive(
        &mut self,
        before: u32,
        after: u32,
        because: Because,
        rules: Rules,
        base: usize,
    ) -> Option<Vec<usize>> {
        let known = &self.from[before as usize];
        if known.iter().any(|step| self.steps[*step].after == after) {
            return None;
        }
        self.add(Step { before, after, because });
        let reach = if rules.closing { self.steps.len() } else { base };
        self.closed_by(self.steps.len() - 1, reach)
    }

    /// The cycle through a step, by the first so many steps.
    pub fn closed_by(&self, step: usize, reach: usize) -> Option<Vec<usize>> {
        let Step { before, after, .. } = self.steps[step];
        let path = self.path(after, before, reach)?;
        Some([vec![step], path].concat())
    }

    /// A shortest way by the first so many steps.
    pub fn path(&self, from: u32, to: u32, reach: usize) -> Option<Vec<usize>> {
        let mut by = vec![None; self.from.len()];
        let mut open = std::collections::VecDeque::from([from]);
        while let Some(node) = open.pop_front() {
            if node == to {
                let mut path = Vec::new();
                let mut at = to;
                while at != from {
                    let step: usize = by[at as usize]?;
                    path.push(step);
                    at = self.steps[step].before;
                }
                path.reverse();
                return Some(path);
            }
            for step in self.from[node as usize].iter().filter(|step| **step < reach) {
                let after = self.steps[*step].after;
                if after != from && by[after as usize].is_none() {
                    by[after as usize] = Some(*step);
                    open.push_back(after);
                }
            }
        }
        None
    }

    /// The steps that count, renumbered.
    pub fn end(&self, end: End, rules: Rules) -> Argument {
        let mut needed: Vec<usize> = match &end {
            End::Cycle(steps) | End::Initial(steps) => steps.clone(),
            End::Tried => Vec::new(),
        };
        let mut at = 0;
        while at < needed.len() {
            match &self.steps[needed[at]].because {
                Because::Hidden { path, .. } | Because::Overwritten { path, .. } => {
                    needed.extend(path);
                }
                Because::Session | Because::ReadsFrom => {}
            }
            at += 1;
        }
        needed.sort_unstable();
        needed.dedup();
        let renumber = |path: &[usize]| -> Vec<usize> {
            path.iter().map(|step| needed.partition_point(|one| one < step)).collect()
        };
        let steps = needed.iter().map(|step| {
            let step = &self.steps[*step];
            let because = match &step.because {
                Because::Hidden { read, path } => {
                    Because::Hidden { read: *read, path: renumber(path) }
                }
                Because::Overwritten { from, path } => {
                    Because::Overwritten { from: *from, path: renumber(path) }
                }
                other => other.clone(),
            };
            Step { because, ..step.clone() }
        });
        let steps: Vec<Step> = steps.collect();
        let shape = shape(&steps, &end, rules);
        let end = match end {
            End::Cycle(path) => End::Cycle(renumber(&path)),
            End::Initial(path) => End::Initial(renumber(&path)),
            End::Tried => End::Tried,
        };
        Argument { steps, end, shape }
    }
}

/// The name of the pattern, for orders called CO or SO.
fn shape(steps: &[Step], end: &End, rules: Rules) -> &'static str {
    let derived = |step: &&Step| !matches!(step.because, Because::Session | Because::ReadsFrom);
    let derived = steps.iter().filter(derived).count();
    let causal = rules.order == "CO";
    match (end, derived) {
        (End::Tried, _) => "NoOrder",
        (End::Initial(_), 0) if causal => "WriteCOInitRead",
        (End::Initial(_), 0) => "WriteSOInitRead",
        (End::Initial(_), _) => "WriteHBInitRead",
        (End::Cycle(_), 0) if causal => "CyclicCO",
        (End::Cycle(_), 0) => "CyclicSO",
        (End::Cycle(_), 1) if causal && !rules.overwrites => "WriteCORead",
        (End::Cycle(_), 1) if !rules.overwrites => "WriteSORead",
        (End::Cycle(_), _) => rules.cyclic,
    }
}
