//! What Auto Scaling and EC2 answer: XML, of which only what is needed is read.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A list of Auto Scaling's.
#[derive(Debug, Deserialize)]
pub(crate) struct Members<T> {
    #[serde(rename = "member", default = "Vec::new")]
    pub(crate) all: Vec<T>,
}

/// A list of EC2's.
#[derive(Debug, Deserialize)]
pub(crate) struct Items<T> {
    #[serde(rename = "item", default = "Vec::new")]
    pub(crate) all: Vec<T>,
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self { all: Vec::new() }
    }
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self { all: Vec::new() }
    }
}

/// An answer of which nothing is read.
#[derive(Debug, Deserialize)]
pub(crate) struct Done {}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ServiceRefusal {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
}

/// Reads an answer.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    quick_xml::de::from_str(text).ok()
}

/// Reads a refusal; `None` when it is none of AWS's.
pub(crate) fn refusal(text: &str) -> Option<ServiceRefusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct OfScaling {
        error: ServiceRefusal,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct OfEc2 {
        errors: OfScaling,
    }
    let of_scaling = || read::<OfScaling>(text).map(|answer| answer.error);
    let of_ec2 = || read::<OfEc2>(text).map(|answer| answer.errors.error);
    of_scaling().or_else(of_ec2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_services_refusals_are_read() {
        let scaling = r#"<ErrorResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">
            <Error><Type>Sender</Type><Code>ValidationError</Code><Message>Group &lt;x&gt; not found</Message></Error>
            <RequestId>1</RequestId></ErrorResponse>"#;
        let ec2 = r#"<?xml version="1.0" encoding="UTF-8"?>
            <Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Slow.</Message></Error></Errors>
            <RequestID>2</RequestID></Response>"#;
        let read = |text| refusal(text).map(|refusal| (refusal.code, refusal.message));
        assert_eq!(read(scaling), Some(("ValidationError".into(), "Group <x> not found".into())));
        assert_eq!(read(ec2), Some(("RequestLimitExceeded".into(), "Slow.".into())));
        assert_eq!(read("<html><body>no</body></html>"), None);
        assert_eq!(read(""), None);
    }

    proptest! {
        #[test]
        fn noise_is_no_answer_and_no_panic(text in ".{0,200}") {
            let _ = refusal(&text);
            let _ = read::<Members<String>>(&text);
        }
    }
}
