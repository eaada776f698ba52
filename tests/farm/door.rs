//! How the page is let in: the link that is printed, the command for another, the browser that is opened.

use crate::farm::{Farm, Place, eventually, files};
use std::os::unix::fs::PermissionsExt;

fn secret_of(link: &str) -> String {
    link.trim().split_once("/#open=").unwrap_or_else(|| panic!("{link}")).1.to_owned()
}

/// The cookie of a page that this link lets in.
async fn cookie(farm: &Farm, link: &str) -> String {
    let opened = farm.api.open_page(link).await.is(204);
    opened.header("set-cookie").split(';').next().unwrap().to_owned()
}

async fn is_in(farm: &Farm, cookie: &str) -> bool {
    farm.api.get_with_cookie("/v1/page/session", cookie).await.status == 200
}

#[tokio::test]
async fn each_start_prints_a_link_and_a_page_stays_open() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let first = farm.link.clone();
    farm.api.get_with_cookie("/v1/keys", "").await.problem(401, "unauthorized");
    let cookie = cookie(&farm, &first).await;
    assert!(is_in(&farm, &cookie).await);
    farm.api.open_page(&first).await.problem(401, "unauthorized");
    farm.kill();
    let farm = place.up();
    assert_ne!(farm.link, first);
    assert!(is_in(&farm, &cookie).await, "the page is open after a restart, too");
    // What opens something is nowhere: not in what was logged, not on the disk.
    let held = [first, farm.link.clone(), cookie.split_once('=').unwrap().1.to_owned()];
    for secret in &held {
        assert!(!farm.log().contains(secret.as_str()));
        for file in files(&place.path("")) {
            let content = std::fs::read(&file).unwrap();
            let found = content.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{} holds a secret", file.display());
        }
    }
}

#[tokio::test]
async fn another_link_can_be_had_at_any_time() {
    let mut place = Place::new(&[]);
    let none = place.run(&["page-link"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.stderr.contains("mouthpiece keys create"), "{none:?}");
    let farm = place.up();
    let another = place.run(&["page-link"]);
    assert_eq!(another.code, Some(0), "{another:?}");
    assert!(another.stdout.starts_with(&format!("{}/#open=", farm.api.address())), "{another:?}");
    assert!(another.stderr.contains("good once") && !another.stderr.contains("nothing serves"), "{another:?}");
    farm.api.open_page(&farm.link).await.problem(401, "unauthorized");
    assert!(is_in(&farm, &cookie(&farm, &secret_of(&another.stdout)).await).await);
    // It knows the public address, and can be had before anything runs.
    farm.kill();
    let mut command = place.command(&["page-link"]);
    let told = command.env("MOUTHPIECE_HTTP__PUBLIC_URL", "https://farm.example/avatar").output().unwrap();
    let (link, words) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(link.starts_with("https://farm.example/avatar/#open="), "{link}");
    assert!(words.contains("nothing serves this data folder just now"), "{words}");
    let farm = place.up();
    farm.api.open_page(&secret_of(&link)).await.problem(401, "unauthorized"); // the start made a newer one
    assert!(is_in(&farm, &cookie(&farm, &farm.link).await).await);
}

#[tokio::test]
async fn the_browser_is_opened_without_telling_the_machine_the_secret() {
    let mut place = Place::new(&[]);
    let programs = place.path("programs");
    std::fs::create_dir_all(&programs).unwrap();
    let opener = programs.join(if cfg!(target_os = "macos") { "open" } else { "xdg-open" });
    // Keeps what it was called with, and what that held.
    let script = format!(
        "#!/bin/sh\necho \"$@\" > {0}/called\ncat \"$1\" > {0}/read\nmv {0}/read {0}/done\n",
        programs.display()
    );
    std::fs::write(&opener, script).unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = place.command(&["up", "--port", "0", "--open"]);
    command.env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()));
    let farm = place.start(command);
    let read = eventually("the browser is opened", async || std::fs::read_to_string(programs.join("done")).ok()).await;
    let called = std::fs::read_to_string(programs.join("called")).unwrap();
    assert!(!called.contains(&farm.link) && called.trim().ends_with("open.html"), "{called}");
    let link = format!("{}/#open={}", farm.api.address(), farm.link);
    assert!(read.contains(&format!("url={link}\"")) && read.contains("no-referrer"), "{read}");
    let file = called.trim();
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    // It goes with the process, if not before.
    farm.signal("TERM");
    farm.ended().await;
    assert!(!std::path::Path::new(file).exists());
}

#[tokio::test]
async fn without_a_browser_it_says_so_and_goes_on() {
    let mut place = Place::new(&[]);
    let mut command = place.command(&["up", "--port", "0", "--open"]);
    command.env("PATH", place.path("nothing"));
    let farm = place.start(command);
    eventually("it says so", async || farm.log().contains("no browser could be opened").then_some(())).await;
    assert!(is_in(&farm, &cookie(&farm, &farm.link).await).await);
}
