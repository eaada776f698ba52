#!/usr/bin/env python3
"""Renders a folder of portraits and makes one page of contact sheets, with what `mouthpiece eval` measures beside them.

usage: python3 -m venv .venv && .venv/bin/pip install -r requirements.txt
       .venv/bin/python gallery.py FOLDER OUT [--program target/release/mouthpiece] [--speech F.wav --labels F.tsv] [--jobs 2]
       [--before OLD/figures.json]

OUT/index.html shows for each portrait a row of moments (rest, a closed p, f, s, ee, eh, ah, oh, oo, shut eyes), each as the
face and its mouth or eyes enlarged, and the figures; what lies outside the range of real people is marked. OUT also keeps
the sheets as PNG (one a portrait), the videos, and figures.json; with --before OLD/figures.json the page shows both.
Portraits are not part of the repository: any folder of pictures or short videos will do.
"""
import argparse
import concurrent.futures
import html
import json
import os
import subprocess
import sys

import cv2
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..", "..")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".mp4", ".mov")
# Viseme and what it is called on the sheet.
MOMENTS = [("PP", "p b m"), ("FF", "f"), ("SS", "s"), ("I", "ee"), ("E", "eh"), ("aa", "ah"), ("O", "oh"), ("U", "oo")]
LONGEST_SOUND = 0.2  # seconds
FACE, ZOOM = 220, 132  # pixels of a face's side, and of the enlarged strip's height
# Name, where it is in the report, format, range of real people.
FIGURES = [
    ("in speech", ("lips_and_sound", "in_speech", "correlation"), "{:.2f}", (0.5, 1.0)),
    ("offset ms", ("lips_and_sound", "in_speech", "best_offset_ms"), "{:+d}", (-60, 60)),
    ("closure", ("closure", "rate"), "{:.2f}", (0.92, 1.0)),
    ("aperture", ("aperture", "speech"), "{:.3f}", (0.03, 0.2)),
    ("least", ("aperture", "least"), "{:.3f}", (0.0, 0.012)),
    ("silence/rest", ("aperture", "silence_over_portrait"), "{:.2f}", (0.7, 1.3)),
    ("blink", ("living", "blink_ratio"), "{:.2f}", (0.05, 0.35)),
    ("width range", ("living", "mouth_width_range"), "{:.3f}", (0.11, 0.19)),
    ("upper lip", ("living", "upper_lip_range"), "{:.3f}", (0.035, 0.06)),
    ("teeth", ("living", "teeth_brightness"), "{:.2f}", (1.03, 1.56)),
    ("saturation", ("living", "teeth_saturation"), "{:.2f}", (0.0, 0.16)),
    ("roll deg", ("living", "roll_range_deg"), "{:.1f}", (5.0, 13.0)),
    ("key jump", ("key_frame_jump",), "{:.2f}", (0.0, 0.5)),
    ("eyes px", ("video", "eye_span_px"), "{:.0f}", (110, 1000)),
]


