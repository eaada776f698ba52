#!/usr/bin/env bash
# Throws made-up requests, built from /openapi.json, at a farm of its own. Any answer 5xx is a failure.
# Usage: http.sh path/to/mouthpiece [options of `schemathesis run`]
set -euo pipefail

binary=$(realpath "${1:?give the mouthpiece binary}")
shift
here=$(cd -- "$(dirname -- "$0")" && pwd)
cache=$here/../../.cache/schemathesis

command -v python3 >/dev/null || { echo "python3 is missing: apt-get install python3 python3-venv" >&2; exit 1; }
if ! "$cache/bin/pip" freeze 2>/dev/null | grep -qxFf <(grep -v '^#' "$here/requirements.txt"); then
    python3 -m venv "$cache"
    "$cache/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
fi

work=$(mktemp -d)
farm=
finish() {
    if [ -n "$farm" ]; then
        kill "$farm" 2>/dev/null || true
        wait "$farm" || true
    fi
    rm -rf "$work"
}
trap finish EXIT

"$binary" up --port 0 --data "$work/data" >"$work/out" 2>"$work/log" &
farm=$!
until grep -q '^Mouthpiece is ready: ' "$work/out"; do
    kill -0 "$farm" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done
address=$(sed -n 's/^Mouthpiece is ready: //p' "$work/out")
key=$(grep -o 'mp_[0-9A-Za-z_-]*' "$work/out" | head -n 1)

# Event streams last as long as they like: they are left out. A revoked key would end the run: so is that.
cd "$work"
status=0
"$cache/bin/schemathesis" run "$address/openapi.json" --url "$address" \
    --header "Authorization: Bearer $key" \
    --checks not_a_server_error \
    --exclude-path-regex '/events$' \
    --exclude-operation-id revoke_key \
    --max-examples "${EXAMPLES:-60}" --seed "${SEED:-1}" --request-timeout 30 "$@" || status=$?
kill -0 "$farm" 2>/dev/null || { echo "mouthpiece has ended:" >&2; status=1; }
[ "$status" = 0 ] || tail -n 60 "$work/log" >&2
exit "$status"
