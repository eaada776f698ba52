//! Which files the page offers to take: a module made from the one table.

use mouthpiece_domain::file_kind::{FileFamily, FileKind, FileUse};
use serde_json::json;
use std::sync::LazyLock;

/// Under which path of the page it is served; `core/taken.d.ts` declares it.
pub(super) const PATH: &str = "core/taken.js";

/// Kinds that a short line names; the rest are "more".
const NAMED: usize = 5;

/// The module's text.
pub(super) static MODULE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "export const PORTRAIT = {};\nexport const SPEECH = {};\n",
        offer(FileUse::Portrait),
        offer(FileUse::Speech)
    )
});

/// What a file field accepts, and a line that says so.
fn offer(given_as: FileUse) -> serde_json::Value {
    let mut accept: Vec<String> = Vec::new();
    for kind in given_as.kinds() {
        accept.extend(kind.taken_as(given_as).ok().map(str::to_owned));
        // Systems know the endings of many kinds by no type, or by another.
        accept.extend(kind.endings().iter().map(|ending| format!(".{ending}")));
    }
    let mut seen = std::collections::HashSet::new();
    accept.retain(|one| seen.insert(one.clone()));
    let named = |family: FileFamily| {
        let names: Vec<_> = given_as.kinds().filter(|kind| kind.family() == family).map(FileKind::short).collect();
        let more = if names.len() > NAMED { " and more" } else { "" };
        format!("{}{more}", names[..names.len().min(NAMED)].join(", "))
    };
    let hint = match given_as {
        FileUse::Speech => named(FileFamily::Recording),
        _ => format!("{}, or a short video", named(FileFamily::Picture)),
    };
    json!({ "accept": accept.join(","), "hint": hint })
}
