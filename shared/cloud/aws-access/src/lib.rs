//! How AWS, and what speaks its dialects, is entered: credentials, region, certificates.
//!
//! Credentials come from where every AWS program looks for them and from nowhere else: the environment, a profile's file, a web
//! identity's token (as Kubernetes mounts it), the container's endpoint, the machine's metadata. No setting holds a secret.

mod access;
mod credentials;
mod endpoint;
mod fault;
mod trust;

pub use access::{Access, AccessError, AccessSettings};
pub use aws_credential_types::Credentials;
pub use credentials::CredentialsError;
pub use endpoint::plain_endpoint;
pub use fault::explain;
