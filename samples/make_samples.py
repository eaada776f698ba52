#!/usr/bin/env python3
"""Makes officer.jpg, portrait.png, speech.wav and speech.labels.tsv from what three Python packages hold.

usage: python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python make_samples.py [FOLDER]

The officer is a picture of matplotlib as it comes; the other portrait is cut from the picture `astronaut` of scikit-image. The speech is spoken by hibari-tts, whose network also
says how long each phone lasts: these durations, as visemes, are the labels. With the pinned versions the portrait is
always the same; the speech may differ in its last bits between processor types.
"""
import hashlib
import os
import shutil
import sys
import tempfile
import wave

import hibari
import matplotlib
import numpy as np
import onnx
import onnxruntime
from hibari import dsp
from hibari.tts import Hibari
from PIL import Image
from skimage import data

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "models", "viseme"))
from phones import IPA, VISEMES  # noqa: E402  (one table of phones for training and samples)

# Left, top, right, bottom in the 512x512 picture: head and shoulders, the face on the middle line.
CROP = (48, 0, 400, 352)

# Spoken text and the silence added after it in seconds; the voice itself ends each sentence with some more.
SCRIPT = [
    ("Hello! I'm Mouthpiece.", 0.10),
    ("Give me a portrait and a bit of speech, and I bring it to life.", 0.15),
    ("Poems, bedtime stories, people's names: my lips keep up.", 0.15),
    ("And when nobody speaks, my mouth stays closed.", 0.30),
]
LEAD_IN = 0.15  # seconds of silence before the first word
SHORTEST_PAUSE = 0.08  # a shorter gap between words belongs to the phone before it
PEAK = 0.70
RATE = dsp.SR  # 24 kHz
FRAME = 600  # samples of one step of the network's durations
LATE = 0.05  # seconds by which the durations lag behind the sound (energy dips at p, b, m show it)
STRESS = "ˈˌː"  # marks that lengthen the phone beside them


def officer(path):
    shutil.copyfile(os.path.join(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg"), path)


def portrait(path):
    Image.fromarray(data.astronaut()).crop(CROP).save(path, optimize=True)


def duration_session(folder):
    """A session on hibari's network that also returns the running sum of its durations, in frames."""
    graph = onnx.load(os.path.join(os.path.dirname(hibari.__file__), "assets", "hibari.onnx"))
    total = next(node for node in graph.graph.node if node.op_type == "CumSum").output[0]
    kinds = {value.name: value.type.tensor_type.elem_type for value in onnx.shape_inference.infer_shapes(graph).graph.value_info}
    kind = kinds.get(total, onnx.TensorProto.FLOAT)
    graph.graph.output.append(onnx.helper.make_tensor_value_info(total, kind, None))
    path = os.path.join(folder, "durations.onnx")
    onnx.save(graph, path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def speak(voice, session, phonemes, rng):
    """Samples of one sentence and its [(end in seconds, viseme)]."""
    ids = voice.ids(phonemes)
    symbols = ["_", *(c for c in phonemes if c in voice.vocab), "_"]
    outputs = session.run(None, {"ids": np.array([ids], np.int64), "speed": np.array([1.0], np.float32)})
    samples = dsp.synth(*(o[0] for o in outputs[:6]), rng)
    ends = outputs[-1].ravel() * FRAME / RATE
    assert len(ends) == len(symbols), "one duration a symbol"
    return samples, [(float(end) - LATE, VISEMES[IPA.get(c, 0)]) for c, end in zip(symbols, ends) if c not in STRESS]


def speech(wav, labels):
    voice, rng = Hibari(), np.random.default_rng(0)
    pieces, rows, now = [np.zeros(round(LEAD_IN * RATE), np.float32)], [], LEAD_IN
    with tempfile.TemporaryDirectory() as folder:
        session = duration_session(folder)
        for text, pause in SCRIPT:
            for phonemes in voice.phonemize(text):
                samples, segments = speak(voice, session, phonemes, rng)
                rows += [(now + end, viseme) for end, viseme in segments]
                pieces.append(samples)
                now += len(samples) / RATE
            # The time by which the labels were moved is silence too.
            pieces.append(np.zeros(round(pause * RATE), np.float32))
            now += round(pause * RATE) / RATE
            rows.append((now, "sil"))
    samples = np.concatenate(pieces)
    samples *= PEAK / np.abs(samples).max()
    with wave.open(wav, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples * 32767).round().astype("<i2").tobytes())
    write_labels(labels, rows)


def write_labels(path, rows):
    """Lines `start end viseme`; gaps between words are closed and neighbours of one kind joined."""
    joined, start = [], 0.0
    for end, viseme in rows:
        gap = viseme == "sil" and end - start < SHORTEST_PAUSE
        if joined and (gap or joined[-1][2] == viseme):
            joined[-1][1] = end
        elif end > start:
            joined.append([start, end, viseme])
        start = max(start, end)
    with open(path, "w", encoding="utf-8") as out:
        out.write("start_s\tend_s\tviseme\n")
        for first, last, viseme in joined:
            out.write(f"{first:.3f}\t{last:.3f}\t{viseme}\n")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else HERE
    names = ["officer.jpg", "portrait.png", "speech.wav", "speech.labels.tsv"]
    photograph, picture, wav, labels = (os.path.join(folder, name) for name in names)
    officer(photograph)
    portrait(picture)
    speech(wav, labels)
    for name in names:
        with open(os.path.join(folder, name), "rb") as made:
            print(hashlib.sha256(made.read()).hexdigest(), name)


if __name__ == "__main__":
    main()
