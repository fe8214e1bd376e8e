//! As much of Chromium's DevTools protocol as the tests need, over its pipe: one JSON object after
//! another, each ended by a zero byte.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
pub struct Chromium {
    child: Child,
    orders: std::fs::File,
    answers: Receiver<Value>,
    session: Option<String>,
    next: u64,
    events: Vec<Value>,
    _profile: TempDir,
}

impl Chromium {
    /// A browser; nothing if there is none on this machine.
    pub fn start() -> Option<Chromium> {
        let program =
            ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
                let mut asked = Command::new(name);
                asked.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
                asked.status().is_ok_and(|status| status.success())
            })?;
        let profile = tempfile::tempdir().unwrap();
        let (their_in, orders) = nix::unistd::pipe().unwrap();
        let (answers, their_out) = nix::unistd::pipe().unwrap();
        let ours = [orders.as_raw_fd(), answers.as_raw_fd()];
        let theirs = [their_in.as_raw_fd(), their_out.as_raw_fd()];
        let mut command = Command::new(program);
        command
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage"])
            .args(["--disable-component-update", "--disable-sync", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // SAFETY: between fork and exec only system calls are made.
        unsafe {
            command.pre_exec(move || {
                for fd in ours {
                    libc_close(fd);
                }
                // First out of the way of 3 and 4.
                let high = theirs.map(|fd| nix::libc::fcntl(fd, nix::libc::F_DUPFD, 10));
                for (from, to) in high.into_iter().zip([3, 4]) {
                    if nix::libc::dup2(from, to) < 0 {
                        return Err(std::io::Error::last_os_error());
                    }
                    libc_close(from);
                }
                Ok(())
            });
        }
        let child = command.spawn().unwrap();
        drop((their_in, their_out));
        let mut browser = Chromium {
            child,
            orders: orders.into(),
            answers: listen(answers),
            session: None,
            next: 0,
            events: Vec::new(),
            _profile: profile,
        };
        let target = browser.ask("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.ask("Target.attachToTarget", &attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    /// Sends an order and waits for what came of it.
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut order = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            order["sessionId"] = json!(session);
        }
        self.orders.write_all(format!("{order}\0").as_bytes()).unwrap();
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let answer = self.answers.recv_timeout(left);
            let answer = answer.unwrap_or_else(|_| panic!("{method}: the browser does not answer"));
            if answer["id"] == id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    /// Opens a page and waits until it has loaded.
    pub fn open(&mut self, url: &str) {
        let went = self.ask("Page.navigate", &json!({ "url": url }));
        assert!(went["errorText"].is_null(), "{url}: {went}");
        self.wait_for("document.readyState === 'complete'");
    }

    /// What an expression is in the page.
    pub fn eval(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.ask("Runtime.evaluate", &params);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn wait_for(&mut self, expression: &str) {
        let until = Instant::now() + PATIENCE;
        while self.eval(expression) != true {
            if Instant::now() > until {
                let text = self.eval("document.body.innerText");
                panic!("{expression} does not come true; the page says {text}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Light or dark, and how large.
    pub fn look(&mut self, dark: bool, width: u64, height: u64) {
        let scheme = if dark { "dark" } else { "light" };
        let feature = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.ask("Emulation.setEmulatedMedia", &json!({ "features": feature }));
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.ask("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Moves the mouse.
    pub fn point(&mut self, x: f64, y: f64) {
        self.ask("Input.dispatchMouseEvent", &json!({ "type": "mouseMoved", "x": x, "y": y }));
    }

    /// The whole page as PNG.
    pub fn screenshot(&mut self) -> Vec<u8> {
        let shot = self.ask("Page.captureScreenshot", &json!({ "captureBeyondViewport": true }));
        base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap()).unwrap()
    }

    /// Errors and warnings of the console, and exceptions.
    pub fn complaints(&mut self) -> Vec<String> {
        self.eval("true");
        let of = |event: &Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => ["error", "warning", "assert"]
                .contains(&event["params"]["type"].as_str().unwrap_or("")),
            Some("Log.entryAdded") => ["error", "warning"]
                .contains(&event["params"]["entry"]["level"].as_str().unwrap_or("")),
            _ => false,
        };
        self.events
            .iter()
            .filter(|event| of(event))
            .map(|event| event["params"].to_string())
            .collect()
    }

    /// The URLs of everything that was asked for.
    pub fn requests(&mut self) -> Vec<String> {
        let sent =
            self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.filter_map(|event| event["params"]["request"]["url"].as_str())
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what the browser says, until it ends.
fn listen(answers: OwnedFd) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut answers = BufReader::new(std::fs::File::from(answers));
        let mut object = Vec::new();
        while answers.read_until(0, &mut object).is_ok_and(|read| read > 0) {
            let said = serde_json::from_slice(object.strip_suffix(&[0]).unwrap_or(&object));
            object.clear();
            if said.is_ok_and(|said| sender.send(said).is_err()) {
                break;
            }
        }
    });
    receiver
}

fn libc_close(fd: i32) {
    // SAFETY: a file descriptor of the forked child, which uses it no more.
    unsafe { nix::libc::close(fd) };
}
