//! Sentences that are told to people and programs.

/// Characters of a sentence, at most.
const MOST: usize = 1000;

/// The text as one line of at most a thousand characters: what breaks lines or controls a terminal is a space.
pub fn one_line(text: impl Into<String>) -> String {
    let text = text.into();
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if text.len() <= MOST && !text.contains(breaks) {
        return text;
    }
    let pieces: Vec<&str> = text.split(breaks).map(str::trim).filter(|piece| !piece.is_empty()).collect();
    pieces.join(" ").chars().take(MOST).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_become_one() {
        for (text, wanted) in [
            ("", ""),
            ("as it was,  with  spaces ", "as it was,  with  spaces "),
            ("a\nb", "a b"),
            ("Parse error\r\n  Unexpected \tthing\n", "Parse error Unexpected thing"),
            ("\u{1b}[31mred\u{2028}line\0", "[31mred line"),
        ] {
            assert_eq!(one_line(text), wanted);
        }
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_bounded_line(text in ".*", lines in proptest::collection::vec("\\PC{0,400}", 0..8)) {
            for text in [text, lines.join("\n")] {
                let line = one_line(text.clone());
                prop_assert!(!line.contains(char::is_control) && line.chars().count() <= MOST);
                prop_assert_eq!(one_line(line.clone()), line);
            }
        }
    }
}