def main():
    args = arguments()
    os.makedirs(args.out, exist_ok=True)
    before = {}
    if args.before:
        with open(args.before, encoding="utf-8") as file:
            before = json.load(file)
    portraits = sorted(f for f in os.listdir(args.folder) if f.lower().endswith(PICTURES))
    moments = moments_of(args.labels)
    results = {}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for name, result in zip(portraits, pool.map(lambda p: portrait(args, p, moments), portraits)):
            results[name] = result
            print(name, line(result), flush=True)
    with open(os.path.join(args.out, "figures.json"), "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    with open(os.path.join(args.out, "index.html"), "w", encoding="utf-8") as file:
        file.write(page(results, before))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--program", default=os.path.join(ROOT, "target", "release", "mouthpiece"))
    parser.add_argument("--measured-by", help="another program for eval, to measure an older one's videos")
    parser.add_argument("--speech", default=os.path.join(ROOT, "samples", "speech.wav"))
    parser.add_argument("--labels", default=os.path.join(ROOT, "samples", "speech.labels.tsv"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--before", help="figures.json of an earlier run, shown beside the new figures")
    parser.add_argument("--render", default="", help="further options of mouthpiece render, as one word")
    return parser.parse_args()


def moments_of(labels):
    """For each viseme the middle of its longest label, in seconds; one longer than a sound ends in a pause."""
    longest = {}
    with open(labels, encoding="utf-8") as file:
        for row in list(file)[1:]:
            start, end, viseme = row.split()
            length = float(end) - float(start)
            length = -length if length > LONGEST_SOUND else length
            if length > longest.get(viseme, (-10, 0))[0]:
                longest[viseme] = (length, (float(start) + float(end)) / 2)
    return {viseme: middle for viseme, (_, middle) in longest.items()}


def portrait(args, name, moments):
    """Renders and measures one portrait; its figures, or {"error": why}."""
    source, stem = os.path.join(args.folder, name), os.path.join(args.out, os.path.splitext(name)[0])
    video = f"{stem}.mp4"
    if os.path.exists(video):
        os.remove(video)
    made = run([args.program, "render", "--portrait", source, "--speech", args.speech, "-o", video, "--json",
                *args.render.split()])
    if made.returncode:
        return {"error": made.stderr.strip().splitlines()[-1] if made.stderr.strip() else "render failed"}
    still = [] if name.lower().endswith((".mp4", ".mov")) else ["--portrait", source]
    measured = run([args.measured_by or args.program, "eval", video, "--json", "--labels", args.labels, *still])
    if measured.returncode:
        return {"error": measured.stderr.strip().splitlines()[-1]}
    report, summary = json.loads(measured.stdout), json.loads(made.stdout)
    figures = {title: value(report, path) for title, path, _, _ in FIGURES}
    sheet(video, report, moments, f"{stem}.sheet.png")
    return {"figures": figures, "warnings": summary["warnings"], "seconds": summary["elapsed_seconds"]}


def run(command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def value(report, path):
    for key in path:
        report = report.get(key) if isinstance(report, dict) else None
    return report


# ---- sheets


def sheet(video, report, moments, path):
    """One row of moments: the face, and below it what the moment is about, enlarged."""
    shut = (report["living"] or {}).get("eyes_shut_at_s")
    wanted = [("rest", 0.0, "mouth")] + [(title, moments[v], "mouth") for v, title in MOMENTS if v in moments]
    if shut is not None:
        wanted += [("eyes half", max(shut - 0.08, 0.0), "eyes"), ("eyes shut", shut, "eyes")]
    x0, y0, x1, y1 = report["video"]["face_px"]
    side, centre = 1.32 * max(x1 - x0, y1 - y0), ((x0 + x1) / 2, (y0 + y1) / 2)
    wide = 0.62 * (x1 - x0)
    middle = {"mouth": (centre[0], y0 + 0.76 * (y1 - y0)), "eyes": (centre[0], y0 + 0.36 * (y1 - y0))}
    if "eyes" in (kind for _, _, kind in wanted):
        wide_of = {"mouth": wide, "eyes": 0.92 * (x1 - x0)}
    else:
        wide_of = {"mouth": wide}
    tiles = []
    for (title, _, kind), frame in zip(wanted, frames_at(video, [at for _, at, _ in wanted])):
        face = crop(frame, centre, (side, side), (FACE, FACE))
        near = crop(frame, middle[kind], (wide_of[kind], wide_of[kind] * ZOOM / FACE), (FACE, ZOOM))
        tile = np.vstack([face, near])
        cv2.putText(tile, title, (5, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(tile, title, (5, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
        tiles.append(tile)
    cv2.imwrite(path, np.hstack(tiles))


def frames_at(video, seconds):
    """The frames that are shown at these times."""
    reader = cv2.VideoCapture(video)
    rate = reader.get(cv2.CAP_PROP_FPS) or 25.0
    numbers = [round(at * rate) for at in seconds]
    kept, n = {}, 0
    while True:
        good, frame = reader.read()
        if not good:
            break
        if n in numbers:
            kept[n] = frame
        kept["last"] = frame
        n += 1
    return [kept.get(number, kept["last"]) for number in numbers]


def crop(frame, centre, size, to):
    scale = to[0] / size[0]
    move = np.float32([[scale, 0, to[0] / 2 - scale * centre[0]], [0, scale, to[1] / 2 - scale * centre[1]]])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.warpAffine(frame, move, to, flags=how, borderMode=cv2.BORDER_REPLICATE)


# ---- the page


def line(result):
    if "error" in result:
        return "REFUSED: " + result["error"]
    return " ".join(f"{title} {shown(form, result['figures'][title])}" for title, _, form, _ in FIGURES)


def shown(form, number):
    if number is None:
        return "-"
    return form.format(int(number) if "d}" in form else number)


def page(results, before):
    rows = []
    for name, result in results.items():
        rows.append(f"<h2>{html.escape(name)}</h2>")
        if "error" in result:
            rows.append(f"<p class=off>{html.escape(result['error'])}</p>")
            continue
        old = before.get(name, {}).get("figures", {})
        cells = []
        for title, _, form, (low, high) in FIGURES:
            number = result["figures"][title]
            off = number is None or not low <= number <= high
            was = f" <small>({shown(form, old[title])})</small>" if title in old else ""
            cells.append(f"<span class={'off' if off else 'fine'}>{title} <b>{shown(form, number)}</b>{was}</span>")
        stem = html.escape(os.path.splitext(name)[0])
        rows.append(f"<p>{' '.join(cells)}</p>")
        rows += [f"<p class=note>{html.escape(w)}</p>" for w in result["warnings"]]
        rows.append(f"<a href='{stem}.mp4'><img src='{stem}.sheet.png' loading=lazy></a>")
    return f"""<!doctype html><meta charset=utf-8><title>Gallery</title>
<style>body{{font:14px sans-serif;margin:1em}}img{{max-width:100%}}span{{margin-right:1em;white-space:nowrap}}
.off b{{color:#b00}}.note{{color:#666}}h2{{margin:.8em 0 .2em}}p{{margin:.2em 0}}</style>
<h1>{len(results)} portraits</h1><p>Red lies outside what was measured on people who talk{'; in brackets: before' if before else ''}.</p>
{chr(10).join(rows)}
"""


if __name__ == "__main__":
    sys.exit(main())
