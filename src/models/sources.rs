//! Where a file can be had from.

use super::manifest::{WeightsFile, may_be_fetched};
use url::Url;

/// Another place to fetch from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mirror {
    /// A copy of the folder of models behind a web server: each file lies there under its path in it.
    Folder(Url),
    /// Addresses that begin with the first begin with the second there.
    Instead {
        /// How addresses of the manifest begin, for example `https://huggingface.co/`.
        of: String,
        /// How they begin on the mirror.
        with: Url,
    },
}

impl Mirror {
    /// Reads `https://mirror.example/models` or `https://huggingface.co => https://mirror.example`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let address = |text: &str| {
            let slashed = format!("{}/", text.trim().trim_end_matches('/'));
            let url = Url::parse(&slashed).map_err(|e| format!("\"{}\" is not an address: {e}", text.trim()))?;
            let fine = matches!(url.scheme(), "http" | "https") && url.query().is_none();
            fine.then_some(url).ok_or_else(|| format!("\"{}\" is not an http or https address", text.trim()))
        };
        match text.split_once("=>") {
            None => address(text).map(Self::Folder),
            Some((of, with)) => Ok(Self::Instead { of: address(of)?.into(), with: address(with)? }),
        }
    }

    /// Where the mirror has a file; `None` when it has other ones only.
    fn has(&self, file: &WeightsFile) -> Option<Url> {
        match self {
            Self::Folder(base) => base.join(file.file.to_str()?).ok(),
            Self::Instead { of, with } => with.join(file.url.as_str().strip_prefix(of.as_str())?).ok(),
        }
    }
}

/// The addresses of a file in the order in which they are tried: mirrors first, then where it is published.
pub fn sources(file: &WeightsFile, mirrors: &[Mirror]) -> Vec<Url> {
    let mut urls: Vec<Url> = Vec::new();
    for url in mirrors.iter().filter_map(|mirror| mirror.has(file)).chain([file.url.clone()]) {
        if may_be_fetched(&url, file.sha256.is_some()) && !urls.contains(&url) {
            urls.push(url);
        }
    }
    urls
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn file(hash_known: bool) -> WeightsFile {
        WeightsFile {
            name: "net".to_owned(),
            file: PathBuf::from("a/net.bin"),
            url: Url::parse("https://huggingface.co/who/what/net.bin").unwrap(),
            sha256: hash_known.then(|| super::super::manifest::Sha256Hex::of(&[7; 32])),
            about_bytes: 10,
            licence: "MIT".to_owned(),
            commercial_use: true,
            terms: String::new(),
            purpose: "a test".to_owned(),
        }
    }

    #[test]
    fn mirrors_come_first_and_the_publisher_last() {
        let mirrors = [
            "https://models.example/all",
            "https://huggingface.co => https://hf.example",
            "https://other.example => https://x.example",
        ]
        .map(|text| Mirror::parse(text).unwrap());
        let found: Vec<String> = sources(&file(false), &mirrors).into_iter().map(Into::into).collect();
        assert_eq!(
            found,
            [
                "https://models.example/all/a/net.bin",
                "https://hf.example/who/what/net.bin",
                "https://huggingface.co/who/what/net.bin"
            ]
        );
    }

    #[test]
    fn an_open_mirror_serves_only_what_has_a_known_hash() {
        let mirrors = [Mirror::parse("http://models.example").unwrap()];
        assert_eq!(sources(&file(false), &mirrors).len(), 1);
        assert_eq!(sources(&file(true), &mirrors).len(), 2);
    }

    #[test]
    fn what_is_no_mirror_is_refused() {
        for text in ["", "models", "ftp://models.example", "https://a.example => b", "https://a.example/?x=1"] {
            assert!(Mirror::parse(text).is_err(), "{text}");
        }
    }
}
