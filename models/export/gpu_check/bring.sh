#!/bin/sh
# Packs gpu_check for a GPU machine without a network: on a Linux x86_64 machine with one, brings the wheels and makes a .tar of them and
# the scripts. Nothing is installed here.
#
#   models/export/gpu_check/bring.sh [PACKAGE ...]       -> mouthpiece-gpu-check.tar, here
#
# With names, only these packages come, without what they need: for a machine that has PyTorch already ("bring.sh diffusers onnx").
# PYTHON_VERSION=3.12 is that machine's Python (3.12 by default). Without names it is about 3 GB: PyTorch brings CUDA's libraries.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
wheels=${WHEELS:-$here/wheels}
version=${PYTHON_VERSION:-3.12}

command -v python3 >/dev/null 2>&1 || { echo "python3 is missing: apt-get install python3 python3-pip" >&2; exit 1; }
python3 -m pip --version >/dev/null 2>&1 || { echo "pip is missing: apt-get install python3-pip" >&2; exit 1; }
mkdir -p "$wheels"

set -- ${1+--no-deps} "$@"
[ $# -gt 0 ] || set -- --requirement "$here/requirements.txt"
# Tags are named, so that any python3 here serves any there; pip matches each exactly.
for tag in manylinux1 manylinux2010 manylinux2014 $(seq -f manylinux_2_%.0f 5 39) linux; do
    set -- "$@" --platform "${tag}_x86_64"
done
# pip itself, too: a bare machine may have none.
python3 -m pip download --disable-pip-version-check --retries 5 --only-binary=:all: --python-version "$version" --implementation cp \
    --platform any --dest "$wheels" "$@" pip >&2

tar --create --file mouthpiece-gpu-check.tar --exclude=__pycache__ --exclude=.venv --exclude=.site \
    --transform='s,^,mouthpiece-gpu-check/,' -C "$here/../../.." models/twins models/export
if [ "$wheels" != "$here/wheels" ]; then
    tar --append --file mouthpiece-gpu-check.tar --transform='s,^\.,mouthpiece-gpu-check/models/export/gpu_check/wheels,' -C "$wheels" .
fi
echo "copy mouthpiece-gpu-check.tar ($(du -h mouthpiece-gpu-check.tar | cut -f 1)) there, then:"
echo "    tar -xf mouthpiece-gpu-check.tar && mouthpiece-gpu-check/models/export/gpu_check/run.sh"
