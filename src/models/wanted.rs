//! Which graphs `mouthpiece models export` makes, and of which weights.

use super::ModelsError;

/// Each graph of the engine, and the weights that it is made of.
pub const FACE: [(&str, &str); 5] = [
    ("whisper", "whisper-tiny"),
    ("vae_encoder", "sd-vae-ft-mse"),
    ("unet", "musetalk-unet"),
    ("vae_decoder", "sd-vae-ft-mse"),
    ("tiny_decoder", "tiny-vae"),
];
/// What else can be made: its name, the graphs that come of it, and the weights, of which the first that are here are taken.
const EXTRAS: [ExtraGraphs; 3] = [
    ExtraGraphs { name: "syncnet", graphs: &["syncnet_audio", "syncnet_video"], weights: &["syncnet"] },
    ExtraGraphs { name: "inception", graphs: &["inception"], weights: &["inception"] },
    ExtraGraphs { name: "restoration", graphs: &["restoration"], weights: &["real-esrgan-general", "esrgan-slim"] },
];

/// Graphs beside those of the engine itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtraGraphs {
    /// What it is called.
    pub name: &'static str,
    /// What is written.
    pub graphs: &'static [&'static str],
    weights: &'static [&'static str],
}

/// What is to be made.
#[derive(Debug, PartialEq, Eq)]
pub struct GraphsWanted {
    /// Of the engine, with their weights.
    pub face: Vec<(&'static str, &'static str)>,
    /// Others, with theirs.
    pub extras: Vec<(ExtraGraphs, &'static str)>,
}

impl GraphsWanted {
    /// What these names mean. Without any: all of the engine, and what else there `is_here` weights for.
    ///
    /// # Errors
    /// [`ModelsError::NoSuchGraph`] for a name that nobody knows.
    pub fn of(names: &[String], is_here: impl Fn(&str) -> bool) -> Result<Self, ModelsError> {
        let here = |extra: &ExtraGraphs| extra.weights.iter().find(|weights| is_here(weights)).copied();
        if names.is_empty() {
            let extras = EXTRAS.iter().filter_map(|extra| Some((*extra, here(extra)?)));
            return Ok(Self { face: FACE.to_vec(), extras: extras.collect() });
        }
        let mut wanted = Self { face: Vec::new(), extras: Vec::new() };
        for name in names {
            let of_face = FACE.into_iter().find(|(graph, _)| graph == name);
            let extra = EXTRAS.iter().find(|extra| extra.name == name);
            match (of_face, extra) {
                (Some(graph), _) => wanted.face.push(graph),
                (None, Some(extra)) => wanted.extras.push((*extra, here(extra).unwrap_or(extra.weights[0]))),
                (None, None) => {
                    let known = FACE.map(|(graph, _)| graph).into_iter().chain(EXTRAS.map(|extra| extra.name));
                    let known = known.collect::<Vec<_>>().join(", ");
                    return Err(ModelsError::NoSuchGraph { asked: name.clone(), known });
                }
            }
        }
        Ok(wanted)
    }

    /// The weights that all of it is made of, each once.
    pub fn weights(&self) -> Vec<String> {
        let face = self.face.iter().map(|(_, weights)| *weights);
        let mut names: Vec<String> =
            face.chain(self.extras.iter().map(|(_, weights)| *weights)).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The graphs that are written.
    pub fn graphs(&self) -> impl Iterator<Item = &'static str> {
        let extras = self.extras.iter().flat_map(|(extra, _)| extra.graphs.iter().copied());
        self.face.iter().map(|(graph, _)| *graph).chain(extras)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::manifest::{BUILT_IN, parse};
    use crate::models::scripts::SCRIPTS;

    fn wanted(names: &[&str], here: &[&str]) -> GraphsWanted {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        GraphsWanted::of(&names, |weights| here.contains(&weights)).unwrap()
    }

    #[test]
    fn without_names_it_is_the_engine_and_what_weights_are_here_for() {
        assert_eq!(wanted(&[], &[]).graphs().collect::<Vec<_>>(), FACE.map(|(graph, _)| graph));
        let all = wanted(&[], &["syncnet", "esrgan-slim"]);
        assert_eq!(
            all.graphs().skip(5).collect::<Vec<_>>(),
            ["syncnet_audio", "syncnet_video", "restoration"],
            "whatever comes of them"
        );
        assert!(all.weights().contains(&"esrgan-slim".to_owned()));
    }

    #[test]
    fn what_is_named_is_made_of_the_weights_that_are_here_else_of_the_better_ones() {
        let of = |here: &[&str]| wanted(&["unet", "restoration"], here).weights();
        assert_eq!(of(&["esrgan-slim"]), ["esrgan-slim", "musetalk-unet"]);
        for here in [&[][..], &["esrgan-slim", "real-esrgan-general"]] {
            assert_eq!(of(here), ["musetalk-unet", "real-esrgan-general"]);
        }
    }

    #[test]
    fn a_graph_that_nobody_knows_is_refused() {
        let refused = GraphsWanted::of(&["vnet".to_owned()], |_| true).unwrap_err();
        assert!(refused.is_input() && refused.to_string().contains("there is no graph 'vnet'"), "{refused}");
        assert!(refused.to_string().ends_with("syncnet, inception, restoration"), "{refused}");
    }

    #[test]
    fn the_scripts_look_where_the_manifest_puts_the_weights() {
        let manifest = parse(BUILT_IN).unwrap();
        let text = |name| SCRIPTS.iter().find(|(known, _)| *known == name).unwrap().1;
        let place =
            |weights| manifest.weights.iter().find(|file| file.name == weights).unwrap().file.display().to_string();
        for (graph, weights) in FACE {
            let line = format!("\"{graph}\": \"{}\"", place(weights));
            assert!(text("weights.py").contains(&line), "{line}");
        }
        for ExtraGraphs { weights, graphs, .. } in EXTRAS {
            for weights in weights {
                assert!(text("extras.py").contains(&format!("\"{}\"", place(weights))), "{weights}");
            }
            assert!(graphs.iter().all(|graph| text("extras.py").contains(&format!("\"{graph}\""))), "{graphs:?}");
        }
    }
}
