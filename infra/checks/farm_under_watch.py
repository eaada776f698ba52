"""A farm in one process, with a real Prometheus and Alertmanager that watch it by this repository's own files."""
import contextlib
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

import queries

PATIENCE = 90
# Two slots, however busy this machine is.
SETTINGS = """
[worker]
measure = false

[[prices]]
instance_type = "local"
usd_per_hour = "0.157"
"""


class Failed(Exception):
    """What was waited for did not happen."""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def eventually(what, ask, patience=PATIENCE):
    """What `ask` returns as soon as it is true, and how long that took."""
    began = time.monotonic()
    while True:
        if answer := ask():
            return answer, time.monotonic() - began
        if time.monotonic() - began > patience:
            raise Failed(f"{what}: not within {patience} s")
        time.sleep(0.2)


def get(url, key=None):
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {key}"} if key else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def answers(url):
    try:
        get(url)
        return True
    except OSError:
        return False


class Process:
    """A program that ends with its block; its words are in a file."""

    def __init__(self, stack, folder, name, command, **more):
        self.log = folder / f"{name}.log"
        self.name = name
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder, **more)
        stack.callback(self.end)

    def said(self):
        return self.log.read_text(errors="replace")

    def alive(self):
        if self.child.poll() is not None:
            raise Failed(f"{self.name} has ended:\n{self.said()[-2000:]}")
        return True

    def pause(self):
        self.child.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.child.send_signal(signal.SIGCONT)

    def end(self):
        if self.child.poll() is None:
            self.go_on()
            self.child.terminate()
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


class Hook(http.server.ThreadingHTTPServer):
    """Takes what Alertmanager sends, and remembers when each alert began and ended."""

    def __init__(self):
        self.heard = []
        hook = self

        class Take(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                hook.heard += [(a["labels"]["alertname"], a["status"], time.monotonic()) for a in body["alerts"]]
                self.send_response(200)
                self.end_headers()

        super().__init__(("127.0.0.1", 0), Take)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def told(self, alert, status, since):
        return next((when - since for name, s, when in self.heard if (name, s) == (alert, status) and when >= since), None)


class WatchedFarm:
    """`mouthpiece up` with prices, scraped as prometheus.yml says, and Alertmanager with a receiver that listens."""

    def __init__(self, stack, binary, folder=None):
        self.folder = pathlib.Path(folder or stack.enter_context(tempfile.TemporaryDirectory(prefix="mouthpiece-watch-")))
        self.hook = Hook()
        stack.callback(self.hook.shutdown)
        (self.folder / "mouthpiece.toml").write_text(SETTINGS)
        self.binary = binary
        command = [binary, "up", "--port", "0", "--data", "data"]
        self.farm = Process(stack, self.folder, "farm", command, env={**os.environ, **self.made_up_gpus()})
        self.address, _ = eventually("the farm is ready", self.ready)
        self.key = re.search(r"mp_[0-9A-Za-z_-]+", self.farm.said())[0]
        self.watch(stack)

    def made_up_gpus(self):
        """Two of them by a stand-in for the driver's library, so that no panel is without data on a machine without a GPU."""
        library = self.folder / "libnvidia-ml.so.1"
        source = queries.ROOT / "worker" / "stand-ins" / "nvml.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
        return {"LD_LIBRARY_PATH": f"{self.folder}:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":")}

    def ready(self):
        found = re.search(r"^Mouthpiece is ready: (\S+)", self.farm.said(), re.M)
        return self.farm.alive() and found and found[1].rstrip("/")

    def watch(self, stack):
        ports = {name: free_port() for name in ("prometheus", "alertmanager")}
        alerting = yaml.safe_load((queries.PROMETHEUS / "alertmanager.yml").read_text())
        for receiver in alerting["receivers"]:
            receiver["webhook_configs"] = [{"url": f"http://127.0.0.1:{self.hook.server_port}/", "send_resolved": True}]
        # How often news of a group is told is for people; here they are waited for.
        for route in [alerting["route"], *alerting["route"]["routes"]]:
            route["group_interval"] = "1s"
        (self.folder / "alertmanager.yml").write_text(yaml.safe_dump(alerting))
        watching = yaml.safe_load((queries.PROMETHEUS / "prometheus.yml").read_text())
        watching["rule_files"] = [str(queries.PROMETHEUS / "rules" / "*.yml")]
        watching["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [f"127.0.0.1:{ports['alertmanager']}"]}]}]
        watching["scrape_configs"] = watching["scrape_configs"][:1]
        job = watching["scrape_configs"][0]
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [urllib.parse.urlsplit(self.address).netloc]}]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(watching))
        self.alertmanager = Process(
            stack, self.folder, "alertmanager",
            ["prometheus-alertmanager", "--config.file=alertmanager.yml", "--storage.path=alerts", "--cluster.listen-address=",
             f"--web.listen-address=127.0.0.1:{ports['alertmanager']}"],
        )
        self.prometheus = Process(
            stack, self.folder, "prometheus",
            ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=series", "--log.level=warn",
             f"--web.listen-address=127.0.0.1:{ports['prometheus']}"],
        )
        self.prometheus_address = f"http://127.0.0.1:{ports['prometheus']}"
        eventually("Alertmanager is ready", lambda: self.alertmanager.alive() and answers(f"http://127.0.0.1:{ports['alertmanager']}/-/ready"))
        eventually("Prometheus is ready", lambda: self.prometheus.alive() and answers(f"{self.prometheus_address}/-/ready"))

    def load(self, stack, sessions, seconds):
        """Live sessions with callers and viewers, for so long."""
        samples = queries.ROOT / "samples"
        command = [self.binary, "loadtest", "live", "--url", self.address, "--sessions", str(sessions), "--seconds", str(seconds)]
        command += ["--portrait", str(samples / "portrait.png"), "--speech", str(samples / "speech.wav")]
        self.load_process = Process(stack, self.folder, "load", command, env={**os.environ, "MOUTHPIECE_KEY": self.key})

    def render(self):
        """A film, asked for by the API."""
        samples, boundary = queries.ROOT / "samples", "mouthpiece-check"
        body = b""
        for name in ("portrait.png", "speech.wav"):
            head = f'--{boundary}\r\ncontent-disposition: form-data; name="{name.split(".")[0]}"; filename="{name}"\r\n\r\n'
            body += head.encode() + (samples / name).read_bytes() + b"\r\n"
        body += f"--{boundary}--\r\n".encode()
        headers = {"authorization": f"Bearer {self.key}", "content-type": f"multipart/form-data; boundary={boundary}"}
        request = urllib.request.Request(f"{self.address}/v1/renders", body, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["id"]

    def look_at(self, render):
        """As a caller does again and again: what happened once is no increase."""
        get(f"{self.address}/v1/renders/{render}", self.key)

    def asked(self, query):
        """[(labels, value)...] of a query, now."""
        address = f"{self.prometheus_address}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with contextlib.suppress(urllib.error.URLError):
            found = json.loads(get(address))["data"]["result"]
            return [(one["metric"], float(one["value"][1])) for one in found]
        return []
