"""Every panel of every dashboard against a live Prometheus that scrapes a running farm: none may be without data. Then faults: the
alert must come, and go. Usage: watched.py path/to/mouthpiece"""
import contextlib
import math
import pathlib
import sys
import threading
import time

import queries
from farm_under_watch import Failed, WatchedFarm, eventually

# Long enough for all that is waited for; it is ended when nothing needs it any more.
LOAD = 600


def empty_panels(watched):
    """Panels' queries that have nothing to show now."""
    return [
        f"dashboard {board}, panel {panel!r}: no data for {query}"
        for board, panel, query in queries.panels()
        if not any(math.isfinite(value) for _, value in watched.asked(queries.plain(query, "10s")))
    ]


def panels_have_data(watched, render):
    def looked():
        watched.look_at(render)
        return not empty_panels(watched)

    try:
        eventually("panels have data", looked)
    except Failed as failed:
        watched.load_process.alive()
        raise Failed("\n".join(empty_panels(watched))) from failed
    print(f"panels: all {len(list(queries.panels()))} queries of the dashboards have data")


class Stutter(threading.Thread):
    """The farm's process stands still for 0.3 s of every second."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.over = process, threading.Event()

    def run(self):
        while not self.over.wait(0.7):
            self.process.pause()
            time.sleep(0.3)
            self.process.go_on()


def alert_comes_and_goes(watched, alert, begin, end):
    """Injects a fault until Alertmanager has told of it, then waits until it tells that it is over."""
    since = time.monotonic()
    begin()
    after, _ = eventually(f"{alert} fires", lambda: watched.hook.told(alert, "firing", since))
    until = time.monotonic()
    end()
    over, _ = eventually(f"{alert} ends", lambda: watched.hook.told(alert, "resolved", until), patience=180)
    print(f"alerts: {alert} told {after:.1f} s after the fault began, ended {over:.1f} s after it was over")


def main(binary):
    with contextlib.ExitStack() as stack:
        watched = WatchedFarm(stack, str(pathlib.Path(binary).resolve()))
        # What happened before the first scrape is no increase.
        eventually("the farm is scraped", lambda: watched.asked("mouthpiece_uptime_seconds"))
        watched.load(stack, sessions=1, seconds=LOAD)
        live = lambda: watched.load_process.alive() and any(value > 0 for _, value in watched.asked("mouthpiece_live_viewers"))
        eventually("somebody watches a face", live)
        panels_have_data(watched, watched.render())
        watched.load_process.alive()
        eventually("no frame is missed", lambda: all(v < 0.01 for _, v in watched.asked("instance:mouthpiece_frames_missed:ratio_rate10s")))
        stutter = Stutter(watched.farm)
        alert_comes_and_goes(watched, "FrameDropHigh", stutter.start, lambda: (stutter.over.set(), stutter.join()))
        watched.load_process.end()
        alert_comes_and_goes(watched, "CoordinatorDown", watched.farm.pause, watched.farm.go_on)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Failed as failed:
        sys.exit(f"{failed}")
