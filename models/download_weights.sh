#!/bin/sh
# The thin twin of `mouthpiece models fetch`, for a machine on which Mouthpiece is not built: fetches the published weights of
# manifest.toml into the same folder, with curl. A built `mouthpiece` is used in its place where there is one.
#
#   models/download_weights.sh [NAME ...]
#
# MODELS=DIR names another folder than ${XDG_CACHE_HOME:-~/.cache}/mouthpiece/models, MIRROR=URL a copy of that folder behind a web
# server, asked first. What breaks off is gone on with,
# the next time too where the hash is known. Exits with 1 when a file could not be had or is another one.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=${MODELS:-${XDG_CACHE_HOME:-${HOME:?set HOME, XDG_CACHE_HOME or MODELS}/.cache}/mouthpiece/models}

if [ -z "${WITHOUT_MOUTHPIECE:-}" ] && command -v mouthpiece >/dev/null 2>&1 && mouthpiece models --help >/dev/null 2>&1; then
    if [ -n "${MIRROR:-}" ]; then
        export MOUTHPIECE_MODELS__MIRRORS="[\"$MIRROR\"]"
    fi
    exec mouthpiece models fetch --folder "$folder" "$@"
fi

command -v curl >/dev/null 2>&1 || { echo "models: curl is missing: apt-get install curl" >&2; exit 1; }
command -v sha256sum >/dev/null 2>&1 || { echo "models: sha256sum is missing: apt-get install coreutils" >&2; exit 1; }

# A line an entry: name, file, url, sha256 ("recorded on first fetch" has spaces, so it comes last), licence.
entries() {
    awk -F' = ' '
        function tell() { if (section == "weights") print v["name"] "\t" v["file"] "\t" v["url"] "\t" v["licence"] "\t" v["sha256"] }
        /^\[\[/ { tell(); section = $0; gsub(/[][]/, "", section); split("", v); next }
        /^[a-z_0-9]+ = / { value = substr($0, length($1) + 4); gsub(/^"|"$/, "", value); v[$1] = value }
        END { tell() }
    ' "${MANIFEST:-$here/manifest.toml}"
}

hash_of() {
    sha256sum "$1" | cut -d ' ' -f 1
}

# What a file must be: the manifest's hash, else the one on record, else nothing.
wanted() {
    case $2 in
    'recorded on first fetch') sed -n "s/^$1 = \"\([0-9a-f]*\)\"\$/\1/p" "$folder/recorded.toml" 2>/dev/null || true ;;
    *) echo "$2" ;;
    esac
}

fetch() { # name file url sha256
    place=$folder/$2
    want=$(wanted "$1" "$4")
    if [ -f "$place" ]; then
        found=$(hash_of "$place")
        if [ -n "$want" ] && [ "$found" = "$want" ]; then
            echo "$1: here, and right"
            return 0
        fi
        echo "$1: $place is not known to be right (SHA-256 $found, wanted ${want:-unknown}): move it away, then fetch again" >&2
        return 1
    fi
    mkdir -p "$(dirname -- "$place")"
    for url in ${MIRROR:+"${MIRROR%/}/$2"} "$3"; do
        # The beginning of one source's file is no beginning of another's.
        part=$place.part-$(printf %s "$url" | cksum | cut -d ' ' -f 1)
        # Without a known hash nothing tells a file that was half fetched before its publisher changed it.
        [ -n "$want" ] || rm -f "$part"
        code=0
        curl --fail --location --retry 4 --connect-timeout 30 --continue-at - --progress-bar --output "$part" "$url" || code=$?
        if [ "$code" -ne 0 ]; then
            # 22: refused, also where nothing is left to be gone on with; 33: it cannot go on in the middle.
            case $code in 22 | 33) rm -f "$part" ;; esac
            echo "$1: $url could not be fetched (curl says $code, see above)" >&2
            continue
        fi
        found=$(hash_of "$part")
        if [ -n "$want" ] && [ "$found" != "$want" ]; then
            rm -f "$part"
            echo "$1: $url serves another file (SHA-256 $found, wanted $want)" >&2
            continue
        fi
        if [ -z "$want" ]; then
            echo "$1 = \"$found\"" >>"$folder/recorded.toml"
            echo "$1: its SHA-256 is $found; from now on it must be that"
        fi
        mv "$part" "$place"
        echo "$1: fetched from $url: $place"
        return 0
    done
    echo "$1: offline? Set MIRROR=URL, or copy $2 and recorded.toml from another machine's folder of models to $folder" >&2
    return 1
}

failed=0
known=$(entries)
for asked in "$@"; do
    printf '%s\n' "$known" | cut -f 1 | grep -qxF -- "$asked" || { echo "models: there is no '$asked' in the manifest" >&2; exit 2; }
done
while IFS='	' read -r name file url licence sha256; do
    if [ $# -gt 0 ]; then
        case " $* " in *" $name "*) ;; *) continue ;; esac
    fi
    case $licence in
    MIT | Apache-2.0 | BSD-2-Clause | BSD-3-Clause | ISC) ;;
    *)
        case " ${ALLOW_LICENCES:-} " in
        *" $licence "*) ;;
        *)
            echo "$name is licensed as $licence, not a permissive licence known here: read it, then add it to ALLOW_LICENCES" >&2
            exit 2
            ;;
        esac
        ;;
    esac
    fetch "$name" "$file" "$url" "$sha256" || failed=1
done <<EOF2
$known
EOF2
exit "$failed"
