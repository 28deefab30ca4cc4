//! The migrations are embedded by a macro, which cargo does not know to look at them.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
