//! Which sections of an offer go over the one transport that there is.
//!
//! Sections are bundled (RFC 9143); an offer with one section needs no bundle, and where there is none it needs no mid
//! either. What is wanted and goes another way cannot be served, and is refused; what nobody wants is declined.

use super::{Direction, MediaKind};
use crate::error::SignalError;
use std::ops::Range;

/// Characters of a mid that str0m keeps as it is; and those that it keeps.
const MID_CHARS: usize = 16;

/// One `m=` section as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub kind: MediaKind,
    /// From the peer's side, as far as it concerns us.
    pub direction: Direction,
    pub mid: Option<String>,
    /// Its lines in the description.
    pub lines: Range<usize>,
    /// Switched off, and not only bundled.
    pub closed: bool,
}

impl Part {
    /// Reads a section; `usual` is the direction where it names none.
    pub fn read(all: &[&str], lines: Range<usize>, usual: Direction) -> Self {
        let own = &all[lines.clone()];
        let media = &own[0][2..];
        let attributes = || own.iter().filter_map(|line| line.strip_prefix("a="));
        let kind = MediaKind::of(media);
        let mut direction = attributes().find_map(Direction::of).unwrap_or(usual);
        if kind == MediaKind::Video {
            direction.sends = false; // video is only sent, never taken
        }
        let mid = attributes().find_map(|a| a.strip_prefix("mid:")).map(|mid| mid.trim().to_owned());
        let closed = media.split_whitespace().nth(1) == Some("0") && !own.contains(&"a=bundle-only");
        Self { kind, direction, mid, lines, closed }
    }

    /// Whether it asks for anything that a stream has.
    pub fn is_wanted(&self) -> bool {
        self.kind != MediaKind::Other && !self.closed && (self.direction.sends || self.direction.receives)
    }
}

/// The sections of one transport.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    /// In the offer's order.
    members: Vec<usize>,
    /// The one whose ICE and DTLS attributes count.
    pub leader: Option<usize>,
    /// The offer says so; else there is one section and nothing to say.
    pub is_offered: bool,
}

impl Bundle {
    /// Finds it.
    ///
    /// # Errors
    /// [`SignalError::Unprocessable`] where something wanted goes another way, [`SignalError::Malformed`] where sections
    /// cannot be told apart.
    pub fn find(head: &[&str], parts: &[Part]) -> Result<Self, SignalError> {
        let wanted = || parts.iter().enumerate().filter(|(_, part)| part.is_wanted());
        let Some(group) = head.iter().find_map(|line| line.strip_prefix("a=group:BUNDLE")) else {
            let members: Vec<usize> = wanted().map(|(n, _)| n).collect();
            if members.len() > 1 {
                let said = format!(
                    "the offer has {} sections and no a=group:BUNDLE, but all media go over one transport here: bundle them \
                     (bundlePolicy \"max-bundle\")",
                    members.len()
                );
                return Err(SignalError::Unprocessable(said));
            }
            return Ok(Self { leader: members.first().copied(), members, is_offered: false });
        };
        for (n, part) in parts.iter().enumerate() {
            let Some(mid) = &part.mid else { continue };
            if parts[..n].iter().any(|before| before.mid.as_ref() == Some(mid)) {
                return Err(SignalError::Malformed(format!("section {} has the a=mid of another one", n + 1)));
            }
        }
        let named = |mid: &str| parts.iter().position(|part| part.mid.as_deref() == Some(mid) && !part.closed);
        let mut members: Vec<usize> = group.split_whitespace().filter_map(named).collect();
        let leader = members.first().copied();
        members.sort_unstable();
        members.dedup();
        if let Some((n, part)) = wanted().find(|(n, _)| !members.contains(n)) {
            let lack = if part.mid.is_none() { "has no a=mid, so it" } else { "is not in a=group:BUNDLE: it" };
            let said = format!("section {} {lack} cannot share the one transport: bundle all of them", n + 1);
            return Err(SignalError::Unprocessable(said));
        }
        Ok(Self { members, leader, is_offered: true })
    }

    /// Whether a section goes over it.
    pub fn has(&self, part: usize) -> bool {
        self.members.contains(&part)
    }

    /// In the offer's order.
    pub fn members(&self) -> &[usize] {
        &self.members
    }
}

/// True where every section has a mid that str0m keeps as it is.
pub(crate) fn are_kept(parts: &[Part]) -> bool {
    let kept = |mid: &str| (1..=MID_CHARS).contains(&mid.len()) && mid.bytes().all(|b| b.is_ascii_alphanumeric());
    parts.iter().all(|part| part.mid.as_deref().is_some_and(kept))
}
