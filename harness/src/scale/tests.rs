//! Sweeps with known answers.

use super::*;

fn point(at: f64, throughput: f64, p95_ms: f64) -> Point {
    Point {
        at,
        throughput,
        by_second: [0.98, 0.99, 1.0, 1.01, 1.02].map(|part| part * throughput).to_vec(),
        p50_ms: Some(p95_ms / 2.0),
        p95_ms: Some(p95_ms),
        p99_ms: Some(p95_ms),
        failed: 0.0,
        class: None,
        run: String::new(),
    }
}

fn by_law(lambda: f64, sigma: f64, kappa: f64) -> Vec<Point> {
    let x = |n: f64| lambda * n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0));
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0].map(|n| point(n, x(n), 1e3 * n / x(n))).to_vec()
}

#[test]
fn the_law_is_found_again() {
    for (lambda, sigma, kappa) in [(1000.0, 0.05, 0.002), (40.0, 0.0, 0.01), (300.0, 0.2, 0.0)] {
        let fit = fit(&by_law(lambda, sigma, kappa), 1).unwrap();
        let near = |what: &str, found: Interval, truth: f64, by: f64| {
            assert!((found.value - truth).abs() <= by, "{what} of {truth}: {found:?}");
            assert!(found.low <= truth + by && truth - by <= found.high, "{what}: {found:?}");
            assert!(found.low <= found.value && found.value <= found.high, "{what}: {found:?}");
        };
        near("lambda", fit.lambda, lambda, 0.01 * lambda);
        near("sigma", fit.sigma, sigma, 0.005);
        near("kappa", fit.kappa, kappa, 0.0002);
        assert!(fit.r_squared > 0.999, "{fit:?}");
        assert!((fit.throughput(1.0) - lambda).abs() < 0.01 * lambda);
        match fit.most_at {
            Some(most) if kappa > 0.0 => near("most", most, ((1.0 - sigma) / kappa).sqrt(), 1.0),
            most => assert!(kappa == 0.0 && most.is_none_or(|most| most.value > 200.0), "{most:?}"),
        }
    }
}

#[test]
fn too_few_points_fit_nothing() {
    let points = by_law(1000.0, 0.05, 0.002);
    assert!(fit(&points[..3], 1).unwrap_err().contains("at least 4"));
    let mut dead = points.clone();
    dead.iter_mut().skip(3).for_each(|point| point.throughput = 0.0);
    assert!(fit(&dead, 1).is_err());
    assert!(
        fit(&[points[0].clone(), points[0].clone(), points[0].clone(), points[0].clone()], 1)
            .is_err()
    );
}

#[track_caller]
fn answers(p95_ms: &[f64], expected: Problem, first_slow: Option<f64>) {
    let points: Vec<Point> =
        p95_ms.iter().enumerate().map(|(at, ms)| point(at as f64 + 1.0, 100.0, *ms)).collect();
    let (problem, slow) = problem(&points, 100.0, false).unwrap();
    assert_eq!((problem, slow.map(|point| point.at)), (expected, first_slow));
}

#[test]
fn performance_and_scalability_are_told_apart() {
    answers(&[5.0, 6.0, 9.0], Problem::Neither, None);
    answers(&[5.0, 60.0, 101.0, 500.0], Problem::Scalability, Some(3.0));
    answers(&[150.0, 160.0, 170.0], Problem::Performance, None);
    answers(&[150.0, 160.0, 900.0], Problem::Both, Some(3.0));
    assert_eq!(problem(&[point(1.0, 1.0, 1.0)], 100.0, false), None);
    assert_eq!(problem(&[], 100.0, false), None);
}

#[test]
fn a_rate_that_is_not_carried_is_slow() {
    let points = [point(100.0, 100.0, 5.0), point(200.0, 199.0, 5.0), point(400.0, 300.0, 5.0)];
    let (found, slow) = problem(&points, 100.0, true).unwrap();
    assert_eq!((found, slow.map(|point| point.at)), (Problem::Scalability, Some(400.0)));
    assert_eq!(problem(&points, 100.0, false).unwrap().0, Problem::Neither);
}

#[test]
fn the_knee_is_where_more_load_only_waits() {
    // Carries 400 at most; beyond 4 clients they only wait for each other.
    let carried = |n: f64| (100.0 * n).min(400.0);
    let points: Vec<Point> =
        [1.0, 2.0, 4.0, 8.0, 16.0].map(|n| point(n, carried(n), 1e3 * n / carried(n))).to_vec();
    assert_eq!(knee(&points).unwrap().at, 4.0);
    assert_eq!(knee(&[]).map(|point| point.at), None);
}

/// A run in which n1 answers `own` times a second and n2 and n3 `others` times each: in a baseline of
/// a second, and in a main phase of another.
fn history(before: (u64, u64), during: (u64, u64)) -> History {
    let mut lines = vec![
        r#"{"splitbrain":1,"run":"x","started":"2026-01-01T00:00:00.000Z","seed":1,"target":"x","vocabulary":"register","initial":null,"unique_writes":true,"nodes":["n1","n2","n3"],"deadline_ms":1000,"op_timeout_ms":1000,"versions":{},"plan":{}}"#.to_owned(),
    ];
    let mut index = 0;
    let mut line = |time: u64, rest: String| {
        lines.push(format!(r#"{{"index":{index},"time":{time},{rest}}}"#));
        index += 1;
    };
    for (start_s, phase, (own, others)) in [(0, "baseline", before), (1, "main", during)] {
        let start = start_s * 1_000_000_000;
        line(start, format!(r#""type":"info","process":"harness","f":"phase","value":"{phase}""#));
        let nodes = [("n1", own), ("n2", others), ("n3", others)];
        let calls = nodes.iter().flat_map(|(node, count)| (0..*count).map(move |_| node));
        for (number, node) in calls.enumerate() {
            let invoked = start + number as u64 * 10_000_000;
            let call = |kind, node: &str| {
                format!(r#""type":"{kind}","process":0,"f":"read","key":"k","value":null{node}"#)
            };
            line(invoked, call("invoke", &format!(r#","node":"{node}""#)));
            line(invoked + 3_000_000, call("ok", ""));
        }
    }
    line(
        2_000_000_000,
        r#""type":"info","process":"harness","f":"phase","value":"heal""#.to_owned(),
    );
    History::read(lines.join("\n").as_bytes()).unwrap()
}

#[test]
fn figures_come_from_the_phase_alone() {
    let history = history((9, 9), (10, 20));
    let point = Part::phase(&history, Phase::Main).unwrap().point(8.0, None, String::new());
    assert_eq!((point.throughput, point.failed), (50.0, 0.0));
    assert_eq!(point.by_second, [50.0]);
    assert!(point.p50_ms.is_some_and(|ms| ms < 3.1), "{point:?}");
    assert!(Part::phase(&history, Phase::After).is_none());
    // Nothing after it says when it ended.
    assert!(Part::phase(&history, Phase::Heal).is_none());
}

#[track_caller]
fn slowed(before: (u64, u64), during: (u64, u64), answer: &str) {
    let history = history(before, during);
    let slowed = Slowed::of(&history, "cpu".to_owned(), "n1".to_owned(), 0).unwrap();
    assert_eq!(slowed.answer, answer, "{slowed:?}");
}

#[test]
fn a_slow_node_slows_itself_or_all() {
    slowed((30, 30), (3, 30), "in proportion");
    slowed((30, 30), (3, 20), "more than in proportion");
    slowed((30, 30), (3, 3), "collapse");
    assert!(Slowed::of(&history((0, 9), (0, 9)), String::new(), "n1".to_owned(), 0).is_none());
}
