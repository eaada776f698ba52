"""The rules, their tests and the dashboards, read; and the metrics that a query names."""
import json
import pathlib
import re

import yaml

INFRA = pathlib.Path(__file__).parent.parent
ROOT = INFRA.parent
PROMETHEUS = INFRA / "prometheus"
DASHBOARDS = INFRA / "grafana" / "dashboards"

METRIC = re.compile(r"\bmouthpiece_[a-z0-9_]+(?![a-z0-9_:])")
SELECTOR = re.compile(r'\b(mouthpiece_[a-z0-9_]+)\{([^}]*)\}')
MATCHER = re.compile(r'(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"')


def rules():
    """Every rule, as it stands in rules/*.yml."""
    for path in sorted((PROMETHEUS / "rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def alerts():
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded():
    return {rule["record"] for rule in rules() if "record" in rule}


def alert_tests():
    """(alert, whether it is expected to fire) of every test."""
    for path in sorted((PROMETHEUS / "tests").glob("*.yml")):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test.get("alert_rule_test", []):
                yield case["alertname"], bool(case["exp_alerts"])


def panels():
    """(dashboard, panel, query) of every target of every panel."""
    for path in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield path.stem, panel["title"], target["expr"]


def plain(query, window="1m"):
    """A dashboard's query without Grafana's own words."""
    return re.sub(r"\$__(rate_)?interval|\$__range", window, query)


def without_level(query):
    """A query without the names of recording rules (level:metric:operation), which hold metrics' names."""
    return re.sub(r"\b[a-z_]+:[a-z0-9_:]+", "", query)


def metrics(query):
    """The farm's own metrics that a query names; what a histogram is made of counts as the histogram."""
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in METRIC.findall(without_level(query))}


def label_values(query):
    """(metric, label, value) of every value that a query names, without patterns and bounds."""
    for metric, matchers in SELECTOR.findall(without_level(query)):
        for label, _, pattern in MATCHER.findall(matchers):
            if label in ("le", "job", "status", "method"):
                continue
            for value in re.sub(r"[()]", "|", pattern).split("|"):
                if value and not re.search(r"[.*+/]", value):
                    yield metric, label, value
