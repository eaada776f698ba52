//! Why a request got no answer, in words that say what to do.

use super::credentials::CredentialsError;
use aws_credential_types::provider::error::CredentialsError as ProviderError;
use std::error::Error;
use std::io::{self, ErrorKind};

/// What stands behind an HTTP client's error, with the remedy. The addresses that were asked are not repeated.
pub fn explain(error: &(dyn Error + 'static)) -> String {
    let mut last = None;
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(known) = known(error) {
            return known;
        }
        last = Some(error);
        // An I/O error hides what it was made of.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    last.map_or_else(|| "no reason is given".to_owned(), |error| error.to_string())
}

fn known(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(missing) = error.downcast_ref::<ProviderError>() {
        return Some(CredentialsError::of(missing).to_string());
    }
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(match tls {
            rustls::Error::InvalidCertificate(why) => certificate(why),
            rustls::Error::InvalidMessage(_) => {
                "it does not speak TLS there: is the address's http or https right?".into()
            }
            tls => format!("no secure connection comes about ({tls})"),
        });
    }
    let io = error.downcast_ref::<io::Error>()?;
    let said = match io.kind() {
        ErrorKind::ConnectionRefused => "nobody listens there: start it, or correct its address",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            "no way leads there: look at routes and firewalls"
        }
        ErrorKind::TimedOut => "nobody answers there in time: look at security groups and firewalls",
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::UnexpectedEof
        | ErrorKind::BrokenPipe => "the connection was cut",
        // A name that is not found has no kind of its own.
        _ if io.get_ref().is_none() && io.raw_os_error().is_none() => return None,
        _ if io.to_string().contains("lookup address") => "its name is not known: correct the address, or look at DNS",
        _ => return None,
    };
    Some(said.to_owned())
}

fn certificate(why: &rustls::CertificateError) -> String {
    use rustls::CertificateError as Why;
    match why {
        Why::UnknownIssuer => {
            "its certificate is from nobody that is believed: name its CA's file in ca_file".to_owned()
        }
        Why::Expired | Why::ExpiredContext { .. } => {
            "its certificate has expired: renew it, or set the clock".to_owned()
        }
        Why::NotValidYet | Why::NotValidYetContext { .. } => {
            "its certificate does not hold yet: set this machine's clock".to_owned()
        }
        Why::NotValidForName | Why::NotValidForNameContext { .. } => {
            "its certificate is for another name: use the name that the certificate has".to_owned()
        }
        why => format!("its certificate is refused ({why:?})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outside")]
    struct Outside(#[source] io::Error);

    #[test]
    fn the_reason_is_found_below_what_hides_it() {
        let refused = Outside(ErrorKind::ConnectionRefused.into());
        assert!(explain(&refused).starts_with("nobody listens there"));
        let untrusted = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let hidden = Outside(io::Error::new(ErrorKind::InvalidData, untrusted));
        assert!(explain(&hidden).ends_with("ca_file"), "{}", explain(&hidden));
        let name = io::Error::other("failed to lookup address information: Name or service not known");
        assert!(explain(&Outside(name)).contains("DNS"));
        let none = ProviderError::not_loaded("secret words");
        assert!(explain(&none).contains("AWS_ACCESS_KEY_ID") && !explain(&none).contains("secret words"));
        assert_eq!(explain(&Outside(io::Error::other("odd"))), "odd");
    }
}
