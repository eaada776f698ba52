//! Which licences weights may have.

/// Licences that let anyone use, change and sell what they cover, by their SPDX names.
const PERMISSIVE: [&str; 9] =
    ["MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "CC0-1.0", "CC-BY-4.0"];

/// Licences that a user allows beside the permissive ones, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedLicences(pub Vec<String>);

impl AllowedLicences {
    /// True for an expression such as `Apache-2.0 OR MIT` one of whose licences is permissive or allowed, and for any whole
    /// expression that is allowed. Names are compared without their case.
    pub fn allows(&self, expression: &str) -> bool {
        let known = |name: &str| {
            let mine = self.0.iter().map(String::as_str);
            PERMISSIVE.into_iter().chain(mine).any(|allowed| allowed.eq_ignore_ascii_case(name.trim()))
        };
        known(expression) || expression.split(" OR ").any(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissive_licences_are_allowed_and_others_by_name() {
        let none = AllowedLicences::default();
        for fine in ["MIT", "apache-2.0", "Apache-2.0 OR MIT", "GPL-3.0-only OR MIT"] {
            assert!(none.allows(fine), "{fine}");
        }
        for not in ["", "CC-BY-NC-4.0", "creativeml-openrail-m", "MIT AND CC-BY-NC-4.0", "MITx", "GPL-3.0-only"] {
            assert!(!none.allows(not), "{not}");
        }
        let some = AllowedLicences(vec!["CreativeML-OpenRAIL-M".to_owned()]);
        assert!(some.allows("creativeml-openrail-m") && !some.allows("CC-BY-NC-4.0"));
    }
}
