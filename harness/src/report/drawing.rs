//! A cycle of transactions as a drawing: each in a box, and beside the arrow to the next one why it comes
//! before that.
//!
//! The boxes stand below each other, and the last arrow leads back to the first one on the left. So nothing
//! crosses anything, however long the cycle is, and the same cycle is always drawn alike.

use std::fmt::Write;

use splitbrain_checker::Violation;

use super::graphviz::Dot;

/// The widest that a character of the font is, in pixels, and the height of a line.
const CHARACTER: usize = 8;
const LINE: usize = 18;
/// Between a frame and what is in it, and between what does not belong together.
const SPACE: usize = 10;
/// Where the frames begin: to their left is the way back.
const LEFT: usize = 3 * SPACE;
/// Where the arrows are, and the words beside them.
const ARROW: usize = LEFT + 2 * SPACE;
const WORDS: usize = ARROW + 2 * SPACE;
/// Lines are broken where they are longer, in columns.
const COLUMNS_MOST: usize = 96;

/// Where everything is, in pixels.
#[derive(Debug, Default)]
struct Layout {
    /// Left, top, width, height.
    frames: Vec<[usize; 4]>,
    /// Left, baseline, and what is written there.
    lines: Vec<(usize, usize, String)>,
    /// From where each arrow leads down, to where, and the kind of the dependency.
    arrows: Vec<(usize, usize, &'static str)>,
    width: usize,
    height: usize,
}

/// Transactions, of which each comes before the next one, and the last before the first.
pub struct Cycle<'v> {
    /// What each did.
    pub transactions: &'v [String],
    /// Why each comes before the next.
    pub reasons: &'v [String],
    /// The kinds of these dependencies.
    pub kinds: &'v [&'static str],
}

/// The cycle of a violation, if it is one: an SVG element whose colours are those of the page, as `dot` lays
/// it out, or else as it is done here.
pub fn cycle(violation: &Violation, dot: &mut Dot) -> Option<String> {
    let cycle = Cycle::of(violation)?;
    dot.draw(&cycle).or_else(|| Some(Layout::of(&cycle).svg()))
}

impl<'v> Cycle<'v> {
    fn of(violation: &'v Violation) -> Option<Cycle<'v>> {
        let kinds = &violation.dependencies[..];
        let count = kinds.len();
        let transactions = violation.because.get(..count)?;
        let reasons = violation.because.get(count..2 * count)?;
        (count > 1).then_some(Cycle { transactions, reasons, kinds })
    }
}

impl Layout {
    fn of(cycle: &Cycle<'_>) -> Layout {
        let Cycle { transactions, reasons, kinds } = cycle;
        let mut layout = Layout::default();
        let mut top = SPACE;
        for ((transaction, reason), kind) in transactions.iter().zip(*reasons).zip(*kinds) {
            let lines = broken(transaction);
            let columns = lines.iter().map(|line| columns(line)).max().unwrap_or_default();
            let width = columns * CHARACTER + 2 * SPACE;
            let height = lines.len() * LINE + SPACE;
            layout.frames.push([LEFT, top, width, height]);
            layout.write(LEFT + SPACE, top, lines);
            top += height;
            let lines = broken(&format!("{kind}: {reason}"));
            let below = top + lines.len() * LINE + 2 * SPACE;
            layout.arrows.push((top, below, kind));
            layout.write(WORDS, top + SPACE / 2, lines);
            top = below;
        }
        layout.height = top + SPACE;
        let of_lines = layout.lines.iter().map(|(left, _, text)| left + columns(text) * CHARACTER);
        let of_frames = layout.frames.iter().map(|[left, _, width, _]| left + width);
        layout.width = of_lines.chain(of_frames).max().unwrap_or_default() + SPACE;
        layout
    }

    fn write(&mut self, left: usize, top: usize, lines: Vec<String>) {
        let placed = (1..).zip(lines).map(|(at, text)| (left, top + at * LINE, text));
        self.lines.extend(placed);
    }

