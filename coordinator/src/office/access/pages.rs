//! How the page is let in: by a link that is good once, then by a cookie. Both stand for a key, so that the page's scripts
//! never hold a secret, and of both only hashes are kept.
//!
//! Where a request comes from proves nothing, and neither does a header that it lacks: behind a proxy or a forwarder
//! everybody comes from this machine. So whoever has neither link nor cookie has to give a key.

use super::KeyError;
use super::secret::{looks_random, random_token, secret_hash};
use crate::office::now;
use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::time::{HOUR_MS, Wall};
use mouthpiece_ports::passes::{Pass, PassKind, Passes};
use mouthpiece_ports::records::{ApiKey, KeyRegister, RecordsError};

/// A link that nobody followed is good for so many hours.
pub const LINK_HOURS: i64 = 8;
/// A page that asked for nothing for so long must be let in anew.
const PAGE_MS: i64 = 30 * DAY_MS;
/// A page that is in use lasts longer, in steps of this.
const DAY_MS: i64 = 24 * HOUR_MS;
/// Pages of a key.
const MOST_PAGES: u32 = 100;
/// Links of a key: a new one takes the place of the one before.
const MOST_LINKS: u32 = 1;

/// A link that opens the page once.
#[derive(Clone, PartialEq, Eq)]
pub struct PageLink {
    secret: String,
}

impl PageLink {
    /// The address to open, below `base`, which ends with a slash. The secret stands in the fragment: browsers send that to
    /// nobody, so it is in no log of a server or a proxy, in no `Referer`, and whoever fetches the address ahead or to show
    /// a preview of it does not use the link up.
    pub fn below(&self, base: &str) -> String {
        format!("{base}#open={}", self.secret)
    }
}

/// Makes a link for the oldest of the valid keys that may do most. `None` when there is no valid key.
///
/// # Errors
/// [`KeyError`].
pub async fn new_page_link(register: &dyn KeyRegister, passes: &dyn Passes) -> Result<Option<PageLink>, KeyError> {
    let keys = register.keys().await?;
    let valid = keys.into_iter().filter(|key| key.revoked.is_none());
    let Some(key) = valid.reduce(|best, next| if next.scopes.len() > best.scopes.len() { next } else { best }) else {
        return Ok(None);
    };
    let secret = random_token()?;
    add(passes, &secret, PassKind::Link, key.id, LINK_HOURS * HOUR_MS, MOST_LINKS).await?;
    Ok(Some(PageLink { secret }))
}

/// The key that a link stands for; it is used up with that.
pub(super) async fn follow_link(passes: &dyn Passes, secret: &str) -> Result<Option<KeyId>, RecordsError> {
    if !looks_random(secret) {
        return Ok(None);
    }
    let taken = passes.take_pass(PassKind::Link, &secret_hash(secret), now()).await?;
    Ok(taken.map(|pass| pass.key))
}

/// Opens a page's session; the cookie's value.
pub(super) async fn open_page(passes: &dyn Passes, key: &ApiKey) -> Result<String, KeyError> {
    let token = random_token()?;
    add(passes, &token, PassKind::Page, key.id, PAGE_MS, MOST_PAGES).await?;
    Ok(token)
}

/// The session that a cookie's value stands for. It lasts longer with that.
pub(super) async fn find_page(passes: &dyn Passes, token: &str) -> Result<Option<Pass>, RecordsError> {
    if !looks_random(token) {
        return Ok(None);
    }
    let at = now();
    let found = passes.pass(PassKind::Page, &secret_hash(token), at).await?;
    if let Some(pass) = &found
        && let longer = Wall(at.0.saturating_add(PAGE_MS))
        && longer.0 - pass.expires.0 >= DAY_MS
    {
        passes.extend_pass(PassKind::Page, &pass.hash, longer).await?;
    }
    Ok(found)
}

/// Closes the session that a cookie's value stands for.
pub(super) async fn close_page(passes: &dyn Passes, token: &str) -> Result<(), RecordsError> {
    if looks_random(token) {
        passes.take_pass(PassKind::Page, &secret_hash(token), now()).await?;
    }
    Ok(())
}

async fn add(
    passes: &dyn Passes,
    secret: &str,
    kind: PassKind,
    key: KeyId,
    lasts_ms: i64,
    most: u32,
) -> Result<(), RecordsError> {
    let at = now();
    let pass = Pass { hash: secret_hash(secret), kind, key, expires: Wall(at.0.saturating_add(lasts_ms)) };
    passes.add_pass(&pass, most, at).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_link_is_in_its_fragment() {
        let link = PageLink { secret: "abc".into() }.below("https://farm.example/avatar/");
        let url = url::Url::parse(&link).unwrap();
        assert_eq!((url.path(), url.query(), url.fragment()), ("/avatar/", None, Some("open=abc")));
    }
}
