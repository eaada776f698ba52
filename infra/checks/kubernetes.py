"""The manifests of infra/kubernetes, rendered and checked strictly: kubernetes.py [--write]

Each object becomes a TypeScript literal of its kind's own type, so that a field that does not exist, is missing or has another type is
refused, and so is a kind that nobody knows; then the kinds' validators look at values. Beside that: what the objects say of one another.
`--write` writes monitoring/rules.yaml from infra/prometheus/rules.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

import queries

FOLDER = queries.INFRA / "kubernetes"
PACKAGES = pathlib.Path(__file__).parent / "kubernetes"
RULES = FOLDER / "monitoring" / "rules.yaml"
OVERLAYS = ("cpu-demo", "gpu")
# Where the types of an API group are, if it is not one of Kubernetes' own.
GROUPS = {"keda.sh": "@kubernetes-models/keda", "monitoring.coreos.com": "@kubernetes-models/prometheus-operator"}
# What the Prometheus scaler of KEDA understands: https://keda.sh/docs/scalers/prometheus/
PROMETHEUS_SCALER = {
    "serverAddress", "query", "threshold", "activationThreshold", "namespace", "cortexOrgID", "customHeaders", "ignoreNullValues",
    "queryParameters", "unsafeSsl", "timeout", "authModes",
}


def rule_object():
    """The rules as the Prometheus operator takes them."""
    groups = []
    for path in sorted((queries.PROMETHEUS / "rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            groups.append({**group, "name": f"{group['name']}-{path.stem}"})
    made = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "mouthpiece"}, "spec": {"groups": groups}}
    return "# Written by infra/checks/kubernetes.py from infra/prometheus/rules.\n" + yaml.safe_dump(made, sort_keys=False, width=130)


def rendered(overlay):
    done = subprocess.run(["kubectl", "kustomize", str(FOLDER / "overlays" / overlay)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"overlays/{overlay}: {done.stderr}")
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def module(one):
    """Where the type of an object's kind is."""
    group, _, version = one["apiVersion"].rpartition("/")
    package = GROUPS.get(group, "kubernetes-models")
    # Kubernetes' own groups are folders without their domain.
    folder = f"{group}/{version}" if group else version
    return f"{package}/{folder}/{one['kind']}"


def typed(objects):
    """TypeScript that holds exactly if every object is of its kind's type, and JavaScript that validates each."""
    types, values = [], []
    for number, (where, one) in enumerate(objects):
        text = json.dumps(one)
        types.append(f"// {where}\nimport type {{ I{one['kind']} as T{number} }} from '{module(one)}';\nexport const o{number}: T{number} = {text};")
        values.append(
            f"import {{ {one['kind']} as C{number} }} from '{module(one)}';\n"
            f"try {{ new C{number}({text}).validate(); }} catch (e) {{ console.error('{where}: ' + e.message); process.exitCode = 1; }}"
        )
    return "\n".join(types), "\n".join(values)


def schema_problems(objects):
    # The page's tests bring a newer Node.js where the system's is too old.
    newer = queries.ROOT / "tests" / "browser" / "node_modules" / ".bin"
    environment = {**os.environ, "PATH": f"{newer}:{os.environ['PATH']}"}
    if not (PACKAGES / "node_modules" / ".package-lock.json").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=PACKAGES, env=environment, check=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="checked-", dir=PACKAGES))
    try:
        types, values = typed(objects)
        (work / "objects.ts").write_text(types)
        (work / "objects.mjs").write_text(values)
        options = ["--noEmit", "--strict", "--skipLibCheck", "--pretty", "false", "--module", "nodenext", "--moduleResolution", "nodenext", "--target", "es2022"]
        for command in (["node_modules/.bin/tsc", *options, f"{work.name}/objects.ts"], ["node", f"{work.name}/objects.mjs"]):
            done = subprocess.run(command, cwd=PACKAGES, env=environment, capture_output=True, text=True)
            lines = types.splitlines()
            for line in (done.stdout + done.stderr).splitlines() if done.returncode else []:
                found = re.search(r"objects\.ts\((\d+),\d+\): error \w+: (.*)", line)
                where = next((it[3:] for it in reversed(lines[: int(found[1])]) if it.startswith("// ")), "") if found else ""
                yield f"{where}: {found[2]}" if found else line
    finally:
        shutil.rmtree(work)


