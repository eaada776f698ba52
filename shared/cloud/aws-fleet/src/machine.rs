//! What a machine is told of itself: EC2's instance metadata, version 2.

use aws_config::imds::client::error::ImdsError;
use aws_config::imds::client::{Builder, Client};
use aws_config::provider_config::ProviderConfig;
use aws_smithy_http_client::Builder as HttpBuilder;
use mouthpiece_aws_access::explain;
use mouthpiece_domain::fleet::MachineId;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error as ThisError;

/// One answer, of a service on the same machine.
const LIMIT: Duration = Duration::from_secs(2);
/// No value that is asked for is longer.
const MOST_BYTES: usize = 4096;

/// The metadata cannot be read.
#[derive(Debug, ThisError, Clone, PartialEq, Eq)]
pub enum MetadataError {
    /// The setting.
    #[error("aws.metadata_endpoint is no address: write http://HOST:PORT")]
    Endpoint,
    /// No answer.
    #[error(
        "the machine's metadata cannot be read ({0}): is this an EC2 instance with metadata turned on? In a container the \
         instance's hop limit must be 2 or more"
    )]
    Away(String),
    /// Refused.
    #[error("the machine's metadata is refused: turn it on for this instance (HttpEndpoint enabled)")]
    Refused,
    /// It says something else than it should.
    #[error("the machine's metadata is not understood: {0}")]
    Odd(&'static str),
}

/// What a machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineIdentity {
    /// Its id, `i-...`.
    pub id: MachineId,
    /// Its type, for example `g4dn.xlarge`.
    pub instance_type: String,
    /// The availability zone that it is in.
    pub zone: String,
    /// It is a spot machine, with a price of its own.
    pub spot: bool,
}

impl MachineIdentity {
    /// What its cost is looked up under: of a spot machine the capacity pool (`TYPE@ZONE`), else the type.
    pub fn priced_as(&self) -> String {
        if self.spot { format!("{}@{}", self.instance_type, self.zone) } else { self.instance_type.clone() }
    }
}

/// The metadata service of the machine that this process runs on.
#[derive(Debug, Clone)]
pub struct MachineMetadata {
    builder: Builder,
    client: Arc<Mutex<Client>>,
}

impl MachineMetadata {
    /// At an address of its own, or where every EC2 machine has it (or where `AWS_EC2_METADATA_SERVICE_ENDPOINT` says).
    ///
    /// # Errors
    /// [`MetadataError::Endpoint`].
    pub fn at(endpoint: Option<&str>) -> Result<Self, MetadataError> {
        // It is on this machine: no proxy is ever asked.
        let config = ProviderConfig::without_region().with_http_client(HttpBuilder::new().build_http());
        let mut builder = Client::builder()
            .configure(&config)
            .max_attempts(2)
            .connect_timeout(LIMIT)
            .read_timeout(LIMIT)
            .operation_attempt_timeout(LIMIT)
            .operation_timeout(3 * LIMIT);
        if let Some(endpoint) = endpoint {
            if !endpoint.starts_with("http://") || endpoint.contains('@') {
                return Err(MetadataError::Endpoint);
            }
            builder = builder.endpoint(endpoint).map_err(|_| MetadataError::Endpoint)?;
        }
        Ok(Self { client: Arc::new(Mutex::new(builder.clone().build())), builder })
    }

    /// What machine this is.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub async fn identity(&self) -> Result<MachineIdentity, MetadataError> {
        let id = self.value("instance-id").await?;
        let instance_type = self.value("instance-type").await?;
        let zone = self.value("placement/availability-zone").await?;
        let life_cycle = self.value("instance-life-cycle").await?;
        if !id.starts_with("i-") {
            return Err(MetadataError::Odd("the instance's id does not begin with i-"));
        }
        Ok(MachineIdentity { id: MachineId(id), instance_type, zone, spot: life_cycle == "spot" })
    }

    async fn value(&self, path: &'static str) -> Result<String, MetadataError> {
        let value =
            self.look(path).await?.ok_or(MetadataError::Odd("it does not tell the instance's id, type or zone"))?;
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
        if value.is_empty() || value.len() > 64 || !value.bytes().all(is_name) {
            return Err(MetadataError::Odd("the instance's id, type or zone is no name"));
        }
        Ok(value)
    }

    /// A value; `None` where there is none.
    pub(crate) async fn look(&self, path: &str) -> Result<Option<String>, MetadataError> {
        match self.once(path).await {
            // A client keeps its token for hours, also one that is not valid any more.
            Err(MetadataError::Refused) => {
                *self.client.lock().unwrap_or_else(PoisonError::into_inner) = self.builder.clone().build();
                self.once(path).await
            }
            answer => answer,
        }
    }

    async fn once(&self, path: &str) -> Result<Option<String>, MetadataError> {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match client.get(format!("/latest/meta-data/{path}")).await {
            Ok(value) => {
                let value: String = value.into();
                if value.len() > MOST_BYTES {
                    return Err(MetadataError::Odd("a value is too long"));
                }
                Ok(Some(value.trim().to_owned()))
            }
            Err(ImdsError::ErrorResponse(answer)) => match answer.response().status().as_u16() {
                404 => Ok(None),
                401 | 403 => Err(MetadataError::Refused),
                status => Err(MetadataError::Away(format!("it answers {status}"))),
            },
            Err(error) => Err(MetadataError::Away(reason(&error))),
        }
    }
}

fn reason(error: &ImdsError) -> String {
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        if error.to_string().contains("timed out") || error.to_string().contains("timeout") {
            return "it does not answer in time".to_owned();
        }
        next = error.source();
    }
    explain(error)
}
