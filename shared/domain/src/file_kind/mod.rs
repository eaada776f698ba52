//! What a file is, told from its first bytes: its name and the type that somebody declares are not believed.
//!
//! One table ([`table`]) says of every kind what people call it, whether it is taken as a portrait or as speech and under
//! which media type, and what to do with one that is not. The command, the API and the page all speak from it, so none of
//! them takes or refuses what another does not. To take a further kind, give its row a media type.

mod boxes;
mod frames;
mod signature;
mod table;

use std::fmt;

use thiserror::Error;

pub use table::FileKind;

/// So many first bytes tell every kind: as far into a recording FFmpeg looks for its first frame.
pub const HEAD: usize = 64 * 1024;

/// From so many first bytes on, a signature is told for sure.
const SIGNATURE: usize = 64;

/// What a file is given as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileUse {
    /// A still picture of a person.
    Picture,
    /// A video.
    Video,
    /// A picture or a short video of a person.
    Portrait,
    /// What is said.
    Speech,
}

/// What people would call a kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFamily {
    /// A still or animated picture.
    Picture,
    /// Moving pictures, mostly with sound.
    Video,
    /// Sound alone.
    Recording,
    /// Neither to look at nor to listen to.
    Other,
}

/// A file that is not taken. Its words follow the file's name: "is a JPEG XL picture: save it as PNG or JPEG".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub struct NotTaken {
    /// What it is.
    pub kind: FileKind,
    /// What it was given as.
    pub given_as: FileUse,
}

impl FileKind {
    /// What a file that begins with `head` is. Fewer than [`HEAD`] bytes are the whole file.
    pub fn of(head: &[u8]) -> Self {
        let head = &head[..head.len().min(HEAD)];
        signature::find(head).or_else(|| frames::find(head)).unwrap_or_else(|| signature::without_one(head))
    }

    /// The same while more of the file is still to come: `None` as long as that could make a difference.
    pub fn early(head: &[u8]) -> Option<Self> {
        if head.len() >= HEAD {
            return Some(Self::of(head));
        }
        (head.len() >= SIGNATURE).then(|| signature::find(head)).flatten()
    }

    /// The media type that it is taken under.
    ///
    /// # Errors
    /// [`NotTaken`], whose words say what to do.
    pub fn taken_as(self, given_as: FileUse) -> Result<&'static str, NotTaken> {
        let row = self.row();
        let media_type = match given_as {
            FileUse::Picture if row.family != FileFamily::Picture => None,
            FileUse::Video if row.family != FileFamily::Video => None,
            FileUse::Picture | FileUse::Video | FileUse::Portrait => row.portrait,
            FileUse::Speech => row.speech,
        };
        media_type.ok_or(NotTaken { kind: self, given_as })
    }

    /// What people would call it.
    pub fn family(self) -> FileFamily {
        self.row().family
    }

    /// Its short name, such as "PNG".
    pub fn short(self) -> &'static str {
        self.row().short
    }

    /// What it is, to follow a file's name: "is a PNG picture".
    pub fn is(self) -> &'static str {
        self.row().is
    }

    /// What to do with one that cannot be used, to follow a colon: "export it as JPEG".
    pub fn remedy(self) -> &'static str {
        self.row().remedy
    }

    /// How such files' names end, without the dot; may be empty.
    pub fn endings(self) -> &'static [&'static str] {
        self.row().endings
    }
}

impl FileUse {
    /// The kinds that are taken, the usual ones first.
    pub fn kinds(self) -> impl Iterator<Item = FileKind> {
        FileKind::all().filter(move |kind| kind.taken_as(self).is_ok())
    }

    /// What is taken, for people: "a picture (PNG, JPEG) or a video (MP4)".
    pub fn taken(self) -> String {
        let list = |family: FileFamily| {
            let names: Vec<_> = self.kinds().filter(|kind| kind.family() == family).map(FileKind::short).collect();
            names.join(", ")
        };
        let (pictures, videos) = (list(FileFamily::Picture), list(FileFamily::Video));
        match self {
            Self::Picture => format!("a picture ({pictures})"),
            Self::Video => format!("a video ({videos})"),
            Self::Portrait => format!("a picture ({pictures}) or a video ({videos})"),
            Self::Speech => format!("a recording ({}) or a video with sound ({videos})", list(FileFamily::Recording)),
        }
    }

    /// True when a file of this family is what was asked for, only perhaps of a kind that is not taken.
    fn wants(self, family: FileFamily) -> bool {
        match self {
            Self::Picture => family == FileFamily::Picture,
            Self::Video => family == FileFamily::Video,
            Self::Portrait => matches!(family, FileFamily::Picture | FileFamily::Video),
            Self::Speech => matches!(family, FileFamily::Recording | FileFamily::Video),
        }
    }
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.kind.row();
        if self.given_as.wants(row.family) {
            write!(f, "{}: {}", row.is, row.remedy)
        } else {
            write!(f, "{}: give {}", row.is, self.given_as.taken())
        }
    }
}

#[cfg(test)]
mod tests;
