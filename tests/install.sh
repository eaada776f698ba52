#!/bin/sh
# install.sh SUDO PACKAGE...: installs what Debian or Ubuntu lacks of these packages, or names it. SUDO is "sudo" or empty.
set -eu
sudo=$1
shift
missing=
for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
    echo "this machine has no apt-get: install the equivalents of:$missing" >&2
    exit 1
fi
if [ -n "$sudo" ] && ! command -v "$sudo" >/dev/null; then
    echo "as root, run: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "installing, a minute or two:$missing"
# shellcheck disable=SC2086 # words, and no word where there is no sudo
{
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
