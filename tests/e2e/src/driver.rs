//! WebDriver (https://www.w3.org/TR/webdriver2/) over plain HTTP: the few calls that a test needs, one at a time.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use footplate_testkit::{holds_within, until};
use serde_json::{Value, json};

/// How long the page may take for anything. Only a fault takes that long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running WebKitWebDriver. It ends with the value, and the app it started with it.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    port: u16,
    /// What it and the app print.
    log: PathBuf,
}

impl Driver {
    /// Starts it with this environment, which the app inherits; what they print goes to `log`.
    ///
    /// # Panics
    /// Where it does not answer.
    #[must_use]
    pub fn start(mut command: Command, log: &Path) -> Driver {
        let port = free_port();
        let open = || File::options().create(true).append(true).open(log).map(Stdio::from);
        let (Ok(out), Ok(err)) = (open(), open()) else { panic!("{}: cannot be written", log.display()) };
        command.arg(format!("--port={port}")).stdout(out).stderr(err);
        let child = command.spawn().unwrap_or_else(|error| panic!("WebKitWebDriver cannot be started: {error}"));
        let driver = Driver { child, port, log: log.to_path_buf() };
        until(PATIENCE, "the driver answers", || driver.call("GET", "/status", None).is_ok());
        driver
    }

    /// Starts the app, and waits for its page.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn open(&self, app: &Path) -> Window<'_> {
        self.open_with(app, &[])
    }

    /// The same with arguments.
    ///
    /// # Panics
    /// As [`Driver::open`].
    #[must_use]
    pub fn open_with(&self, app: &Path, args: &[&str]) -> Window<'_> {
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "webkitgtk:browserOptions": { "binary": app, "args": args },
        } } });
        let answer = self.call("POST", "/session", Some(&wanted));
        let answer = answer.unwrap_or_else(|error| panic!("the app was not started: {error}\n{}", self.state()));
        let id = answer["sessionId"].as_str().unwrap_or_default().to_owned();
        Window { driver: self, id }
    }

    /// What there is to know where it does not answer: what was printed, and what is running.
    fn state(&self) -> String {
        let printed = fs::read_to_string(&self.log).unwrap_or_default();
        let table = Command::new("ps").args(["-eo", "pid,ppid,stat,wchan:20,etimes,args", "--forest"]).output();
        let table = table.map(|table| String::from_utf8_lossy(&table.stdout).into_owned()).unwrap_or_default();
        format!("printed:\n{printed}\nrunning:\n{table}")
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let answer = http(self.port, method, path, body).map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_str(&answer).map_err(|error| format!("{error}: {answer}"))?;
        match answer["value"].get("error") {
            Some(error) => Err(format!("{error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].clone()),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Gone already, as a rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0");
    let port = listener.and_then(|listener| listener.local_addr()).map(|address| address.port());
    port.unwrap_or_else(|error| panic!("no free port: {error}"))
}

fn http(port: u16, method: &str, path: &str, body: Option<&Value>) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, rest) = answer.split_once("\r\n\r\n").unwrap_or_default();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return Ok(unchunked(rest));
    }
    Ok(rest.to_owned())
}

fn unchunked(mut rest: &str) -> String {
    let mut whole = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || after.len() < size {
            break;
        }
        whole.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    whole
}

/// The app's window.
#[derive(Debug)]
pub struct Window<'d> {
    driver: &'d Driver,
    id: String,
}

