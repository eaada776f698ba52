"""Phones to visemes: one table for each alphabet that a speech source speaks.

The fifteen visemes are the Oculus set. Diphthongs take the viseme of their
first, longer half. The tongue-tip trill of Russian goes with DD, not RR: RR
means the rounded English approximant, and a trill leaves the lips alone.
"""

VISEMES = ["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U"]
INDEX = {name: i for i, name in enumerate(VISEMES)}
SIL, PP = INDEX["sil"], INDEX["PP"]


def _table(**groups):
    """{"b": 1, ...} from viseme="b m p" keyword groups."""
    return {phone: INDEX[viseme] for viseme, phones in groups.items() for phone in phones.split()}


# Flite and Festival (American phone set).
ARPABET = _table(
    sil="pau sil h# ssil brth", PP="b m p", FF="f v", TH="dh th", DD="d l t dx el", kk="g hh k ng",
    CH="ch jh sh zh", SS="s z", nn="n en em nx", RR="er r axr", aa="aa ae ah ay ax",
    E="eh ey ih ix", I="iy y", O="ao aw ow oy", U="uh uw w")

# festvox-ru: doubled consonants are the palatalised ones, doubled vowels the stressed ones.
RUSSIAN = _table(
    sil="pau", PP="b bb m mm p pp", FF="f ff v vv", DD="d dd l ll t tt r rr", kk="g gg h hh k kk",
    CH="ch sch sh zh", SS="s ss z zz c", nn="n nn", aa="a aa ay", E="e ee ae", I="i ii y yy j",
    O="o oo", U="u uu ur")

# International alphabet, read one character at a time (espeak-ng and Hibari).
IPA = {char: INDEX[viseme] for viseme, chars in dict(
    PP="bmp", FF="fv", TH="ðθ", DD="dltɾTɫʔ", kk="ɡgkhŋxç", CH="ʧʤʃʒ", SS="sz", nn="nɲ",
    RR="ɹɜɚɝrᵊ", aa="ɑæʌIəɐaɒ", E="ɛAɪᵻe", I="ij", O="ɔOWYoQ", U="ʊuwʉ").items() for char in chars}

# Affricates and diphthongs whose first character alone would mislead.
IPA_PAIRS = {"tʃ": INDEX["CH"], "dʒ": INDEX["CH"], "aʊ": INDEX["O"], "əʊ": INDEX["O"], "oʊ": INDEX["O"],
             "ɔɪ": INDEX["O"], "əl": INDEX["DD"]}


def from_ipa(text):
    """Viseme of one phone written in the international alphabet; None for marks alone."""
    text = text.replace("͡", "").strip("ˈˌː_")
    if text[:2] in IPA_PAIRS:
        return IPA_PAIRS[text[:2]]
    return next((IPA[char] for char in text if char in IPA), None)
