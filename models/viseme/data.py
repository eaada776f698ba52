"""Makes the labelled speech: one .npz for each voice in the given folder.

    python data.py FOLDER

Every clip is 16 kHz, at the common level, with one viseme for each 10 ms frame.
A sentence belongs to one split by its hash, so no text of the validation or
test split was ever spoken by any training voice.
"""

import glob
import hashlib
import os
import random
import re
import sys

import numpy as np
import scipy.signal

import voices
from features import HOP, LEVEL, RATE, to_level
from phones import SIL

FORTUNES = ("people wisdom science art work men-women definitions politics computers education food kids law "
            "literature love medicine news pets platitudes riddles sports humorists songs-poems").split()

# espeak-ng: formant speech. Its own American voice with timbre variants that still sound like people.
ESPEAK = ["en-us", *(f"en-us+{v}" for v in (
    "m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 f5 klatt2 klatt4 klatt6 Alex Andy Annie Denis Diogo Gene Lee Mario "
    "Michael adam anika belinda david edward grandma linda norbert paul steph travis victor").split())]

FESTIVAL = {"slt_hts": "cmu_us_slt_arctic_hts", "kal_diphone": "kal_diphone", "ked": "ked_diphone"}
TEST_VOICES = ("rms", "ked")  # never trained on, never tuned on
# voice: (training clips, validation clips, test clips)
PLAN = {"hibari": (420, 40, 0), "slt": (220, 40, 0), "awb": (300, 60, 0), "kal16": (200, 40, 0),
        "kal_diphone": (80, 0, 0), "slt_hts": (150, 40, 0), "espeak": (420, 40, 0), "russian": (150, 20, 0),
        "rms": (0, 0, 80), "ked": (0, 0, 60)}


def sentences():
    """{"train": [...], "val": [...], "test": [...]} from the Debian package `fortunes`."""
    found = {}
    for name in FORTUNES:
        with open(f"/usr/share/games/fortunes/{name}", errors="ignore") as file:
            for quote in file.read().split("\n%\n"):
                quote = re.sub(r"--.*$", "", re.sub(r"\s+", " ", quote))
                for text in re.split(r"(?<=[.!?])\s+", quote):
                    if 25 < len(text) < 130 and re.fullmatch(r"[A-Z][A-Za-z ,.'!?;-]+", text):
                        found[text] = hashlib.sha256(text.encode()).digest()
    split = {"train": [], "val": [], "test": []}
    for text, digest in sorted(found.items(), key=lambda item: item[1]):
        split["train" if digest[0] >= 40 else "val" if digest[0] >= 20 else "test"].append(text)
    return split


def frame_labels(segments, frames):
    """The viseme at the middle of every frame; silence after the last segment."""
    ends = np.array([end for end, _ in segments])
    visemes = np.array([viseme for _, viseme in segments] + [SIL], np.int8)
    return visemes[np.searchsorted(ends, (np.arange(frames) + 0.5) * HOP / RATE, side="right")]


def without_loud_silence(samples, labels):
    """Engines put a nominal pause between words that are spoken as one: give it to its neighbours."""
    level = np.sqrt((samples.reshape(-1, HOP) ** 2).mean(1))
    wrong = np.flatnonzero((labels == SIL) & (level > LEVEL * 10 ** (-22 / 20)))
    spoken = np.flatnonzero(labels != SIL)
    if not len(wrong) or not len(spoken):
        return labels
    fixed, right = labels.copy(), np.searchsorted(spoken, wrong)
    before, after = spoken[np.maximum(right - 1, 0)], spoken[np.minimum(right, len(spoken) - 1)]
    fixed[wrong] = labels[np.where(np.abs(wrong - before) <= np.abs(after - wrong), before, after)]
    return fixed


def clip(samples, rate, segments, tidy):
    """16 kHz samples at the common level, as int16, and a label for each frame."""
    if rate != RATE:
        samples = scipy.signal.resample_poly(samples, RATE, rate)
    samples = to_level(samples)[:len(samples) // HOP * HOP]
    labels = frame_labels(segments, len(samples) // HOP)
    if tidy:
        labels = without_loud_silence(samples, labels)
    return np.clip(samples * 32768, -32768, 32767).astype(np.int16), labels


def speak(voice, texts, rng):
    """Triples (samples, rate, segments) of one voice."""
    if voice == "hibari":
        engine = voices.Hibari()
        yield from (engine(text, rng) for text in texts)
    elif voice == "espeak":
        engine = voices.Espeak()
        yield from (engine(text, ESPEAK[i % len(ESPEAK)], rng) for i, text in enumerate(texts))
    elif voice in FESTIVAL:
        yield from voices.festival(texts, FESTIVAL[voice], rng)
    else:
        yield from (voices.flite(text, voice, rng) for text in texts)


def make(voice, counts, texts, seed):
    """All clips of a voice: lists of samples, labels and split names."""
    rng, out = random.Random(seed), ([], [], [])
    if voice == "russian":  # recordings, so their text is not ours to choose; split them by position
        triples = list(zip(voices.russian_recordings(), range(counts[0] + counts[1])))
        jobs = [("train" if i < counts[0] else "val", triple) for triple, i in triples]
    else:
        jobs = []
        for split, count in zip(("train", "val", "test"), counts):
            chosen = rng.sample(texts[split], min(count, len(texts[split])))
            # Test clips are spoken plainly, as the voice comes.
            jobs += [(split, triple) for triple in speak(voice, chosen, rng if split != "test" else None)]
    for split, triple in jobs:  # test labels stay as the engine gave them
        if triple is None or len(triple[2]) < 5:
            continue
        samples, labels = clip(*triple, tidy=split != "test")
        for column, value in zip(out, (samples, labels, split)):
            column.append(value)
    return out


def load(folder):
    """[(voice, split, int16 samples, labels)] of everything that `make` wrote."""
    clips = []
    for path in sorted(glob.glob(os.path.join(folder, "*.npz"))):
        with np.load(path) as file:
            data, voice = dict(file), os.path.basename(path)[:-4]
        starts = np.concatenate([[0], np.cumsum(data["frames"])])
        for split, a, b in zip(data["splits"], starts[:-1], starts[1:]):
            clips.append((voice, str(split), data["samples"][a * HOP:b * HOP], data["labels"][a:b]))
    return clips


def main(folder, only=None):
    os.makedirs(folder, exist_ok=True)
    texts = sentences()
    print({split: len(items) for split, items in texts.items()}, "sentences")
    for i, (voice, counts) in enumerate(PLAN.items()):
        if only and voice not in only:
            continue
        samples, labels, splits = make(voice, counts, texts, seed=i)
        np.savez(os.path.join(folder, voice), samples=np.concatenate(samples), labels=np.concatenate(labels),
                 frames=np.array([len(x) for x in labels]), splits=np.array(splits))
        print(f"{voice}: {len(labels)} clips, {sum(map(len, labels)) / 6000:.1f} min", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
