//! The desktop app. All of it is in the library beside.

fn main() {
    footplate_app::run();
}
