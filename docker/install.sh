#!/bin/sh
# install-packages LIST: installs what the file names, and leaves nothing else behind.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update
xargs apt-get install -y --no-install-recommends <"$1"
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log "$1"
