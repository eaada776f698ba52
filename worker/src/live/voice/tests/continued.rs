//! What is done with, and what goes on elsewhere.

use super::*;

#[test]
fn what_is_played_is_done_with_and_the_rest_goes_on_elsewhere() {
    let from = |number| MessageRef { caller: CALLER, number };
    let event = || Some("a".to_owned());
    let mut stage = WorkState::new();
    for number in 1..=10 {
        let at = stage.at();
        stage.voice.speak(event(), &vec![0.5; 4800], from(number), at).unwrap();
    }
    let at = stage.at();
    assert!(stage.voice.end_utterance(event(), &[], from(11), at));
    stage.run(80 + 460);
    let settled: Vec<_> = stage.voice.settled().map(|message| message.number).collect();
    assert_eq!(settled, [1, 2, 3, 4]);
    let (begun, of_next) = stage.voice.begun(CALLER).unwrap();
    assert!(
        begun.played_ms.abs_diff(460) <= 20 && begun.played_ms.abs_diff(400 + of_next) <= 20,
        "{begun:?} {of_next}"
    );
    assert_eq!(stage.voice.begun(CallerId(8)), None, "nothing of somebody else's is being said");

    // Elsewhere: from where it was, to its end.
    let mut other = WorkState::new();
    other.voice.go_on(begun.clone(), CALLER, other.at());
    let cut = of_next as usize * 48;
    for number in 5..=10 {
        let sound = vec![0.5; 4800 - if number == 5 { cut } else { 0 }];
        other.voice.speak(event(), &sound, from(number), other.at()).unwrap();
    }
    assert!(other.voice.end_utterance(None, &[], from(11), other.at()));
    assert_eq!(other.voice.begun(CALLER), Some((begun.clone(), 0)), "it is known before any of it sounds");
    other.run(2000);
    let Some(LineOutput::Continued { utterance }) = other.events.first() else { panic!("{:?}", other.events) };
    assert_eq!(utterance, &begun);
    let Some(("ended", _, played_ms)) = other.told().pop() else { panic!("{:?}", other.events) };
    assert!(played_ms.abs_diff(1000) <= 20, "{played_ms}");
    let settled: Vec<_> = other.voice.settled().map(|message| message.number).collect();
    assert_eq!(settled, [5, 6, 7, 8, 9, 10, 11]);
}

#[test]
fn what_is_cut_off_is_done_with() {
    let mut stage = WorkState::new();
    stage.speak("a", 300, 0.5).unwrap();
    stage.end(None);
    stage.speak("b", 300, 0.5).unwrap();
    stage.voice.interrupt();
    assert_eq!(stage.voice.settled().count(), 3);
    assert_eq!(stage.voice.begun(CALLER), None);
}

#[test]
fn an_utterance_that_nobody_goes_on_with_is_over_here_too() {
    let mut stage = WorkState::new();
    let begun = BegunUtterance { event: Some("a".to_owned()), played_ms: 700 };
    stage.voice.go_on(begun, CALLER, stage.at());
    stage.run(4000);
    assert_eq!(stage.told(), []);
    stage.run(2000);
    assert_eq!(stage.told(), [("ended", "a".to_owned(), 700)]);
}