impl Window<'_> {
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        self.driver.call(method, &format!("/session/{}{path}", self.id), body)
    }

    /// What a script answers.
    ///
    /// # Errors
    /// What the driver says.
    pub fn script(&self, script: &str, args: &[Value]) -> Result<Value, String> {
        self.call("POST", "/execute/sync", Some(&json!({ "script": script, "args": args })))
    }

    /// What a script answers later, by the function that is its last argument; within 30 s.
    ///
    /// # Errors
    /// What the driver says.
    pub fn answer(&self, script: &str, args: &[Value]) -> Result<Value, String> {
        self.call("POST", "/execute/async", Some(&json!({ "script": script, "args": args })))
    }

    /// Waits until what was asked for is painted.
    ///
    /// # Panics
    /// Where the page does not answer.
    #[track_caller]
    pub fn painted(&self) {
        let script = "const done = arguments[arguments.length - 1];
            let left = 30; const next = () => (left-- > 0 ? requestAnimationFrame(next) : done(null)); next();";
        let painted = self.answer(script, &[]);
        assert!(painted.is_ok(), "{painted:?}");
    }

    /// All text of the page.
    #[must_use]
    pub fn text(&self) -> String {
        let text = self.script("return document.body ? document.body.innerText : ''", &[]);
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until the page shows a text.
    ///
    /// # Panics
    /// Where it does not, with what it shows.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        let wanted = text.to_lowercase();
        let shown = holds_within(PATIENCE, || self.text().to_lowercase().contains(&wanted));
        assert!(shown, "the page does not show {text:?} but:\n{}", self.text());
    }

    /// Waits until the page does not show a text any more.
    ///
    /// # Panics
    /// Where it goes on showing it.
    #[track_caller]
    pub fn shows_no_more(&self, text: &str) {
        let wanted = text.to_lowercase();
        let gone = holds_within(PATIENCE, || !self.text().to_lowercase().contains(&wanted));
        assert!(gone, "the page goes on showing {text:?}:\n{}", self.text());
    }

    /// Whether something of this selector is there.
    #[must_use]
    pub fn has(&self, selector: &str) -> bool {
        self.script("return document.querySelector(arguments[0]) !== null", &[json!(selector)]) == Ok(Value::Bool(true))
    }

    /// Waits for a button, link, tab or menu item of this name, and clicks it as a person does.
    ///
    /// # Panics
    /// Where there is none that can be clicked.
    #[track_caller]
    pub fn click(&self, name: &str) {
        self.click_within("body", name);
    }

    /// The same within the first element of a selector.
    ///
    /// # Panics
    /// Where there is none that can be clicked.
    #[track_caller]
    pub fn click_within(&self, selector: &str, name: &str) {
        // By what it is called: its label, its text, its title.
        let find = "const [selector, name] = arguments;
            const root = document.querySelector(selector);
            if (!root) return null;
            const called = (e) => [e.getAttribute('aria-label'), e.innerText, e.getAttribute('title')]
                .some((text) => text && text.trim().replace(/\\s+/g, ' ').toLowerCase() === name.toLowerCase());
            const all = [...root.querySelectorAll('button, a, [role=tab], [role=menuitem], [role=option], [role=row], summary')];
            return all.find((e) => !e.disabled && e.offsetParent !== null && called(e)) ?? null;";
        let mut last = String::new();
        let clicked = holds_within(PATIENCE, || {
            let Ok(found) = self.script(find, &[json!(selector), json!(name)]) else { return false };
            let Some(id) = found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str) else {
                return false;
            };
            match self.call("POST", &format!("/element/{id}/click"), Some(&json!({}))) {
                Ok(_) => true,
                Err(error) => {
                    last = error;
                    false
                }
            }
        });
        assert!(clicked, "nothing called {name:?} could be clicked ({last}); the page shows:\n{}", self.text());
    }

    /// Types keys, as WebDriver names them, into what has the focus.
    ///
    /// # Panics
    /// Where they cannot be typed.
    #[track_caller]
    pub fn keys(&self, keys: &str) {
        let actions = keys.chars().flat_map(|key| [("keyDown", key), ("keyUp", key)]);
        self.act_keys(actions);
    }

    /// Holds `held` while it types a key.
    ///
    /// # Panics
    /// Where they cannot be typed.
    #[track_caller]
    pub fn chord(&self, held: char, key: char) {
        self.act_keys([("keyDown", held), ("keyDown", key), ("keyUp", key), ("keyUp", held)]);
    }

    #[track_caller]
    fn act_keys(&self, actions: impl IntoIterator<Item = (&'static str, char)>) {
        let actions: Vec<Value> =
            actions.into_iter().map(|(kind, key)| json!({ "type": kind, "value": key.to_string() })).collect();
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        let typed = self.call("POST", "/actions", Some(&body));
        assert!(typed.is_ok(), "{typed:?}");
    }

    /// Presses Tab until the name of what has the focus, its label or its text, has this in it.
    ///
    /// # Panics
    /// Where that is nowhere on the way, with what is.
    #[track_caller]
    pub fn tab_to(&self, name: &str) {
        let named = "const e = document.activeElement;
            const text = e.getAttribute('aria-label') ?? e.labels?.[0]?.innerText ?? e.innerText;
            return text.includes(arguments[0]) ? null : text || e.tagName;";
        let mut way = Vec::new();
        for _ in 0..60 {
            self.keys("\u{E004}");
            match self.script(named, &[json!(name)]) {
                Ok(Value::Null) => return,
                other => way.push(other.unwrap_or_else(Value::String)),
            }
        }
        panic!("Tab does not lead to {name:?} but to {way:?}");
    }

    /// Goes to a view of the app.
    ///
    /// # Panics
    /// Where the page does not answer.
    #[track_caller]
    pub fn go(&self, route: &str) {
        let went = self.script("location.hash = arguments[0]", &[json!(format!("#/{route}"))]);
        assert!(went.is_ok(), "{went:?}");
    }

    /// Asks the shell, as the page does; a fault is an error.
    ///
    /// # Errors
    /// The fault, as JSON.
    pub fn invoke(&self, command: &str, arguments: &Value) -> Result<Value, String> {
        let script = "const [command, args, done] = arguments;
            window.__TAURI_INTERNALS__.invoke(command, args).then((r) => done({ r: r ?? null }), (e) => done({ e }));";
        let answer = self.answer(script, &[json!(command), arguments.clone()])?;
        match answer.get("e") {
            Some(fault) => Err(fault.to_string()),
            None => Ok(answer["r"].clone()),
        }
    }

    /// Asks for the end of the session, which ends the app.
    pub fn close(self) {
        // The app may be gone already.
        let _ = self.call("DELETE", "", None);
    }
}
