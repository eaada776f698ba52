//! STUN and TURN servers, from the settings.

use super::values::SettingValue;
use figment::value::Value;
use mouthpiece_coordinator::office::IceServer;
use mouthpiece_coordinator::office::live::ice;

/// What viewers are told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IceServers(pub Vec<IceServer>);

impl SettingValue for IceServers {
    fn read(value: &Value) -> Result<Self, String> {
        let servers: Vec<IceServer> = value.deserialize().map_err(|e| {
            format!("{e}; it must be a list of tables with urls and, for TURN, username and credential or secret")
        })?;
        ice::check(&servers).map_err(|e| e.to_string())?;
        Ok(Self(servers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use figment::value::Dict;

    fn read(text: &str) -> Result<IceServers, String> {
        let file: Dict = toml::from_str(text).unwrap();
        IceServers::read(&file["ice_servers"])
    }

    #[test]
    fn servers_are_read_and_wrong_ones_are_told() {
        let IceServers(servers) = read(
            "[[ice_servers]]\nurls = ['stun:stun.example.com']\n\
             [[ice_servers]]\nurls = ['turn:turn.example.com?transport=udp']\nsecret = 's'\nttl_s = 600",
        )
        .unwrap();
        assert_eq!((servers.len(), servers[1].ttl_s), (2, 600));
        for (text, words) in [
            ("ice_servers = 5", "must be a list of tables"),
            ("[[ice_servers]]\nurls = ['http://example.com']", "'http://example.com' must be stun:"),
            ("[[ice_servers]]\nurls = ['turn:example.com']", "must have a username and a credential"),
            ("[[ice_servers]]\nurl = 'stun:example.com'", "unknown field"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(words), "{told}");
        }
    }
}