    fn svg(&self) -> String {
        let Layout { frames, lines, arrows, width, height } = self;
        let mut out = format!(
            r#"<svg class="cycle" role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}">"#
        );
        for [left, top, width, height] in frames {
            let _ = write!(
                out,
                r#"<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="5"/>"#
            );
        }
        for (at, (from, to, kind)) in arrows.iter().enumerate() {
            let way = match (frames.get(at + 1), frames.first()) {
                (None, Some([left, top, ..])) => {
                    // Back to the first one.
                    let side = top + LINE;
                    format!(
                        "M{ARROW} {from}V{to}H{SPACE}V{side}H{left}{}",
                        head(*left, side, false)
                    )
                }
                _ => format!("M{ARROW} {from}V{to}{}", head(ARROW, *to, true)),
            };
            let _ = write!(out, r#"<path class="{kind}" d="{way}"/>"#);
        }
        for (left, baseline, text) in lines {
            let _ = write!(out, r#"<text x="{left}" y="{baseline}">{}</text>"#, inert(text));
        }
        out + "</svg>"
    }
}

/// The head of an arrow that ends here, downwards or to the right.
fn head(left: usize, top: usize, is_down: bool) -> String {
    let (x, y) = (left, top);
    match is_down {
        true => format!("M{} {}L{x} {y}L{} {}", x - 4, y - 7, x + 4, y - 7),
        false => format!("M{} {}L{x} {y}L{} {}", x - 7, y - 4, x - 7, y + 4),
    }
}

/// How much room a text takes, where some letters are as wide as two.
fn columns(text: &str) -> usize {
    text.chars().map(|letter| if letter < '\u{1100}' { 1 } else { 2 }).sum()
}

/// Lines of bounded length, broken between words where there are any.
pub(super) fn broken(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let with_word = columns(&line) + 1 + columns(word);
        if !line.is_empty() && with_word > COLUMNS_MOST {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for letter in word.chars() {
            if columns(&line) + 2 > COLUMNS_MOST {
                lines.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    lines.push(line);
    lines
}

/// Text that can neither end an element nor begin one, of characters that XML has.
fn inert(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use splitbrain_checker::history::History;

    use super::*;
    use crate::report::{Question, judge_history};

    fn layout(count: usize, words: &str) -> Layout {
        let transactions: Vec<String> = (0..count).map(|at| format!("T{at} did {words}")).collect();
        let reasons: Vec<String> = (0..count).map(|at| format!("{at} because {words}")).collect();
        let kinds = &["rw", "wr", "ww"].repeat(count)[..count];
        Layout::of(&Cycle { transactions: &transactions, reasons: &reasons, kinds })
    }

    /// Left, top, right, bottom of what is written.
    fn room((left, baseline, text): &(usize, usize, String)) -> [usize; 4] {
        [*left, baseline - LINE, left + columns(text) * CHARACTER, *baseline]
    }

    fn overlap(one: [usize; 4], other: [usize; 4]) -> bool {
        one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3]
    }

    #[test]
    fn nothing_overlaps_and_nothing_is_cut() {
        let wide = "長い言葉".repeat(60);
        for words in ["", "r x [1,2,3], append y 4", &"word ".repeat(90), &"w".repeat(300), &wide] {
            for count in [2, 3, 12] {
                let layout = layout(count, words);
                let frames: Vec<[usize; 4]> =
                    layout.frames.iter().map(|[x, y, w, h]| [*x, *y, x + w, y + h]).collect();
                for (at, one) in frames.iter().enumerate() {
                    assert!(frames[at + 1..].iter().all(|other| !overlap(*one, *other)));
                }
                for (at, line) in layout.lines.iter().enumerate() {
                    let one = room(line);
                    assert!(one[2] <= layout.width && one[3] <= layout.height, "{line:?}");
                    assert!(layout.lines[at + 1..].iter().all(|other| !overlap(one, room(other))));
                    let mut frames = frames.iter().filter(|frame| overlap(one, **frame));
                    let is_in = |frame: &[usize; 4]| {
                        frame[0] <= one[0]
                            && frame[1] <= one[1]
                            && one[2] <= frame[2]
                            && one[3] <= frame[3]
                    };
                    assert!(frames.all(is_in), "{line:?} is half in a frame");
                    let of_arrows =
                        layout.arrows.iter().map(|(from, to, _)| [ARROW, *from, ARROW + 1, *to]);
                    assert!(of_arrows.into_iter().all(|arrow| !overlap(one, arrow)));
                }
            }
        }
    }

    #[test]
    fn no_word_is_lost() {
        let text = format!("a {} b {}", "x".repeat(500), "word ".repeat(100));
        let letters = |text: &str| text.replace(char::is_whitespace, "");
        assert_eq!(letters(&broken(&text).concat()), letters(&text));
    }

    const SKEW: &str = r#"{"process":0,"type":"invoke","f":"txn","value":[["r","<x>",null],["append","&y",1]]}
{"process":1,"type":"invoke","f":"txn","value":[["r","&y",null],["append","<x>",2]]}
{"process":0,"type":"ok","f":"txn","value":[["r","<x>",[]],["append","&y",1]]}
{"process":1,"type":"ok","f":"txn","value":[["r","&y",[]],["append","<x>",2]]}
"#;

    #[test]
    fn a_cycle_is_drawn_and_its_words_are_no_markup() {
        let history = History::read(SKEW.as_bytes()).unwrap();
        let judged = judge_history(&history, &Question::default(), std::time::Instant::now());
        let [violation] = &judged.judgement.violations[..] else { panic!("one violation") };
        assert_eq!(violation.dependencies, ["rw", "rw"]);
        let own = |violation| Cycle::of(violation).map(|cycle| Layout::of(&cycle).svg());
        let drawing = own(violation).expect("a cycle");
        assert_eq!(Some(&drawing), own(violation).as_ref());
        assert_eq!((drawing.matches("<rect").count(), drawing.matches("<path").count()), (2, 2));
        assert!(drawing.contains("&lt;x&gt;") && !drawing.contains("<x>"), "{drawing}");
        assert!(drawing.contains("rw: T0 comes before T1"), "{drawing}");
        // What is no cycle has no drawing.
        let text = SKEW.replace(r#"["r","&y",[]]"#, r#"["r","&y",[7]]"#);
        let history = History::read(text.as_bytes()).unwrap();
        let judged = judge_history(&history, &Question::default(), std::time::Instant::now());
        let phantom = judged.judgement.violations.iter().find(|one| one.name == "phantom-read");
        assert_eq!(own(phantom.expect("a phantom")), None);
    }
}
