#!/usr/bin/env bash
# Follows the README on a machine that has nothing: a fresh Debian root in a folder, into which only the Rust toolchain and the
# crates' download cache are mounted. It finds the package that every developer's machine happens to have.
#
#   tests/bare/bare.sh [--if-changed]       SUITE=bookworm (Debian 12) or trixie (Debian 13)
#
# --if-changed: does nothing when what decides about it (package lists, lock files, fetch scripts, the README's commands) is
# what it was when this suite last passed on this machine. Needs root, mmdebstrap, and 8 GB in BARE_DIR (/var/tmp).
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
suite=${SUITE:-bookworm}
passed=${XDG_CACHE_HOME:-$HOME/.cache}/mouthpiece/bare-$suite.passed

fail() {
    echo "bare $suite: $1" >&2
    exit 1
}

# The README's fenced blocks: what a reader types.
commands() { awk '/^```/ { inside = !inside; next } inside' "$here/README.md"; }

fingerprint() {
    cd "$here"
    {
        commands
        git ls-files -z -- Makefile Cargo.lock '*Cargo.toml' '*build.rs' 'models/*/fetch.sh' 'models/*/requirements.txt' \
            'tests/browser/package*.json' tests/bare | xargs -0 sha256sum
    } | sha256sum
}

case "$suite" in
bookworm | trixie) ;;
*) fail "not a suite that is tried: SUITE=bookworm (Debian 12) or SUITE=trixie (Debian 13)" ;;
esac
now=$(fingerprint)
if [ "${1:-}" = --if-changed ] && [ "$(cat "$passed" 2>/dev/null)" = "$now" ]; then
    echo "bare $suite: nothing that decides about it has changed since it last passed here"
    exit 0
fi
[ "$(id -u)" = 0 ] || fail "this makes a root file system and mounts into it: run it as root (sudo make bare)"
command -v mmdebstrap >/dev/null || fail "mmdebstrap is missing: apt-get install mmdebstrap"
cargo_home=${CARGO_HOME:-$HOME/.cargo}
rustup_home=${RUSTUP_HOME:-$HOME/.rustup}
[ -x "$cargo_home/bin/cargo" ] && [ -d "$rustup_home/toolchains" ] || fail "no Rust toolchain of rustup in $cargo_home and $rustup_home"

root=$(mktemp -d "${BARE_DIR:-/var/tmp}/mouthpiece-bare.XXXXXX")
# What is mounted is seen in a mount namespace of its own only, so nothing but the root itself is ever removed.
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "bare $suite: making a root in $root"
mmdebstrap --quiet --variant=minbase --include=ca-certificates "$suite" "$root"
# Settings by which this machine's clients reach their registries: a proxy, a certificate authority of its own.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
for file in /etc/pip.conf /etc/npmrc; do [ ! -f "$file" ] || cp "$file" "$root$file"; done
apt-config dump | grep -E '^Acquire::(https?::)?(Proxy|CA)' >"$root/etc/apt/apt.conf.d/90from-outside" || true
git clone --quiet --no-hardlinks "$here" "$root/repository"
[ -z "$(git -C "$here" status --porcelain)" ] || echo "bare $suite: what is not committed is not tried" >&2
commands >"$root/commands"
cp "$here/tests/bare/follow.sh" "$root/follow.sh"
mkdir -p "$root/root/.cargo/bin" "$root/root/.cargo/registry" "$cargo_home/registry" "$root/root/.rustup"

settings=()
while IFS= read -r pair; do settings+=("$pair"); done < <(env | grep -iE '^(https?_proxy|no_proxy|PIP_[A-Z_]+|NPM_CONFIG_[A-Za-z_]+|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS)=' || true)
export root cargo_home rustup_home
unshare --mount --pid --fork --kill-child --mount-proc bash -euc '
    mount --bind "$cargo_home/bin" "$root/root/.cargo/bin"
    mount -o remount,ro,bind "$root/root/.cargo/bin"
    mount --bind "$rustup_home" "$root/root/.rustup"
    mount -o remount,ro,bind "$root/root/.rustup"
    mount --bind "$cargo_home/registry" "$root/root/.cargo/registry"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm" 2>/dev/null || true
    exec chroot "$root" env -i HOME=/root TERM=dumb LANG=C.UTF-8 RUSTUP_AUTO_INSTALL=0 \
        PATH=/root/.cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" bash /follow.sh
' bare "${settings[@]}" || fail "the README does not hold on a fresh Debian ($suite)"

mkdir -p "$(dirname "$passed")"
echo "$now" >"$passed"
echo "bare $suite: passed"
