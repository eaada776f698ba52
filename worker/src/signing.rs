//! Signing films, in builds that can (the feature `provenance`).

use mouthpiece_worker_settings::ProvenanceSettings;
use std::path::Path;
use thiserror::Error;

/// Why films are not signed.
#[derive(Debug, Error)]
pub enum SigningError {
    /// It was left out of this program.
    #[error(
        "provenance.certificates is set, and this build cannot sign: build with the feature `provenance`, or leave it empty"
    )]
    NotInThisBuild,
    /// Certificates, key or film.
    #[cfg(feature = "provenance")]
    #[error(transparent)]
    Provenance(#[from] mouthpiece_provenance::ProvenanceError),
    /// The signed file could not take the other one's place.
    #[error("a signed film cannot be put in its place: {0}")]
    Place(#[from] std::io::Error),
}

/// Signs films where that is set up.
#[derive(Default)]
pub struct Signing {
    #[cfg(feature = "provenance")]
    signer: Option<mouthpiece_provenance::FilmSigner>,
}

impl Signing {
    /// Nothing is signed where no certificates are named.
    ///
    /// # Errors
    /// [`SigningError`] says which file or word is wrong.
    #[cfg(feature = "provenance")]
    pub fn open(settings: &ProvenanceSettings) -> Result<Self, SigningError> {
        let ProvenanceSettings { certificates, key_file, algorithm } = settings;
        if certificates.as_os_str().is_empty() {
            return Ok(Self::default());
        }
        let program = concat!("Mouthpiece/", env!("CARGO_PKG_VERSION"));
        Ok(Self { signer: Some(mouthpiece_provenance::FilmSigner::open(certificates, key_file, algorithm, program)?) })
    }

    /// Nothing is signed.
    ///
    /// # Errors
    /// [`SigningError::NotInThisBuild`] where certificates are named.
    #[cfg(not(feature = "provenance"))]
    pub fn open(settings: &ProvenanceSettings) -> Result<Self, SigningError> {
        if settings.certificates.as_os_str().is_empty() {
            Ok(Self::default())
        } else {
            Err(SigningError::NotInThisBuild)
        }
    }

    /// Signs a finished film, which keeps its name; its length in bytes afterwards, where it was signed.
    ///
    /// # Errors
    /// [`SigningError`]; the film is as it was.
    #[cfg(feature = "provenance")]
    pub fn sign(&self, film: &Path) -> Result<Option<u64>, SigningError> {
        let Some(signer) = &self.signer else { return Ok(None) };
        let mut name = film.as_os_str().to_owned();
        name.push(".signed");
        let signed = Path::new(&name);
        let placed = signer.sign(film, signed).map_err(SigningError::from).and_then(|()| {
            std::fs::rename(signed, film)?;
            Ok(std::fs::metadata(film)?.len())
        });
        if placed.is_err() {
            // What is half written is of no use; whether it could be removed changes nothing.
            let _ = std::fs::remove_file(signed);
        }
        placed.map(Some)
    }

    /// Leaves the film as it is.
    ///
    /// # Errors
    /// Never.
    #[cfg(not(feature = "provenance"))]
    pub fn sign(&self, _film: &Path) -> Result<Option<u64>, SigningError> {
        Ok(None)
    }
}

#[cfg(all(test, not(feature = "provenance")))]
mod tests {
    use super::*;

    #[test]
    fn a_build_that_cannot_sign_says_so() {
        assert!(Signing::open(&ProvenanceSettings::default()).is_ok());
        let asked = ProvenanceSettings { certificates: "chain.pem".into(), ..ProvenanceSettings::default() };
        assert!(matches!(Signing::open(&asked), Err(SigningError::NotInThisBuild)));
    }
}
