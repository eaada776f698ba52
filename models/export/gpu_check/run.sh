#!/bin/sh
# The one command on a machine with a GPU: installs the wheels that bring.sh packed, into a folder of its own, and runs the check.
#
#   models/export/gpu_check/run.sh [--tiny] [--out FOLDER] ...       # as `python3 models/export/gpu_check --help` says
#
# Needs an NVIDIA driver, python3 (PYTHON=... another), and no network. Without wheels it runs with what that Python has.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-python3}
wheels=${WHEELS:-$here/wheels}
site=$here/.site

command -v "$python" >/dev/null 2>&1 || { echo "$python is missing: name a Python with PYTHON=" >&2; exit 1; }
if [ -d "$wheels" ]; then
    kind=$(ls "$wheels" | cksum | cut -d ' ' -f 1)
    if [ ! -f "$site/complete-$kind" ]; then
        rm -rf "$site"
        echo "installing the wheels of $wheels into $site" >&2
        for pip in "$wheels"/pip-*.whl; do break; done
        [ -f "$pip" ] || { echo "$wheels has no pip: run bring.sh again" >&2; exit 1; }
        "$python" "$pip/pip" install --quiet --no-index --no-deps --no-compile --no-cache-dir --disable-pip-version-check \
            --target "$site" "$wheels"/*.whl ||
            { echo "the wheels do not fit this machine: $("$python" --version), $(uname -m). PYTHON_VERSION=... bring.sh" >&2; exit 1; }
        touch "$site/complete-$kind"
    fi
    PYTHONPATH=$site${PYTHONPATH:+:$PYTHONPATH}
    export PYTHONPATH
fi
for module in torch diffusers onnx onnxruntime; do
    "$python" -c "import $module" 2>/dev/null || { echo "the Python package $module is missing: see bring.sh" >&2; exit 1; }
done
exec "$python" -B "$here" "$@"
