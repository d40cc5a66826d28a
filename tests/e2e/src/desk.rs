//! The screen, the bus and the data folder of one test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use footplate_testkit::{Bench, Found, kill9};

use crate::bus::Bus;
use crate::driver::{Driver, Window};
use crate::screen::Screen;

/// All that an app needs, and nothing of anybody else's.
#[derive(Debug)]
pub struct Desk {
    // In the order in which they end.
    children: Vec<Child>,
    /// The data folder, the executables, and what is left of them.
    pub bench: Bench,
    /// The notifications and the tray, as a desktop sees them.
    pub bus: Bus,
}

impl Desk {
    /// A new one, in English.
    ///
    /// # Panics
    /// As [`Desk::speaking`].
    #[must_use]
    pub fn new() -> Desk {
        Desk::speaking("en_US.UTF-8")
    }

    /// So many runs have ended in its data folder.
    ///
    /// # Panics
    /// Where the store does not take them.
    pub fn has_history(&self, runs: i64) {
        // The folder is made as for everybody.
        let _ = self.bench.run(&["list"]).expect(0);
        let filled = footplate_history::fill(&self.bench.data(), runs);
        assert!(filled.is_ok(), "{filled:?}");
    }

    /// A new one whose system has this `LANG`.
    ///
    /// # Panics
    /// Where Xvfb or dbus-daemon is missing; `scripts/setup test` installs them.
    #[must_use]
    pub fn speaking(language: &str) -> Desk {
        let mut bench = Bench::new();
        let runtime = bench.root().join("run");
        private(&runtime);
        let mut screen = bench.command("Xvfb");
        screen.args(["-displayfd", "1", "-screen", "0", "1280x840x24", "-nolisten", "tcp", "-noreset"]);
        screen.arg("-fbdir").arg(&runtime);
        let (screen, display) = first_line(screen);
        let mut bus = bench.command("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address=1"]).env("XDG_RUNTIME_DIR", &runtime);
        let (daemon, address) = first_line(bus);
        bench.set_env("DISPLAY", format!(":{display}"));
        bench.set_env("DBUS_SESSION_BUS_ADDRESS", &address);
        bench.set_env("XDG_RUNTIME_DIR", &runtime);
        bench.set_env("XDG_CONFIG_HOME", bench.root().join("config"));
        bench.set_env("XDG_CACHE_HOME", bench.root().join("cache"));
        bench.set_env("XDG_DATA_HOME", bench.root().join("share"));
        bench.set_env("GDK_BACKEND", "x11");
        bench.set_env("LANG", language);
        bench.set_env("NO_AT_BRIDGE", "1");
        bench.set_env("TAURI_WEBVIEW_AUTOMATION", "true");
        Desk { children: vec![screen, daemon], bus: Bus::join(&address), bench }
    }

    /// The app as built.
    #[must_use]
    pub fn app() -> PathBuf {
        Bench::executable("footplate-app")
    }

    /// A driver for it.
    #[must_use]
    pub fn driver(&self) -> Driver {
        Driver::start(self.bench.command("WebKitWebDriver"), &self.bench.root().join("driver.log"))
    }

    /// The app's own process.
    #[must_use]
    pub fn app_process(&self) -> Option<Found> {
        self.bench.processes_of("footplate-app").into_iter().next()
    }

    /// Closes the app's window by its frame.
    ///
    /// # Panics
    /// Where there is none.
    pub fn close_window(&self) {
        let mut python = self.bench.command("python3");
        let closed = python.args(["-c", include_str!("close.py"), "Footplate"]).output();
        assert!(closed.as_ref().is_ok_and(|output| output.status.success()), "{closed:?}");
    }

    /// Drops files on the app's window.
    ///
    /// # Panics
    /// Where it does not take them.
    pub fn drop_on_window(&self, paths: &[&Path]) {
        let mut python = self.bench.command("timeout");
        python.args(["30", "python3", "-c", include_str!("drop.py"), "Footplate"]).args(paths);
        let done = python.output();
        assert!(done.as_ref().is_ok_and(|output| output.status.success()), "{done:?}");
    }

    /// Kills the app as a crash would.
    ///
    /// # Panics
    /// Where there is none.
    pub fn kill_app(&self) {
        let Some(app) = self.app_process() else { panic!("no app is running") };
        assert!(kill9(app.pid));
        self.bench.until(crate::driver::PATIENCE, || self.app_process().is_none());
    }

    /// What is on the screen.
    ///
    /// # Panics
    /// Where Xvfb keeps it from us.
    #[must_use]
    pub fn screen(&self) -> Screen {
        Screen::open(&self.bench.root().join("run/Xvfb_screen0"))
    }

    /// Takes a picture of the screen, where `FOOTPLATE_SHOTS` names a folder for it.
    ///
    /// # Panics
    /// Where it cannot be taken.
    pub fn picture(&self, window: &Window<'_>, name: &str) {
        let Some(folder) = std::env::var_os("FOOTPLATE_SHOTS") else { return };
        window.painted();
        let mut import = self.bench.command("import");
        import.args(["-window", "root"]).arg(PathBuf::from(folder).join(format!("{name}.png")));
        let taken = import.status();
        assert!(taken.as_ref().is_ok_and(std::process::ExitStatus::success), "{taken:?}");
    }
}

impl Default for Desk {
    fn default() -> Desk {
        Desk::new()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn private(folder: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().mode(0o700).create(folder);
    assert!(made.is_ok(), "{made:?}");
}

/// Starts what tells on its first line where it listens.
fn first_line(mut command: Command) -> (Child, String) {
    let started = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = started.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        let mut out = BufReader::new(out);
        let read = out.read_line(&mut line);
        assert!(read.is_ok_and(|length| length > 0), "{command:?} said nothing");
        // Read on, so that it never waits for us.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    }
    (child, line.trim().to_owned())
}
