#!/usr/bin/env python3
"""Builds compose.yaml's images and runs its stack for real: run.py path/to/mouthpiece path/to/coordinator's

It needs a Docker engine, and Debian 12 as the system that the programs were built on. They are taken as they are (compiling them in the
images takes a quarter of an hour), and the servers are Debian's (check/compose.yaml), so nothing is pulled. Then: a render and a live session
go through it, each container is restarted once, and it is taken down with all that it kept.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
DOCKER = HERE.parent
ROOT = DOCKER.parent
BASE = "debian:bookworm-slim"
PORT = os.environ.get("MOUTHPIECE_PORT", "8000")
ADDRESS = f"http://127.0.0.1:{PORT}"
PROMETHEUS = "http://127.0.0.1:9090"
# In this order each is restarted. Not the bucket's stand-in, which forgets everything; its image's name says what it is.
RESTARTED = ["prometheus", "alertmanager", "valkey", "rabbitmq", "postgres", "coordinator", "worker"]
PATIENCE = 180
# Megabytes of an image.
AT_MOST = {"coordinator": 250, "worker": 600}


def run(*command, **more):
    return subprocess.run(command, check=True, **more)


def said(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def compose(*arguments, ask=False):
    modern = subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0
    files = ["-p", "mouthpiece-check", "-f", str(DOCKER / "compose.yaml"), "-f", str(HERE / "compose.yaml")]
    command = [*(["docker", "compose"] if modern else ["docker-compose"]), *files, *arguments]
    environment = {**os.environ, "COMPOSE_PROFILES": "cpu", "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}
    return subprocess.run(command, check=True, env=environment, cwd=DOCKER, text=True, stdout=subprocess.PIPE if ask else None).stdout


def base_image():
    """Debian as it is pulled, or made with mmdebstrap where nothing can be pulled."""
    if subprocess.run(["docker", "image", "inspect", BASE], capture_output=True).returncode == 0:
        return
    if subprocess.run(["docker", "pull", BASE], capture_output=True).returncode == 0:
        return
    print(f"{BASE} cannot be pulled: making it, a minute or two")
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{what}/*" for what in ("doc", "man", "locale", "info")]
    lists = '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*'
    with tempfile.TemporaryDirectory() as folder:
        archive = f"{folder}/debian.tar"
        run("mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates", *left_out, lists, "bookworm", archive)
        run("docker", "import", archive, BASE, stdout=subprocess.DEVNULL)


def prebuilt(worker, coordinator):
    """What docker/build.sh takes instead of compiling."""
    shutil.rmtree(DOCKER / "prebuilt", ignore_errors=True)
    for image, binary in (("worker", worker), ("coordinator", coordinator)):
        folder = DOCKER / "prebuilt" / image
        folder.mkdir(parents=True)
        run("strip", "-o", str(folder / "mouthpiece"), binary)
        (folder / "packages").write_text(said(str(DOCKER / "packages.sh"), binary))
    shutil.copy(said(str(ROOT / "models" / "onnxruntime" / "fetch.sh")).strip(), DOCKER / "prebuilt" / "worker" / "libonnxruntime.so")
    wheels = HERE / "wheels"
    if not list(wheels.glob("moto-*")):
        run(sys.executable, "-m", "pip", "download", "-q", "--only-binary=:all:", "--python-version", "3.11", "-d", str(wheels), "moto[server]")


def get(url, key=None):
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {key}"} if key else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def eventually(what, ask):
    """What `ask` returns once it is true; what goes wrong on the way is an answer, too."""
    began = time.monotonic()
    last = None
    while time.monotonic() - began < PATIENCE:
        try:
            if answer := ask():
                return answer
        except (OSError, subprocess.CalledProcessError, ValueError) as error:
            last = error
        time.sleep(0.5)
    raise SystemExit(f"{what}: not within {PATIENCE} s ({last})")


def is_ready():
    return json.loads(get(f"{ADDRESS}/readyz"))["status"] == "ready"


def has_worker(key):
    return [w for w in json.loads(get(f"{ADDRESS}/v1/workers", key))["workers"] if w["state"] in ("idle", "busy")]


def film(key, folder):
    """A render from the samples: asked for, waited for, fetched, and looked at."""
    boundary = "mouthpiece-check"
    parts = [("portrait", "portrait.png"), ("speech", "speech.wav")]
    body = b"".join(
        f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n'.encode()
        + (ROOT / "samples" / file).read_bytes() + b"\r\n"
        for name, file in parts
    ) + f"--{boundary}--\r\n".encode()
    head = {"authorization": f"Bearer {key}", "content-type": f"multipart/form-data; boundary={boundary}"}

    def asked():
        with urllib.request.urlopen(urllib.request.Request(f"{ADDRESS}/v1/renders", body, head), timeout=30) as answer:
            return json.load(answer)["id"]

    made = eventually("a render is accepted", asked)

    def ended():
        now = json.loads(get(f"{ADDRESS}/v1/renders/{made}", key))
        if now["state"] == "ended" and now["end"]["reason"] != "completed":
            raise SystemExit(f"the render ended: {now}")
        return now["state"] == "ended"

    eventually("the render is done", ended)
    path = pathlib.Path(folder) / "film.mp4"
    path.write_bytes(get(f"{ADDRESS}/v1/renders/{made}/result", key))
    frames = said("ffprobe", "-v", "error", "-count_packets", "-select_streams", "v", "-show_entries", "stream=nb_read_packets",
                  "-of", "csv=p=0", str(path)).strip().strip(",")
    if int(frames) < 25:
        raise SystemExit(f"the film has {frames} frames")
    return int(frames)


def talk(binary, key, seconds, **more):
    command = [binary, "loadtest", "live", "--url", ADDRESS, "--sessions", "1", "--seconds", str(seconds), "--json",
               "--portrait", str(ROOT / "samples/portrait.png"), "--speech", str(ROOT / "samples/speech.wav")]
    return subprocess.Popen(command, env={**os.environ, "MOUTHPIECE_KEY": key}, stdout=subprocess.PIPE, text=True, **more)


def scraped():
    found = json.loads(get(f"{PROMETHEUS}/api/v1/targets?state=active"))["data"]["activeTargets"]
    up = {target["labels"]["job"] for target in found if target["health"] == "up"}
    return {"mouthpiece-coordinator", "mouthpiece-worker"} <= up


def size(image):
    return int(said("docker", "image", "inspect", "--format", "{{.Size}}", image)) / 1e6


def through(binary, key, folder):
    frames = film(key, folder)
    told, _ = (call := talk(binary, key, 6)).communicate(timeout=120)
    if call.returncode:
        raise SystemExit(f"the live session failed:\n{told}")
    print(f"a render of {frames} frames and a live session went through it")


def main(binary, coordinator):
    sys.stdout.reconfigure(line_buffering=True)
    base_image()
    prebuilt(binary, coordinator)
    began = time.monotonic()
    compose("build", "--quiet")
    built = time.monotonic()
    sizes = {image: size(f"mouthpiece/{image}:local") for image in AT_MOST}
    print(f"images: coordinator {sizes['coordinator']:.0f} MB, worker {sizes['worker']:.0f} MB; built in {built - began:.0f} s")
    if too_large := [image for image, most in AT_MOST.items() if sizes[image] > most]:
        raise SystemExit(f"larger than they may be ({AT_MOST} MB): {too_large}")
    try:
        compose("up", "-d")
        eventually("the coordinator is ready", is_ready)
        key = re.search(r"mp_[0-9A-Za-z_-]+", eventually("the first key is told", lambda: compose("logs", "--no-color", "coordinator", ask=True)))[0]
        eventually("the worker is there", lambda: has_worker(key))
        print(f"up {time.monotonic() - built:.0f} s after the images were there")
        with tempfile.TemporaryDirectory() as folder:
            through(binary, key, folder)
            eventually("Prometheus scrapes both", scraped)
            voice = talk(binary, key, 600, stderr=subprocess.DEVNULL)
            for service in RESTARTED:
                compose("restart", service)
                eventually(f"ready after {service} was restarted", is_ready)
                eventually(f"a worker after {service} was restarted", lambda: has_worker(key))
                film(key, folder)
                print(f"{service} restarted: ready again, and a render goes through")
            voice.kill()
            voice.wait()
            through(binary, key, folder)
            eventually("Prometheus scrapes both again", scraped)
    except SystemExit:
        compose("ps")
        compose("logs", "--tail", "40")
        raise
    finally:
        compose("down", "--volumes", "--remove-orphans", "--timeout", "20")
    print("taken down")


if __name__ == "__main__":
    main(*sys.argv[1:])
