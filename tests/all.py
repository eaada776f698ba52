#!/usr/bin/env python3
"""Runs all Rust tests, several programs at a time.

cargo runs test programs one after the other, and the end-to-end ones mostly wait. Here they wait beside those that compute.
What a program says is shown when it fails. Arguments go to every program (a name to filter by, for example).
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

BUILD = ["cargo", "test", "--workspace", "--all-targets", "--no-run", "--message-format=json-render-diagnostics"]
# Those that take longest begin first: end to end, then media, then the others.
FIRST = ["farm", "cli", "mouthpiece_media", "http"]
LONGEST_S = 900


def programs():
    """Builds, and names what was built: the program, where it runs, what it is called."""
    built = subprocess.run(BUILD, stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode != 0:
        sys.exit(built.returncode)
    for line in built.stdout.splitlines():
        said = json.loads(line)
        if said.get("reason") == "compiler-artifact" and said["profile"]["test"] and said.get("executable"):
            folder = pathlib.Path(said["manifest_path"]).parent
            yield said["executable"], folder, said["target"]["name"]


def run(program):
    executable, folder, name = program
    began = time.monotonic()
    command = [executable, *sys.argv[1:]]
    environment = {**os.environ, "CARGO_MANIFEST_DIR": str(folder)}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONGEST_S, check=False
        )
        code, said = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, said = 1, (late.stdout or b"") + f"\nit took longer than {LONGEST_S} s\n".encode()
    return f"{folder.name}/{name}", code, said.decode(errors="replace"), time.monotonic() - began


def rank(program):
    name = program[2]
    return FIRST.index(name) if name in FIRST else len(FIRST)


def main():
    found = sorted(programs(), key=rank)
    failed = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(2, (os.cpu_count() or 2))) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, program) for program in found]):
            name, code, said, seconds = done.result()
            print(f"{'ok' if code == 0 else 'FAILED':6} {seconds:6.1f} s  {name}", flush=True)
            if code != 0:
                print(said, flush=True)
                failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(sorted(failed))}")


if __name__ == "__main__":
    main()
