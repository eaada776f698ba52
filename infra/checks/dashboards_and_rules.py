"""What can be said of rules and dashboards without running anything: see `main`."""
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

import queries

RUNBOOK = queries.ROOT / "docs" / "operations" / "runbook.md"


def sources():
    """All of our Rust, without tests' folders."""
    files = [path for folder in ("src", "coordinator", "worker", "shared") for path in (queries.ROOT / folder).rglob("*.rs")]
    return "\n".join(path.read_text() for path in files if "tests" not in path.parts)


def is_registered(metric, code):
    """Whether a metric's name stands in the code: with the registry's prefix left out, and the worker's own one, too."""
    name = metric.removeprefix("mouthpiece_")
    return any(f'"{known}"' in code for known in (name, name.removeprefix("live_")))


def problems_of_names():
    code = sources()
    known = queries.recorded()
    every = [(f"alert or rule {r.get('alert', r.get('record'))}", r["expr"]) for r in queries.rules()]
    every += [(f"dashboard {board}, panel {panel}", expr) for board, panel, expr in queries.panels()]
    for where, expr in every:
        for metric in sorted(queries.metrics(expr)):
            if not is_registered(metric, code):
                yield f"{where}: no code registers {metric}"
        for metric, label, value in queries.label_values(expr):
            if f'"{value}"' not in code:
                yield f"{where}: no code says {value!r}, which {metric} is asked for by {label}"
        for rule in re.findall(r"\b[a-z_]+:[a-z0-9_:]+", expr):
            if rule not in known:
                yield f"{where}: no rule records {rule}"


def problems_of_alerts():
    headings = {line[3:].strip() for line in RUNBOOK.read_text().splitlines() if line.startswith("## ")}
    alerts = queries.alerts()
    tests = set(queries.alert_tests())
    for name, rule in alerts.items():
        link = f"docs/operations/runbook.md#{name.lower()}"
        if rule["labels"].get("severity") not in ("page", "ticket"):
            yield f"{name}: its severity is neither page nor ticket"
        if rule["annotations"].get("runbook") != link or not rule["annotations"].get("summary"):
            yield f"{name}: it needs a summary, and the runbook {link}"
        if name not in headings:
            yield f"{name}: docs/operations/runbook.md has no section of that name"
        for fires in (True, False):
            if (name, fires) not in tests:
                yield f"{name}: no test in infra/prometheus/tests expects it {'to fire' if fires else 'to be silent'}"
    for name in sorted(headings - set(alerts)):
        yield f"docs/operations/runbook.md: there is no alert {name}"


def problems_of_dashboards():
    sys.path.insert(0, str(queries.INFRA / "grafana"))
    import build

    for name, text in build.written().items():
        path = queries.DASHBOARDS / name
        if not path.exists() or path.read_text() != text:
            yield f"{path.relative_to(queries.ROOT)} is not what infra/grafana/build.py writes: run it"
    for path in queries.DASHBOARDS.glob("*.json"):
        if path.name not in build.written():
            yield f"{path.relative_to(queries.ROOT)} is made by nobody: remove it"


def promtool():
    """Syntax of everything, dashboards' queries included, and the tests of the rules."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "panels.yml"
        asked = [{"record": f"panel{i}", "expr": queries.plain(expr)} for i, (_, _, expr) in enumerate(queries.panels())]
        path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": asked}]}))
        rules = [str(p) for p in sorted((queries.PROMETHEUS / "rules").glob("*.yml"))]
        tests = [str(p) for p in sorted((queries.PROMETHEUS / "tests").glob("*.yml"))]
        commands = [
            ["promtool", "check", "config", str(queries.PROMETHEUS / "prometheus.yml")],
            ["promtool", "check", "rules", *rules, str(path)],
            ["promtool", "test", "rules", *tests],
            ["amtool", "check-config", str(queries.PROMETHEUS / "alertmanager.yml")],
        ]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                yield f"{' '.join(command[:3])}:\n{done.stdout}{done.stderr}"


def main():
    problems = [*problems_of_names(), *problems_of_alerts(), *problems_of_dashboards(), *promtool()]
    for problem in problems:
        print(problem, file=sys.stderr)
    asked = len(list(queries.panels()))
    print(f"rules and dashboards: {len(queries.alerts())} alerts, {asked} queries of panels, {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
