#!/usr/bin/env python3
"""Writes the dashboards as Grafana reads them: build.py [FOLDER], by default dashboards/ beside this file.

What is on a dashboard is in boards.py; this file knows how Grafana wants it. Only Python's own library is needed.
"""
import json
import pathlib
import sys

from boards import BOARDS

HERE = pathlib.Path(__file__).parent
WIDTH, HEIGHT = 24, 8
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def targets(queries):
    """Queries of a panel: {legend: expression}, in order."""
    return [
        {"refId": chr(ord("A") + i), "datasource": SOURCE, "expr": expr, "legendFormat": legend, "range": True}
        for i, (legend, expr) in enumerate(queries.items())
    ]


def steps(thresholds):
    """[(from, colour)...] as Grafana has it; below the first it is green."""
    rest = [{"color": colour, "value": value} for value, colour in thresholds]
    return {"mode": "absolute", "steps": [{"color": "green", "value": None}, *rest]}


def made_panel(number, panel, place):
    """One panel at a place {x, y, w, h}."""
    kind = panel.get("kind", "timeseries")
    defaults = {"unit": panel["unit"], "thresholds": steps(panel.get("thresholds", []))}
    options = {}
    if kind == "timeseries":
        shown = {"lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": False}
        if panel.get("stacked"):
            shown |= {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 40}
        if panel.get("thresholds"):
            shown |= {"thresholdsStyle": {"mode": "line"}}
        defaults["custom"] = shown
        options = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    else:
        defaults["color"] = {"mode": "thresholds"}
        options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
    if "min" in panel:
        defaults["min"] = panel["min"]
    return {
        "id": number,
        "type": kind,
        "title": panel["title"],
        "description": panel["about"],
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": targets(panel["queries"]),
    }


def laid_out(panels):
    """Panels from left to right, a new row where one does not fit."""
    x = y = tallest = 0
    for number, panel in enumerate(panels, 1):
        stat = panel.get("kind") == "stat"
        w, h = panel.get("width", 4 if stat else 8), 4 if stat else HEIGHT
        if x + w > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        yield made_panel(number, panel, {"x": x, "y": y, "w": w, "h": h})
        x, tallest = x + w, max(tallest, h)


def made_board(board):
    """One dashboard."""
    return {
        "uid": f"mouthpiece-{board['name']}",
        "title": f"Mouthpiece: {board['title']}",
        "description": board["about"],
        "tags": ["mouthpiece"],
        "editable": False,
        "schemaVersion": 39,
        "refresh": "5s",
        "time": {"from": f"now-{board['span']}", "to": "now"},
        "timezone": "browser",
        "graphTooltip": 1,
        "links": [{"type": "dashboards", "title": "Mouthpiece", "tags": ["mouthpiece"], "keepTime": True}],
        "annotations": {
            "list": [
                {
                    "name": "Alerts",
                    "enable": True,
                    "iconColor": "red",
                    "datasource": SOURCE,
                    "expr": 'ALERTS{alertstate="firing"}',
                    "titleFormat": "{{alertname}}",
                }
            ]
        },
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}]},
        "panels": list(laid_out(board["panels"])),
    }


def written():
    """{file name: text} of all dashboards."""
    return {f"{board['name']}.json": json.dumps(made_board(board), indent=1) + "\n" for board in BOARDS}


def main(folder=HERE / "dashboards"):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in written().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:2])
