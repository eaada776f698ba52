//! Content Credentials (C2PA 2.x, <https://spec.c2pa.org>) for films: a signed statement inside the file that says what made it, that a
//! trained model did, and which bytes it stands for. Whoever changes a byte breaks it; whoever removes it is left without.

use c2pa::assertions::DigitalSourceType;
use c2pa::create_signer;
use c2pa::{BoxedSigner, Builder, BuilderIntent, Context, Reader, SigningAlg, ValidationState};
use std::fs::File;
use std::io::{Cursor, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use thiserror::Error;

/// Why a film is not signed.
#[derive(Debug, Error)]
pub enum ProvenanceError {
    /// A file of the operator's cannot be read.
    #[error("{what} {path} cannot be read: {reason}")]
    Unreadable {
        /// Which one: the setting's name.
        what: &'static str,
        /// Where it should be.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// A word that names no algorithm.
    #[error("provenance.algorithm is \"{0}\": es256, es384, es512, ps256, ps384, ps512 and ed25519 are known")]
    Algorithm(String),
    /// Certificates and key do not belong together, or are of another kind than was said.
    #[error(
        "provenance.certificates and provenance.key_file cannot be used: {0}. Wanted are PEM files: the certificate that signs, then those \
         above it; a key of provenance.algorithm in PKCS#8 that belongs to the first"
    )]
    Unusable(String),
    /// The film could not be signed.
    #[error("the film cannot be signed: {0}")]
    Sign(String),
}

/// What films are signed with.
pub struct FilmSigner {
    signer: BoxedSigner,
    program: String,
}

/// A picture of one pixel, to try certificates with.
const PIXEL: &[u8] = include_bytes!("pixel.png");

impl FilmSigner {
    /// Reads certificates and key (PEM), and signs something with them to see whether they belong together. `program` is who says so, `Name/1.0`.
    ///
    /// # Errors
    /// [`ProvenanceError`] names the file or the word that is wrong.
    pub fn open(certificates: &Path, key: &Path, algorithm: &str, program: &str) -> Result<Self, ProvenanceError> {
        let read = |what, path: &Path| {
            std::fs::read(path).map_err(|reason| ProvenanceError::Unreadable { what, path: path.to_owned(), reason })
        };
        let named = SigningAlg::from_str(algorithm).map_err(|_| ProvenanceError::Algorithm(algorithm.to_owned()))?;
        let (certificates, key) = (read("provenance.certificates", certificates)?, read("provenance.key_file", key)?);
        let unusable = |e: c2pa::Error| ProvenanceError::Unusable(e.to_string());
        let signer = create_signer::from_keys(&certificates, &key, named, None).map_err(unusable)?;
        let this = Self { signer, program: program.to_owned() };
        this.try_out().map_err(unusable)?;
        Ok(this)
    }

    /// Signs a picture and reads it: certificates that expired, that are for something else, or that belong to another key are told now and not
    /// with the first film.
    fn try_out(&self) -> c2pa::Result<()> {
        let mut signed = Cursor::new(Vec::new());
        self.state("image/png", &mut Cursor::new(PIXEL), &mut signed)?;
        signed.rewind()?;
        let read = Reader::from_context(Context::new()).with_stream("image/png", &mut signed)?;
        if read.validation_state() != ValidationState::Invalid {
            return Ok(());
        }
        let codes = read.validation_status().unwrap_or_default().iter().map(|status| status.code().to_owned());
        // Nobody's list of trusted authorities is at hand here, and it need not be.
        let told: Vec<String> = codes.filter(|code| code != "signingCredential.untrusted").collect();
        Err(c2pa::Error::BadParam(told.join(", ")))
    }

    /// Writes `film`, an MP4, with a signed statement to `signed`.
    ///
    /// # Errors
    /// [`ProvenanceError::Sign`]; what is at `signed` is of no use then.
    pub fn sign(&self, film: &Path, signed: &Path) -> Result<(), ProvenanceError> {
        let files = || -> c2pa::Result<()> {
            let mut to = File::options().read(true).write(true).create(true).truncate(true).open(signed)?;
            self.state("video/mp4", &mut File::open(film)?, &mut to)
        };
        files().map_err(|e| ProvenanceError::Sign(e.to_string()))
    }

    fn state(
        &self,
        format: &str,
        from: &mut (impl Read + Seek + Send),
        to: &mut (impl Read + Write + Seek + Send),
    ) -> c2pa::Result<()> {
        let (name, version) = self.program.split_once('/').unwrap_or((&self.program, "0"));
        let definition = serde_json::json!({
            "title": "A portrait that was made to speak",
            "claim_generator_info": [{ "name": name, "version": version }],
        });
        let mut builder = Builder::from_context(Context::new()).with_definition(definition.to_string())?;
        builder.set_intent(BuilderIntent::Create(DigitalSourceType::TrainedAlgorithmicMedia));
        builder.sign(self.signer.as_ref(), format, from, to)?;
        Ok(())
    }
}
