//! The pages in a real browser: Chromium, headless, driven over its DevTools protocol.
//!
//! `SPLITBRAIN_SCREENSHOTS=FOLDER` keeps pictures of all views, for eyes.

mod chromium;
#[path = "../serve/store.rs"]
mod store;

use std::path::PathBuf;
use std::time::Duration;

use chromium::Chromium;
use store::{RUN, Served};

/// A browser, or nothing and a loud word where there is none.
fn browser() -> Option<Chromium> {
    let browser = Chromium::start();
    if browser.is_none() {
        eprintln!("SKIPPED: no chromium here (apt-get install chromium)");
        assert!(std::env::var_os("SPLITBRAIN_SKIP_NONE").is_none(), "nothing may be skipped");
    }
    browser
}

fn keep(browser: &mut Chromium, name: &str) {
    if let Some(folder) = std::env::var_os("SPLITBRAIN_SCREENSHOTS") {
        let folder = PathBuf::from(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), browser.screenshot()).unwrap();
    }
}

/// Every view in light, dark and at phone width: nothing is cut off at the side.
fn in_all_looks(browser: &mut Chromium, name: &str) {
    for (look, dark, width) in [("light", false, 1280), ("dark", true, 1280), ("phone", false, 390)]
    {
        browser.look(dark, width, 900);
        // The page redraws in the next frame.
        browser.wait_for("new Promise((done) => requestAnimationFrame(() => done(true)))");
        let wide = browser.eval("document.documentElement.scrollWidth");
        assert!(wide.as_u64().unwrap() <= width, "{name}, {look}: {wide} of {width}");
        let back = browser.eval("getComputedStyle(document.body).backgroundColor");
        let expect = if dark { "rgb(20, 23, 28)" } else { "rgb(255, 255, 255)" };
        assert_eq!(back, expect, "{name}, {look}");
        keep(browser, &format!("{name}-{look}"));
    }
    browser.look(false, 1280, 900);
}

/// Nothing was complained of, and nothing was asked of any other machine.
fn assert_well_behaved(browser: &mut Chromium, served: &Served) {
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{complaints:?}");
    let own = format!("http://{}/", served.address);
    let requests = browser.requests();
    assert!(!requests.is_empty());
    let away: Vec<_> = requests
        .iter()
        .filter(|url| {
            !url.starts_with(&own) && !url.starts_with("data:") && !url.starts_with("file:")
        })
        .collect();
    assert!(away.is_empty(), "{away:?}");
    served.assert_quiet();
}

#[test]
fn the_list_finds_filters_and_compares() {
    let Some(mut browser) = browser() else { return };
    let served = Served::new();
    let (family, _) = RUN.split_once('/').unwrap();
    // A second run, to compare it with.
    let other = served.store().join(family).join("20261122T203300Z");
    std::fs::create_dir(&other).unwrap();
    for file in ["plan.json", "history.jsonl", "verdict.json"] {
        std::fs::copy(served.store().join(RUN).join(file), other.join(file)).unwrap();
    }
    let verdict = std::fs::read_to_string(other.join("verdict.json")).unwrap();
    let verdict = verdict.replace("\"verdict\":\"invalid\"", "\"verdict\":\"valid\"");
    std::fs::write(other.join("verdict.json"), verdict).unwrap();

    browser.open(&format!("http://{}/", served.address));
    browser.wait_for("document.querySelectorAll('#runs tbody tr').length === 2");
    let text = browser.eval("document.querySelector('#runs').innerText");
    assert!(text.as_str().unwrap().contains("stale-read"), "{text}");
    assert_eq!(browser.eval("document.querySelectorAll('.targets polyline.class').length"), 1);
    in_all_looks(&mut browser, "list");
    browser
        .eval("byId('verdict').value = 'valid'; byId('verdict').dispatchEvent(new Event('input'))");
    browser.wait_for("document.querySelectorAll('#runs tbody tr').length === 1");
    browser.eval("byId('verdict').value = ''; byId('find').value = 'nothing-like-it'; byId('find').dispatchEvent(new Event('input'))");
    browser.wait_for("document.querySelectorAll('#runs tbody tr').length === 0");
    browser.eval("byId('find').value = ''; byId('find').dispatchEvent(new Event('input'))");
    browser.eval(
        "document.querySelectorAll('#runs input[type=checkbox]').forEach((box) => box.click())",
    );
    browser.eval("byId('compare').click()");
    browser.wait_for("document.querySelectorAll('td.differs').length > 0");
    in_all_looks(&mut browser, "compare");
    assert_well_behaved(&mut browser, &served);
}

