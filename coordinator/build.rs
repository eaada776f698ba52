//! Embeds the page: every file of `src/web` goes into the binary, under its path there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the page consists of; tests and notes beside it stay outside.
const KINDS: [&str; 9] = ["html", "js", "css", "svg", "png", "ico", "woff2", "json", "webmanifest"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("src/web");
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let mut table =
        String::from("/// Every file of the page: its path and its content.\nstatic WEB: &[(&str, &[u8])] = &[\n");
    for file in files {
        let path = file.strip_prefix(&root).map_err(io::Error::other)?;
        let path = path.to_str().ok_or_else(|| io::Error::other("a file of the page has a name that is no text"))?;
        table.push_str(&format!("    ({path:?}, include_bytes!({file:?})),\n"));
    }
    table.push_str("];\n");
    fs::write(PathBuf::from(variable("OUT_DIR")?).join("web.rs"), table)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    // Cargo reads what is printed here.
    #[allow(clippy::print_stdout)]
    {
        println!("cargo:rerun-if-changed={}", folder.display());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let kind = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        if path.is_dir() {
            collect(&path, files)?;
        } else if KINDS.contains(&kind) && !name.starts_with('.') && !name.ends_with(".test.js") {
            files.push(path);
        }
    }
    Ok(())
}

fn variable(name: &str) -> io::Result<String> {
    std::env::var(name).map_err(|e| io::Error::other(format!("{name}: {e}")))
}
