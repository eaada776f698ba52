//! What the command says of itself.

use crate::scene::Scene;

#[test]
fn without_arguments_the_help_is_shown() {
    let run = Scene::new().run::<&str>(&[]);
    assert_eq!(run.code, Some(2));
    for command in ["up", "render", "avatar", "eval", "bench", "config", "keys", "page-link", "Exit codes: "] {
        assert!(run.stderr.contains(command), "{}", run.stderr);
    }
}

#[test]
fn the_help_of_every_command_has_an_example_or_units() {
    let scene = Scene::new();
    let commands: [&[&str]; 10] = [
        &["up"],
        &["render"],
        &["avatar", "inspect"],
        &["eval"],
        &["bench"],
        &["bench", "engine"],
        &["config"],
        &["keys", "create"],
        &["keys", "revoke"],
        &["page-link"],
    ];
    for command in commands {
        let run = scene.run(&[command, &["--help"]].concat());
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        let useful = ["Example: mouthpiece", "in pixels", "seconds"].iter().any(|words| run.stdout.contains(words));
        assert!(useful, "{command:?}: {}", run.stdout);
    }
}
