#!/bin/sh
# python.sh NAME ARGUMENT...: runs checks/NAME.py with the packages of requirements.txt, which are brought once into the user's cache.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
name=$1
shift
version=$(sha256sum "$here/requirements.txt" | cut -c 1-12)
venv=${XDG_CACHE_HOME:-${HOME:?set HOME or XDG_CACHE_HOME}/.cache}/mouthpiece/infra-$version

if [ ! -f "$venv/complete" ]; then
    command -v python3 >/dev/null || { echo "python3 is missing: apt-get install python3 python3-venv" >&2; exit 1; }
    # Those of earlier lists go.
    rm -rf "$(dirname "$venv")"/infra-*
    python3 -m venv "$venv" || { echo "python3 cannot make an environment: apt-get install python3-venv" >&2; exit 1; }
    echo "bringing the packages that infra/checks needs, half a minute"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 5 -r "$here/requirements.txt" ||
        { echo "infra/checks/requirements.txt cannot be installed: check the network or the package index" >&2; exit 1; }
    touch "$venv/complete"
fi
exec "$venv/bin/python" -B "$here/$name.py" "$@"
