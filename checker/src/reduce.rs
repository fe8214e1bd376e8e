//! Delta debugging (Zeller and Hildebrandt 2002): what can be left out of a violation.

/// Takes out spans and then single ones while what remains is still as wanted, which `still` says;
/// it says nothing once its budget is used up, and then what is left is the answer.
pub(crate) fn reduce<T: Clone>(
    mut kept: Vec<T>,
    mut still: impl FnMut(&[T]) -> Option<bool>,
) -> Vec<T> {
    let mut span = kept.len().div_ceil(2);
    while span > 0 {
        let mut removed = false;
        let mut end = kept.len();
        while end > 0 {
            let start = end.saturating_sub(span);
            let rest = [&kept[..start], &kept[end..]].concat();
            match still(&rest) {
                Some(true) => {
                    kept = rest;
                    removed = true;
                }
                Some(false) => {}
                None => return kept,
            }
            end = start;
        }
        // Without one another one may be dispensable, so singles repeat.
        span = match span {
            1 if removed => 1,
            1 => 0,
            _ => span.div_ceil(2),
        };
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_remains() {
        let needed = |kept: &[u32]| Some(kept.contains(&3) && kept.contains(&700));
        assert_eq!(reduce((0..1_000).collect(), needed), [3, 700]);
    }

    #[test]
    fn nothing_is_taken_out_without_a_budget() {
        assert_eq!(reduce(vec![1, 2, 3], |_| None), [1, 2, 3]);
        let mut asked = 0;
        let rest = reduce((0..8).collect::<Vec<u32>>(), |_| {
            asked += 1;
            (asked == 1).then_some(true)
        });
        assert_eq!(rest, [0, 1, 2, 3]);
    }
}
