//! ICE servers as headers: `Link` with `rel="ice-server"`, as WHEP has it.

use crate::office::live::IceAccess;

/// The values of `Link` headers, one an address.
pub fn links(servers: &[IceAccess]) -> Vec<String> {
    let of = |server: &IceAccess| {
        let credentials = match (&server.username, &server.credential) {
            (Some(name), Some(word)) => {
                format!("; username=\"{name}\"; credential=\"{word}\"; credential-type=\"password\"")
            }
            _ => String::new(),
        };
        server.urls.iter().map(|url| format!("<{url}>; rel=\"ice-server\"{credentials}")).collect::<Vec<_>>()
    };
    servers.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::office::IceServer;
    use crate::office::live::ice::{access, check};
    use mouthpiece_domain::ids::SessionId;

    fn server(text: &str) -> IceServer {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_address_is_a_link() {
        let servers = [
            server(r#"{"urls":["stun:a.example"]}"#),
            server(
                r#"{"urls":["turn:b.example","turns:b.example:443?transport=tcp"],"username":"u","credential":"p"}"#,
            ),
        ];
        check(&servers).unwrap();
        let credentials = r#"; username="u"; credential="p"; credential-type="password""#;
        let wanted = [
            r#"<stun:a.example>; rel="ice-server""#.to_owned(),
            format!("<turn:b.example>; rel=\"ice-server\"{credentials}"),
            format!("<turns:b.example:443?transport=tcp>; rel=\"ice-server\"{credentials}"),
        ];
        assert_eq!(links(&access(&servers, SessionId(1), 0)), wanted);
    }
}
