#!/bin/sh
# build.sh OUT: builds the program from the source in this folder, for the Dockerfile. OUT gets `mouthpiece`, `libonnxruntime.so` and
# `packages`, the names of what the program needs beside it. A program that was built before, in docker/prebuilt, is taken as it is.
set -eu
out=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
prebuilt=$here/prebuilt
mkdir -p "$out"
export DEBIAN_FRONTEND=noninteractive

if [ -x "$prebuilt/mouthpiece" ]; then
    cp "$prebuilt/mouthpiece" "$prebuilt/libonnxruntime.so" "$out/"
else
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends git make
    make --no-print-directory packages | xargs apt-get install -y -qq --no-install-recommends
    # Ubuntu's image has no Rust; its package rustup fetches it.
    command -v cargo >/dev/null || { apt-get install -y -qq --no-install-recommends rustup && rustup default "$(make --no-print-directory rust-version)"; }
    cargo build --release --locked
    cp "${CARGO_TARGET_DIR:-target}/release/mouthpiece" "$out/"
    cp "$(models/onnxruntime/fetch.sh)" "$out/libonnxruntime.so"
fi

if [ -f "$prebuilt/packages" ]; then
    cp "$prebuilt/packages" "$out/packages"
else
    "$here/packages.sh" "$out/mouthpiece" >"$out/packages"
fi