def of(objects, kind):
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == kind}


def settings_of(objects, deployment):
    """Names and values of the environment of a Deployment's container, config maps included."""
    maps = of(objects, "ConfigMap")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    found = {}
    for source in container.get("envFrom", []):
        found |= maps[source["configMapRef"]["name"]]["data"]
    return found | {one["name"]: one.get("value") for one in container.get("env", [])}


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(s|m|h)", text).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def problems_between(objects):
    """What no schema tells."""
    deployments, scaled = of(objects, "Deployment"), of(objects, "ScaledObject")
    coordinator, worker = (settings_of(objects, deployments[name]) for name in ("coordinator", "worker"))
    for name, one in scaled.items():
        if one["spec"]["scaleTargetRef"]["name"] not in deployments:
            yield f"ScaledObject {name}: it scales nothing that there is"
        if str(one["spec"]["maxReplicaCount"]) != coordinator["MOUTHPIECE_COORDINATOR__MAX_WORKERS"]:
            yield f"ScaledObject {name}: maxReplicaCount is not coordinator.max_workers"
        for trigger in one["spec"]["triggers"]:
            for key in set(trigger["metadata"]) - PROMETHEUS_SCALER:
                yield f"ScaledObject {name}: the Prometheus scaler knows no {key}"
            for metric in queries.metrics(trigger["metadata"]["query"]):
                if f'"{metric.removeprefix("mouthpiece_")}"' not in (queries.ROOT / "coordinator/src/metrics.rs").read_text():
                    yield f"ScaledObject {name}: no coordinator shows {metric}"
    if coordinator.get("MOUTHPIECE_COORDINATOR__SCALED_BY_METRICS") != "true":
        yield "coordinator: with KEDA, coordinator.scaled_by_metrics is true"
    if coordinator["MOUTHPIECE_COORDINATOR__SLOTS_PER_WORKER"] != worker["MOUTHPIECE_WORKER__SLOTS"]:
        yield "coordinators expect another number of slots than workers offer"
    if "replicas" in deployments["worker"]["spec"]:
        yield "worker: `replicas` is the ScaledObject's, every apply would set it back"
    template = deployments["worker"]["spec"]["template"]["spec"]
    if template["terminationGracePeriodSeconds"] < seconds(worker["MOUTHPIECE_WORKER__GRACE"]) + 30:
        yield "worker: terminationGracePeriodSeconds must outlast worker.grace by half a minute"
    ports = {port["name"]: port for port in template["containers"][0]["ports"]}
    if str(ports["media"]["hostPort"]) != worker["MOUTHPIECE_RTC__PORT"] or ports["media"]["protocol"] != "UDP":
        yield "worker: its media port is not rtc.port"
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in deployments.values()]
    for kind in ("Service", "PodDisruptionBudget", "PodMonitor"):
        for name, one in of(objects, kind).items():
            selector = one["spec"]["selector"] if kind == "Service" else one["spec"]["selector"]["matchLabels"]
            if not any(selector.items() <= label.items() for label in labels):
                yield f"{kind} {name}: it selects no pod"
    for name, one in of(objects, "Secret").items():
        yield f"Secret {name}: secrets are not kept here"
    for name, one in deployments.items():
        for container in one["spec"]["template"]["spec"]["containers"]:
            if container["securityContext"].get("allowPrivilegeEscalation", True):
                yield f"{name}: privileges may be raised"
            if "limits" not in container["resources"]:
                yield f"{name}: it has no bound on memory"


def main():
    if "--write" in sys.argv:
        RULES.write_text(rule_object())
        return
    if shutil.which("kubectl") is None:
        print("kubectl is not installed: infra/kubernetes was not checked (https://kubernetes.io/docs/tasks/tools/)")
        return
    problems = [] if RULES.read_text() == rule_object() else ["monitoring/rules.yaml is not what infra/prometheus/rules says: infra/checks/python.sh kubernetes --write"]
    every = []
    for overlay in OVERLAYS:
        objects = rendered(overlay)
        every += [(f"{overlay}: {one['kind']} {one['metadata']['name']}", one) for one in objects]
        problems += [f"{overlay}: {problem}" for problem in problems_between(objects)]
    problems += schema_problems(every)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"manifests: {len(every)} objects of {len(OVERLAYS)} overlays, {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
