//! Credentials, kept for a while; and why there are none to sign with.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError as ProviderError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use std::time::{Duration, Instant, SystemTime};
use thiserror::Error;
use tokio::sync::Mutex;

/// Whoever gives them may take so long.
const LIMIT: Duration = Duration::from_secs(15);
/// They are asked for anew so long before they expire...
const BEFORE_EXPIRY: Duration = Duration::from_secs(300);
/// ...and after so long in any case: files change, and a role may be another.
const KEPT: Duration = Duration::from_secs(900);
/// At most so often, however soon they expire.
const AT_LEAST: Duration = Duration::from_secs(5);

/// There are no credentials to sign with.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum CredentialsError {
    /// Nobody gives any.
    #[error(
        "no credentials are found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a credentials file, or give the machine a role"
    )]
    None,
    /// The one that should does not.
    #[error("the credentials cannot be had: {0}")]
    Unavailable(String),
}

impl CredentialsError {
    /// What a provider's error means. Its own text names no secret, but the words of its causes are a library's.
    pub fn of(error: &ProviderError) -> Self {
        match error {
            ProviderError::CredentialsNotLoaded(_) => Self::None,
            ProviderError::ProviderTimedOut(_) => Self::Unavailable("whoever gives them does not answer".to_owned()),
            ProviderError::InvalidConfiguration(_) => {
                Self::Unavailable("the profile or the credentials file is wrong: correct it".to_owned())
            }
            _ => Self::Unavailable("whoever gives them refused: look at the role and at the profile".to_owned()),
        }
    }
}

/// The credentials that were given last. Debug output shows no secret.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<Option<(Credentials, Instant)>>);

impl Remembered {
    /// The credentials: those of before, or new ones. One request at a time is made for all who wait.
    pub(super) async fn ask(&self, provider: &SharedCredentialsProvider) -> Result<Credentials, CredentialsError> {
        let mut remembered = self.0.lock().await;
        if let Some((credentials, until)) = &*remembered
            && Instant::now() < *until
        {
            return Ok(credentials.clone());
        }
        let asked = tokio::time::timeout(LIMIT, provider.provide_credentials()).await;
        let slow = || CredentialsError::Unavailable("whoever gives them does not answer".to_owned());
        match asked.map_err(|_| slow()).and_then(|given| given.map_err(|e| CredentialsError::of(&e))) {
            Ok(credentials) => {
                let until = Instant::now() + kept_for(credentials.expiry(), SystemTime::now());
                *remembered = Some((credentials.clone(), until));
                Ok(credentials)
            }
            // What is known still serves while whoever gives them is away.
            Err(error) => match &mut *remembered {
                Some((credentials, until)) if credentials.expiry().is_none_or(|end| end > SystemTime::now()) => {
                    *until = Instant::now() + AT_LEAST;
                    Ok(credentials.clone())
                }
                _ => Err(error),
            },
        }
    }
}

fn kept_for(expiry: Option<SystemTime>, now: SystemTime) -> Duration {
    let Some(expiry) = expiry else { return KEPT };
    let left = expiry.duration_since(now).unwrap_or_default();
    left.saturating_sub(BEFORE_EXPIRY).clamp(AT_LEAST, KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::provider::future;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Gives credentials a number of times, then no more.
    #[derive(Debug)]
    struct Giver {
        asked: Arc<AtomicU32>,
        gives: u32,
        expiry: Option<SystemTime>,
    }

    impl ProvideCredentials for Giver {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst);
            let given = Credentials::new(format!("key-{asked}"), "hush", None, self.expiry, "test");
            let given = if asked < self.gives { Ok(given) } else { Err(ProviderError::not_loaded("secret words")) };
            future::ProvideCredentials::ready(given)
        }
    }

    fn giver(gives: u32, expiry: Option<SystemTime>) -> (SharedCredentialsProvider, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        (SharedCredentialsProvider::new(Giver { asked: Arc::clone(&asked), gives, expiry }), asked)
    }

    #[tokio::test]
    async fn credentials_are_asked_for_once_while_they_hold() {
        let (provider, asked) = giver(1, None);
        let remembered = Remembered::default();
        for _ in 0..3 {
            assert_eq!(remembered.ask(&provider).await.unwrap().access_key_id(), "key-0");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(!format!("{remembered:?}").contains("hush"));
    }

    #[tokio::test]
    async fn there_are_none_or_those_of_before_while_nobody_gives_new_ones() {
        let (provider, _) = giver(0, None);
        assert_eq!(Remembered::default().ask(&provider).await.unwrap_err(), CredentialsError::None);
        let (provider, asked) = giver(1, Some(SystemTime::now() + Duration::from_secs(3600)));
        let remembered = Remembered::default();
        remembered.ask(&provider).await.unwrap();
        if let Some((_, until)) = &mut *remembered.0.lock().await {
            *until = Instant::now();
        }
        assert_eq!(remembered.ask(&provider).await.unwrap().access_key_id(), "key-0");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn they_are_renewed_before_they_expire() {
        let now = SystemTime::now();
        let in_s = |s| kept_for(Some(now + Duration::from_secs(s)), now).as_secs();
        assert_eq!([in_s(0), in_s(200), in_s(400), in_s(36_000)], [5, 5, 100, 900]);
        assert_eq!(kept_for(None, now), KEPT);
    }
}
