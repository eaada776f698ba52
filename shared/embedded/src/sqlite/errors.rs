//! SQLite's errors in words, and whether waiting helps.

use mouthpiece_ports::records::RecordsError;
use std::path::Path;

/// Primary result codes, <https://www.sqlite.org/rescode.html>.
mod code {
    pub const BUSY: u32 = 5;
    pub const LOCKED: u32 = 6;
    pub const READONLY: u32 = 8;
    pub const IOERR: u32 = 10;
    pub const CORRUPT: u32 = 11;
    pub const FULL: u32 = 13;
    pub const CANTOPEN: u32 = 14;
    pub const NOTADB: u32 = 26;
}

/// Says what is wrong with the file at `path` and what to do about it.
pub(super) fn told(path: &Path, error: &sqlx::Error) -> RecordsError {
    let file = path.display();
    let broken = |what: String| RecordsError::Broken(what);
    match error {
        sqlx::Error::Database(e) => {
            // The low byte of an extended code is its primary code.
            let primary = e.code().and_then(|c| c.parse::<u32>().ok()).map(|c| c & 0xff);
            match primary {
                Some(code::BUSY | code::LOCKED) => RecordsError::Unavailable(format!(
                    "'{file}' is locked by another program: close it, or wait until it is done"
                )),
                Some(code::FULL) => broken(format!("the disk that holds '{file}' is full: free some space")),
                Some(code::NOTADB | code::CORRUPT) => broken(format!(
                    "'{file}' is damaged or not a database of this program ({}): move it away to start anew, or restore a copy",
                    e.message()
                )),
                Some(code::READONLY) => broken(format!("'{file}' cannot be written: check its owner and rights")),
                Some(code::CANTOPEN) => {
                    broken(format!("'{file}' cannot be opened: check that its folder is there and may be written"))
                }
                Some(code::IOERR) => {
                    broken(format!("'{file}' cannot be read or written ({}): check the disk", e.message()))
                }
                _ => broken(format!("'{file}': {}", e.message())),
            }
        }
        sqlx::Error::PoolTimedOut => RecordsError::Unavailable(format!("too many are reading '{file}' at once")),
        sqlx::Error::Io(e) => broken(format!("'{file}': {e}")),
        sqlx::Error::Decode(e) | sqlx::Error::ColumnDecode { source: e, .. } => {
            broken(format!("'{file}' holds something that this program does not understand: {e}"))
        }
        other => broken(format!("'{file}': {other}")),
    }
}
