#!/bin/sh
# build.sh coordinator|worker OUT: builds the program for that image from the source in this folder. OUT gets `mouthpiece`, `packages`, the names
# of what it needs beside it, and for a worker `libonnxruntime.so`. What was built before, in docker/prebuilt/coordinator and so on, is taken as it is.
set -eu
image=$1 out=$2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
prebuilt=$here/prebuilt/$image
mkdir -p "$out"
export DEBIAN_FRONTEND=noninteractive

if [ -x "$prebuilt/mouthpiece" ]; then
    cp "$prebuilt"/* "$out/"
    exit
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends git make
make --no-print-directory packages | xargs apt-get install -y -qq --no-install-recommends
# Ubuntu's image has no Rust; its package rustup fetches it.
command -v cargo >/dev/null || { apt-get install -y -qq --no-install-recommends rustup && rustup default "$(make --no-print-directory rust-version)"; }
case $image in
coordinator)
    cargo build --release --locked --no-default-features --features cloud
    ;;
worker)
    cargo build --release --locked --features provenance
    cp "$(models/onnxruntime/fetch.sh)" "$out/libonnxruntime.so"
    ;;
*)
    echo "build.sh coordinator|worker OUT" >&2
    exit 2
    ;;
esac
cp "${CARGO_TARGET_DIR:-target}/release/mouthpiece" "$out/"
"$here/packages.sh" "$out/mouthpiece" >"$out/packages"
