//! What a key may do.

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyScope {
    /// Make, read and cancel its own sessions, renders and avatars.
    Sessions,
    /// See all sessions, faces, videos and workers, whoever's they are; drain workers.
    Farm,
    /// Read cost reports.
    Reports,
    /// Manage keys.
    Keys,
}

impl KeyScope {
    /// All scopes.
    pub const ALL: [Self; 4] = [Self::Sessions, Self::Farm, Self::Reports, Self::Keys];

    /// The word in records and requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Farm => "farm",
            Self::Reports => "reports",
            Self::Keys => "keys",
        }
    }

    /// The scope of a word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}
