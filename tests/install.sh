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
# Debian starts what it installs, now and at the next boot: nobody wants a web server at port 80 for having run tests. A policy
# or a service that is there already is left as it is.
# shellcheck disable=SC2016 # it is expanded where it runs
unstarted='
    set -eu
    services="nginx caddy postgresql redis-server rabbitmq-server prometheus prometheus-alertmanager" own= policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap "rm -f $policy" EXIT
        printf "#!/bin/sh\nexit 101\n" >$policy
        chmod +x $policy
    fi
    for s in $services; do ! systemctl -q is-enabled $s 2>/dev/null || own="$own $s"; done
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    for s in $services; do
        case "$own " in *" $s "*) ;; *) systemctl -q disable --now $s 2>/dev/null || true ;; esac
    done'
# shellcheck disable=SC2086 # words, and no word where there is no sudo
$sudo sh -c "$unstarted" install $missing
