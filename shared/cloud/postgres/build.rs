//! Embeds the migrations: the file names and texts of `migrations/postgres` go into the binary. sqlx's own macro for this would
//! compile sqlx a second time, for the compiler.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const FOLDER: &str = "../../../migrations/postgres";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed={FOLDER}");
    let folder = fs::canonicalize(FOLDER)?;
    let mut files = fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    files.retain(|path| path.extension().is_some_and(|e| e == "sql"));
    files.sort();
    let mut table = String::from("static MIGRATION_FILES: &[(&str, &str)] = &[\n");
    for file in &files {
        table.push_str(&format!("    ({:?}, include_str!({file:?})),\n", file_name(file)?));
    }
    table.push_str("];\n");
    let out = std::env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    fs::write(Path::new(&out).join("migrations.rs"), table)
}

fn file_name(file: &Path) -> io::Result<&str> {
    let name = file.file_name().and_then(|name| name.to_str());
    name.ok_or_else(|| io::Error::other(format!("{}: a migration's name must be text", file.display())))
}
