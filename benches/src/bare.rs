//! What any app in a web view costs on this machine: a window of the app's size, with a page that says one sentence.

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use gtk::prelude::{ContainerExt, GtkWindowExt, WidgetExt};
    use wry::{WebViewBuilder, WebViewBuilderExtUnix};

    gtk::init()?;
    let window = gtk::Window::new(gtk::WindowType::Toplevel);
    window.set_default_size(1240, 800);
    let area = gtk::Box::new(gtk::Orientation::Vertical, 0);
    window.add(&area);
    let _view = WebViewBuilder::new().with_html("<!doctype html><p>A page that does nothing.").build_gtk(&area)?;
    window.show_all();
    gtk::main();
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("The app is measured on Linux only.");
}
