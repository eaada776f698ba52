#!/bin/sh
# packages.sh PROGRAM: the packages of this system that hold what the program is linked with, and what it looks for when it runs.
set -eu
missing=$(ldd "$1" | sed -n 's/ => not found//p')
[ -z "$missing" ] || { echo "$1 needs what is not installed here: $missing" >&2; exit 1; }
{
    ldd "$1" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | while read -r library; do
        # With /usr merged, the package may know a file by either name.
        dpkg -S "$(readlink -f "$library")" "$library" 2>/dev/null | sed 's/:.*//'
    done
    echo ca-certificates # for TLS
    # HEIC portraits are decoded with a library that is opened when one comes.
    if ldd "$1" | grep -q libavcodec; then echo libheif1; fi
} | sort -u
