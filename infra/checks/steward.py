"""infra/kubernetes/deletion-cost/steward.sh, run against a stand-in for a coordinator, with a `kubectl` that writes down what it is told."""
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import queries

SCRIPT = queries.INFRA / "kubernetes" / "deletion-cost" / "steward.sh"


def worker(name, state, sessions):
    slots = [{"slot": n, "session": {"id": f"ses_{n}"} if n < sessions else None} for n in range(2)]
    return {"name": name, "state": state, "slots": slots}


# What the farm looks like when it is asked for the first time, the second, ...; None is a coordinator that answers 503.
ANSWERS = [
    [worker("a", "idle", 0), worker("b", "busy", 2), worker("c", "draining", 1), worker("gone", "lost", 1)],
    [worker("a", "busy", 1), worker("b", "busy", 2), worker("c", "draining", 0)],
    None,
    [worker("a", "idle", 0), worker("b", "busy", 2)],
]
# What had been said is forgotten in a round that failed, and said again: that does no harm.
SAID = [("a", "0"), ("b", "200"), ("c", "-1"), ("a", "100"), ("a", "0"), ("b", "200")]


class Farm(http.server.BaseHTTPRequestHandler):
    asked = 0

    def log_message(self, *_):
        pass

    def do_GET(self):
        answer = ANSWERS[Farm.asked] if self.headers["authorization"] == "Bearer mp_key" and self.path == "/v1/workers" else None
        Farm.asked += 1
        self.send_response(503 if answer is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"workers": answer}).encode() if answer is not None else b"{}")


def run(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Farm)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    said = folder / "said"
    for name, body in (("kubectl", f'echo "$3 ${{4#*=}}" >>"{said}"'), ("sleep", "")):
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    (folder / "key").write_text("mp_key")
    told = {"FARM": f"http://127.0.0.1:{server.server_port}", "KEY_FILE": str(folder / "key"), "EVERY": "5", "ROUNDS": str(len(ANSWERS))}
    told |= {"PATH": f"{folder}:{os.environ['PATH']}", "no_proxy": "127.0.0.1"}
    done = subprocess.run(["sh", str(SCRIPT)], env=told, capture_output=True, text=True, timeout=60)
    server.shutdown()
    return done, [tuple(line.split()) for line in said.read_text().splitlines()] if said.exists() else []


def main():
    with tempfile.TemporaryDirectory() as folder:
        done, said = run(pathlib.Path(folder))
    if done.returncode or said != SAID:
        sys.exit(f"steward.sh ended with {done.returncode} and said {said}:\n{done.stderr}")
    print(f"steward: {len(said)} annotations, as they should be")


if __name__ == "__main__":
    main()
