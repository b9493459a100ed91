//! Has cargo build anew when the embedded web interface has changed.

fn main() {
    let folder = "../../web/dist";
    // Cargo takes what is not there for changed, every time. Where nothing can be made, it builds a little more often.
    let _ = std::fs::create_dir_all(folder);
    println!("cargo:rerun-if-changed={folder}");
}
