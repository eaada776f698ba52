#!/bin/sh
# Brings the ONNX Runtime library from its Python package (nothing is installed) to where `mouthpiece` looks for it:
#   ${XDG_CACHE_HOME:-~/.cache}/mouthpiece/onnxruntime-1.32.0/libonnxruntime.so
# Nothing is downloaded when the right file stands there already. Prints the path. Needs python3 with pip.
set -eu

version=1.32.0
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=${XDG_CACHE_HOME:-${HOME:?set HOME or XDG_CACHE_HOME}/.cache}/mouthpiece/onnxruntime-$version
library=$folder/libonnxruntime.so

fail() {
    echo "onnxruntime: $1" >&2
    exit 1
}

case "$(uname -s) $(uname -m)" in
'Linux x86_64')
    platform=manylinux_2_28_x86_64
    want=6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f
    ;;
'Linux aarch64')
    platform=manylinux_2_28_aarch64
    want=49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a
    ;;
*)
    fail "no pinned library for $(uname -s) $(uname -m); install ONNX Runtime $version yourself and set MOUTHPIECE_ONNXRUNTIME"
    ;;
esac

right() {
    [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d ' ' -f 1)" = "$want" ]
}

if right "$library"; then
    echo "$library"
    exit 0
fi

command -v python3 >/dev/null 2>&1 || fail "python3 is missing: apt-get install python3 python3-pip"
python3 -m pip --version >/dev/null 2>&1 || fail "pip is missing: apt-get install python3-pip"

mkdir -p "$folder" || fail "cannot write $folder: choose another place with XDG_CACHE_HOME"
work=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The wheel's tags are named, so that any python3 may do the download; the library itself knows nothing of Python.
python3 -m pip download --quiet --disable-pip-version-check --retries 5 --no-deps --only-binary=:all: --require-hashes \
    --python-version 3.12 --implementation cp --abi cp312 --platform "$platform" \
    --dest "$work" --requirement "$here/requirements.txt" >&2 ||
    fail "the download failed (see above): check the network or the package index, then run this again"

python3 - "$work" "libonnxruntime.so.$version" <<'PY' || fail "the package does not hold the library"
import glob, os, shutil, sys, zipfile
folder, name = sys.argv[1:]
with zipfile.ZipFile(glob.glob(os.path.join(folder, "*.whl"))[0]) as wheel:
    for member, out in (
        (f"onnxruntime/capi/{name}", "libonnxruntime.so"),
        ("onnxruntime/LICENSE", "LICENSE"),
        ("onnxruntime/ThirdPartyNotices.txt", "ThirdPartyNotices.txt"),
    ):
        with wheel.open(member) as source, open(os.path.join(folder, out), "wb") as target:
            shutil.copyfileobj(source, target)
PY

right "$work/libonnxruntime.so" || fail "the library's SHA-256 is not $want: nothing was changed"
mv -f "$work/LICENSE" "$work/ThirdPartyNotices.txt" "$folder/"
mv -f "$work/libonnxruntime.so" "$library" # same folder, so the rename is atomic
echo "$library"
