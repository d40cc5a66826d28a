//! A desk of its own for each test: a screen without a monitor, a bus, and the app as built, driven as by a person.
//!
//! Not here: what is expected of the app (the tests beside).

mod bus;
mod desk;
mod driver;
mod page;
mod screen;

pub use bus::{Bus, Item, Notification, Taskbar, Tile};
pub use desk::Desk;
pub use driver::{Driver, PATIENCE, Window};
pub use page::{status, until_status, word};
pub use screen::{Look, Screen};
