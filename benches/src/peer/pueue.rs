//! pueue: its daemon with two groups, and its command line.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::{Peer, Place, Service, program, run_quietly};
use crate::Trouble;

pub(crate) struct Pueue {
    program: PathBuf,
    config: PathBuf,
    _daemon: Service,
}

impl Pueue {
    pub(crate) fn start(place: &Place) -> Result<Pueue, Trouble> {
        let places = [place.installed.join("pueue").join("bin")];
        let missing = "pueue is not installed (benches/peers/install)";
        let (client, daemon) = (program("pueue", &places).ok_or(missing)?, program("pueued", &places).ok_or(missing)?);
        let folder = place.folder("pueue")?;
        let config = folder.join("pueue.yml");
        let shown = folder.display();
        std::fs::write(
            &config,
            format!(
                "shared:\n  pueue_directory: {shown}\n  runtime_directory: {shown}\n  use_unix_socket: true\n  \
                 unix_socket_path: {shown}/socket\nclient: {{}}\ndaemon: {{}}\n"
            ),
        )?;
        let daemon = Service::start(Command::new(daemon).arg("-c").arg(&config), &folder.join("log"))?;
        let this = Pueue { program: client, config, _daemon: daemon };
        let up = footplate_testkit::holds_within(Duration::from_secs(20), || {
            run_quietly(this.command().arg("status")).is_ok()
        });
        if !up {
            return Err("pueued did not come up".into());
        }
        for slots in ["1", "2"] {
            run_quietly(this.command().args(["group", "add", &format!("of{slots}"), "-p", slots]))?;
        }
        Ok(this)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(&self.config);
        command
    }
}

impl Peer for Pueue {
    fn name(&self) -> String {
        "pueue (CLI)".to_owned()
    }

    fn submit(&mut self, slots: usize, argv: &[String]) -> Result<u64, Trouble> {
        let mut command = self.command();
        command.args(["add", "-g", &format!("of{slots}"), "--"]).args(argv);
        let began = crate::clock::now();
        run_quietly(&mut command)?;
        Ok(began)
    }

    fn counts(&self) -> (usize, usize) {
        (50, 10)
    }
}
