//! Where the fleet is and how it is spoken to.

use mouthpiece_aws_access::plain_endpoint;
use reqwest::Url;
use thiserror::Error;

/// A group of machines. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsFleetSettings {
    /// The Auto Scaling group, which must be there already.
    pub group: String,
    /// Where Auto Scaling is, for example an endpoint in a private network; by default AWS's own for the region.
    pub scaling_endpoint: Option<String>,
    /// Where EC2 is, likewise.
    pub ec2_endpoint: Option<String>,
    /// Ask for the history of spot prices.
    pub spot_prices: bool,
}

/// The settings cannot be used.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum FleetOpenError {
    /// The name of a group that cannot be one.
    #[error("'{0}' is no name of an Auto Scaling group: write aws:GROUP, 1 to 255 characters without a colon")]
    Group(String),
    /// An endpoint that cannot be one.
    #[error("{0} is no address: write http://HOST:PORT or https://HOST, without user, path or query")]
    Endpoint(&'static str),
    /// No region.
    #[error("no region is set: name it in aws.region or in AWS_REGION")]
    Region,
    /// A region that cannot be one.
    #[error("'{0}' is no region: write one such as eu-central-1")]
    NoRegion(String),
    /// The HTTP client cannot be made.
    #[error("no connection to AWS can be prepared: {0}")]
    Client(String),
}

impl AwsFleetSettings {
    /// A group by its address, `aws:GROUP`, with everything else as it is by default.
    ///
    /// # Errors
    /// [`FleetOpenError::Group`].
    pub fn at(address: &str) -> Result<Self, FleetOpenError> {
        let group = address.strip_prefix("aws:").unwrap_or(address);
        let is_name = |c: char| !c.is_control() && c != ':';
        if group.is_empty() || group.len() > 255 || group.starts_with('/') || !group.chars().all(is_name) {
            return Err(FleetOpenError::Group(group.chars().take(60).collect()));
        }
        Ok(Self { group: group.to_owned(), scaling_endpoint: None, ec2_endpoint: None, spot_prices: true })
    }
}

/// Where a service of a region is asked.
pub(crate) fn endpoint(
    setting: &'static str,
    given: Option<&str>,
    service: &str,
    region: &str,
) -> Result<Url, FleetOpenError> {
    let Some(given) = given else {
        let in_region = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if region.is_empty() || region.len() > 40 || !region.bytes().all(in_region) {
            return Err(FleetOpenError::NoRegion(region.chars().take(60).collect()));
        }
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let url = format!("https://{service}.{region}.{domain}/");
        return Url::parse(&url).map_err(|_| FleetOpenError::NoRegion(region.to_owned()));
    };
    plain_endpoint(given).ok_or(FleetOpenError::Endpoint(setting))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_by_its_address() {
        assert_eq!(AwsFleetSettings::at("aws:my farm/workers").unwrap().group, "my farm/workers");
        for bad in ["aws:", "aws:a:b", "aws://group", "aws:a\nb"] {
            assert!(matches!(AwsFleetSettings::at(bad), Err(FleetOpenError::Group(_))), "{bad}");
        }
    }

    #[test]
    fn a_service_has_its_place_in_a_region() {
        let of = |region: &str| endpoint("x", None, "autoscaling", region).map(|url| url.to_string());
        assert_eq!(of("eu-central-1").unwrap(), "https://autoscaling.eu-central-1.amazonaws.com/");
        assert_eq!(of("cn-north-1").unwrap(), "https://autoscaling.cn-north-1.amazonaws.com.cn/");
        assert_eq!(of("evil.example/"), Err(FleetOpenError::NoRegion("evil.example/".to_owned())));
        let given = |url| endpoint("aws.ec2_endpoint", Some(url), "ec2", "x").map(|url| url.to_string());
        assert_eq!(given("http://127.0.0.1:5000").unwrap(), "http://127.0.0.1:5000/");
        for bad in ["127.0.0.1:5000", "ftp://a", "http://key:hush@host", "http://host/path"] {
            let refusal = given(bad).unwrap_err();
            assert_eq!(refusal, FleetOpenError::Endpoint("aws.ec2_endpoint"));
            assert!(!refusal.to_string().contains("hush"));
        }
    }
}