#[test]
fn a_report_is_shown_and_an_operation_tells_what_it_was() {
    let Some(mut browser) = browser() else { return };
    let served = Served::new();
    browser.open(&format!("http://{}/runs/{RUN}/report", served.address));
    browser.wait_for("document.querySelector('#headline h1') !== null");
    let text = browser.eval("document.body.innerText");
    assert!(text.as_str().unwrap().contains("stale read"), "{text}");
    in_all_looks(&mut browser, "report");
    browser.eval("document.getElementById('witness').click(); document.getElementById('timeline').scrollIntoView({block: 'center'})");
    browser.wait_for("new Promise((done) => requestAnimationFrame(() => done(true)))");
    let place = browser.eval("(() => { const box = document.querySelector('#timeline canvas').getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; })()");
    let place: Vec<f64> = serde_json::from_value(place).unwrap();
    // Somewhere on the picture there is an operation.
    let told = (1..40).flat_map(|x| (1..20).map(move |y| (f64::from(x) / 40.0, f64::from(y) / 20.0))).find_map(|(x, y)| {
        browser.point(place[0] + place[2] * x, place[1] + place[3] * y);
        let told = browser.eval("document.getElementById('tip').hidden ? '' : document.getElementById('tip').innerText");
        told.as_str().filter(|told| !told.is_empty()).map(str::to_owned)
    });
    let told = told.expect("no operation answers to the mouse");
    assert!(told.contains("write") || told.contains("read"), "{told}");
    keep(&mut browser, "report-hover");
    assert_well_behaved(&mut browser, &served);
}

#[test]
fn a_run_is_watched_while_it_goes() {
    let Some(mut browser) = browser() else { return };
    let served = Served::new();
    let verdict = served.store().join(RUN).join("verdict.json");
    std::fs::remove_file(verdict).unwrap();
    browser.open(&format!("http://{}/", served.address));
    browser.wait_for("document.querySelector('#runs tbody a') !== null");
    browser.eval("document.querySelector('#runs tbody a').click()");
    browser.wait_for("document.querySelector('.facts')?.innerText.includes('certain at line')");
    let facts = browser.eval("document.querySelector('.facts').innerText");
    assert!(facts.as_str().unwrap().contains("halves"), "{facts}");
    let before = facts.as_str().unwrap().to_owned();
    for second in 3..8u64 {
        served.append(&format!(
            r#"{{"time":{},"type":"invoke","process":{second},"f":"read","key":"z","value":null}}"#,
            second * 1_000_000_000
        ));
        served.append(&format!(r#"{{"time":{},"type":"fail","process":{second},"f":"read","key":"z","value":null,"error":{{"kind":"refused"}}}}"#, second * 1_000_000_000 + 1));
        std::thread::sleep(Duration::from_millis(100));
    }
    browser.wait_for("document.querySelector('.facts').innerText.includes('7.0 s')");
    assert_ne!(browser.eval("document.querySelector('.facts').innerText"), before);
    in_all_looks(&mut browser, "live");
    served.append(
        r#"{"time":9000000000,"type":"info","process":"harness","f":"phase","value":"teardown"}"#,
    );
    browser.wait_for("document.getElementById('live-end').innerText.includes('over')");
    assert_well_behaved(&mut browser, &served);
}
