#!/usr/bin/env bash
# Inside the bare root, as root: the README's commands in order, word for word. /commands holds them, /repository the project.
set -euo pipefail
cd /root
export DEBIAN_FRONTEND=noninteractive

say() { echo "bare: $*"; }
fail() {
    say "$*" >&2
    exit 1
}
typed() { grep -qxF -- "$1" /commands || fail "the README does not say: $1"; }
since() { echo $(($(date +%s) - $1)); }

typed 'apt-get install -y git make'
apt-get update -qq
apt-get install -y git make >/dev/null
typed 'git clone <this repository> mouthpiece && cd mouthpiece'
git clone --quiet /repository mouthpiece && cd mouthpiece

typed 'make run'
begun=$(date +%s)
set -m
make run >/tmp/run.log 2>&1 &
server=$!
set +m
until grep -q '^Mouthpiece is ready' /tmp/run.log; do
    if ! kill -0 "$server" 2>/dev/null; then
        tail -n 40 /tmp/run.log
        fail "make run has ended by itself"
    fi
    [ "$(since "$begun")" -lt 3000 ] || fail "make run took more than 50 minutes"
    sleep 1
done
page=$(since "$begun")
python3 - <<'PY'
from urllib.request import urlopen
with urlopen("http://127.0.0.1:8000/", timeout=10) as answer:
    assert answer.status == 200 and b"<html" in answer.read(), "that is no page"
PY
kill -INT -- "-$server"
say "make run: the page after $page s"
# make itself says 130 when it is interrupted, as at Ctrl-C.
wait "$server" || [ $? = 130 ] || fail "make run did not end in order"

typed 'make demo'
begun=$(date +%s)
make demo >/tmp/demo.log 2>&1 || { tail -n 40 /tmp/demo.log; fail "make demo failed"; }
say "make demo: the first video $(since "$begun") s after that"

typed 'make test'
begun=$(date +%s)
make test-setup >/tmp/setup.log 2>&1 || { tail -n 40 /tmp/setup.log; fail "what make test installs cannot be installed"; }
ffprobe -v error -show_entries stream=codec_name -of csv=p=0 out/demo.mp4 | sort | tr '\n' ' ' | grep -q 'aac h264' || fail "out/demo.mp4 is no video"
chromium --version >/dev/null
(cd tests/browser && npm run --silent unit >/tmp/unit.log 2>&1) || { tail -n 40 /tmp/unit.log; fail "the page's unit tests fail"; }
say "make test: what it installs is there after $(since "$begun") s; the page's unit tests pass"

# The release build has native code that `make run` leaves out.
begun=$(date +%s)
cargo build --quiet --profile quick -p mouthpiece-media >/tmp/media.log 2>&1 || { tail -n 40 /tmp/media.log; fail "the native code of the release build cannot be built"; }
say "native code of the release build: $(since "$begun") s"
