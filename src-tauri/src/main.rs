//! The desktop app. All of it is in the library beside.

fn main() -> std::process::ExitCode {
    footplate_app::run()
}
