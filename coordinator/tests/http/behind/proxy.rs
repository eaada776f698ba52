//! nginx and Caddy as processes of their own, each on free ports and in a folder of its own.

#![allow(clippy::print_stderr, reason = "a test that fails shows the proxy's log")]

use crate::rig::{BOUND, Rig};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const GUIDE: &str = include_str!("../../../../docs/behind-a-proxy.md");

/// A running proxy. Dropping it ends it.
pub struct Proxy {
    child: Child,
    folder: TempDir,
    /// Without TLS: `http://127.0.0.1:1234`.
    pub http: String,
    /// With TLS.
    pub https: String,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log("error.log"));
        }
    }
}

/// The blocks of a language in the guide.
pub fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    GUIDE.split(&*fence).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

impl Proxy {
    /// nginx with this within its `http` section, before a server.
    pub fn nginx(rig: &Rig, section: &str) -> Self {
        Self::started(|folder, [http, https]| {
            let (certificate, key) = certificate(folder);
            let at = |path: &Path| path.display().to_string();
            let listen = format!("listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl;");
            let section = replaced(
                section,
                &[
                    ("listen 443 ssl;", &listen),
                    ("127.0.0.1:8000", host(rig)),
                    ("/etc/ssl/farm.example.pem", &at(&certificate)),
                    ("/etc/ssl/farm.example.key", &at(&key)),
                    ("/var/log/nginx", &at(folder)),
                ],
            );
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|name| format!("{name}_temp_path {};", at(&folder.join(name))))
                .concat();
            let config = format!(
                "daemon off; master_process off; pid {pid};\nevents {{ worker_connections 256; }}\n\
                 http {{ access_log {access}; {temporary}\n{section}\n}}\n",
                pid = at(&folder.join("pid")),
                access = at(&folder.join("access.log")),
            );
            let file = folder.join("nginx.conf");
            fs::write(&file, config).unwrap();
            let mut command = Command::new(program(&["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"]));
            command.arg("-e").arg(folder.join("error.log")).arg("-p").arg(folder).arg("-c").arg(file);
            command
        })
    }

    /// Caddy with this site.
    pub fn caddy(rig: &Rig, site: &str) -> Self {
        Self::started(|folder, [http, https]| {
            let names = format!("http://127.0.0.1:{http}, https://127.0.0.1:{https}");
            let site = replaced(site, &[("farm.example", &names), ("127.0.0.1:8000", host(rig))]);
            let config = format!(
                "{{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects\n\
                 \thttp_port {http}\n\thttps_port {https}\n\tdefault_bind 127.0.0.1\n}}\n{site}\n"
            );
            let file = folder.join("Caddyfile");
            fs::write(&file, config).unwrap();
            let mut command = Command::new(program(&["/usr/bin/caddy", "/usr/local/bin/caddy"]));
            command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
            command.stderr(fs::File::create(folder.join("error.log")).unwrap());
            command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
            command
        })
    }

    /// Starts a proxy on free ports. Between finding one and using it another process may take it: then once more.
    fn started(command: impl Fn(&Path, [u16; 2]) -> Command) -> Self {
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let ports = free_ports();
            let mut command = command(folder.path(), ports);
            let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
            let [http, https] = ports.map(|port| format!("127.0.0.1:{port}"));
            let mut proxy = Self { child, folder, http: format!("http://{http}"), https: format!("https://{https}") };
            if proxy.listens(&[&http, &https]) {
                return proxy;
            }
        }
        panic!("a proxy does not start");
    }

    /// Waits until all are listened at; false when the proxy ended instead.
    fn listens(&mut self, addresses: &[&str]) -> bool {
        let started = Instant::now();
        for address in addresses {
            while TcpStream::connect(address).is_err() {
                if self.child.try_wait().unwrap().is_some() {
                    eprintln!("{}", self.log("error.log"));
                    return false;
                }
                assert!(started.elapsed() < BOUND, "nobody listens at {address}");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        true
    }

    /// What it wrote into a file.
    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

fn host(rig: &Rig) -> &str {
    rig.address.strip_prefix("http://").unwrap()
}

/// A text with each of these replaced, as far as it has it.
fn replaced(text: &str, these: &[(&str, &str)]) -> String {
    these.iter().fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
}

fn free_ports() -> [u16; 2] {
    let held = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

fn program(places: &[&str]) -> PathBuf {
    let found = places.iter().map(PathBuf::from).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{} is missing: make test-deps installs it", places[0]))
}

/// A certificate that nobody signed, and its key.
fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1".split(' '),
    );
    openssl.arg("-out").arg(&certificate).arg("-keyout").arg(&key);
    let made = openssl.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (certificate, key)
}
