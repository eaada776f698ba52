#!/bin/sh
# Says of each worker's pod how dear it is to delete (controller.kubernetes.io/pod-deletion-cost): as many hundreds as it has sessions, less than
# nothing when it leaves anyway. Coordinators tell what workers have; a worker is called like its pod unless worker.name says otherwise.
#
# FARM is a coordinator's address, KEY_FILE holds an API key, EVERY is the pause in seconds; ROUNDS ends it after so many, for tests.
set -eu
known=
round=0
while :; do
    # What cannot be asked or said now is asked and said the next time.
    farm=$(curl -sSf --max-time 10 -H "Authorization: Bearer $(cat "$KEY_FILE")" "$FARM/v1/workers") || farm='{"workers": []}'
    now=$(printf '%s' "$farm" | jq -r '.workers[] | select(.state != "lost")
        | [.name, if .state == "draining" then -1 else ([.slots[] | select(.session)] | length) * 100 end] | join(" ")')
    said=
    while read -r pod cost; do
        [ -n "$pod" ] || continue
        case "$known" in
        *"|$pod $cost|"*) said="$said|$pod $cost|" ;;
        *) if kubectl annotate pod "$pod" "controller.kubernetes.io/pod-deletion-cost=$cost" --overwrite; then said="$said|$pod $cost|"; fi ;;
        esac
    done <<WORKERS
$now
WORKERS
    known=$said
    round=$((round + 1))
    [ "$round" != "${ROUNDS:-}" ] || exit 0
    sleep "$EVERY"
done
