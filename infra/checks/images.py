"""Dockerfiles by hadolint, hosted workflows by their schema, shell scripts, and what compose.yaml and the Dockerfile say of one another."""
import pathlib
import re
import subprocess
import sys

import yaml

import queries

DOCKER = queries.ROOT / "docker"


def dockerfiles():
    hadolint = pathlib.Path(sys.executable).with_name("hadolint")
    files = [str(path.relative_to(queries.ROOT)) for path in (DOCKER / "Dockerfile", DOCKER / "check" / "Dockerfile")]
    done = subprocess.run([str(hadolint), "--no-color", *files], capture_output=True, text=True, cwd=queries.ROOT)
    if done.returncode:
        yield from (done.stdout + done.stderr).splitlines()


def workflows():
    check = pathlib.Path(sys.executable).with_name("check-jsonschema")
    files = [str(path.relative_to(queries.ROOT)) for path in sorted((queries.ROOT / ".github" / "workflows").glob("*.yml"))]
    done = subprocess.run([str(check), "--builtin-schema", "vendor.github-workflows", *files], capture_output=True, text=True, cwd=queries.ROOT)
    if done.returncode:
        yield from (done.stdout + done.stderr).splitlines()


def scripts():
    terraform = queries.ROOT / "terraform"
    ours = [*DOCKER.rglob("*.sh"), *(queries.INFRA / "checks").glob("*.sh"), terraform / "destroy.sh"]
    # What Terraform puts in, ${name}, is a shell's own form.
    for path in [*ours, *terraform.rglob("*.sh.tftpl")]:
        shell = path.read_text().splitlines()[0].rsplit("/", 1)[-1].split()[-1]
        done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True)
        if done.returncode:
            yield f"{path.relative_to(queries.ROOT)}: {done.stderr.strip()}"


def stack():
    composed = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    services, volumes = composed["services"], composed["volumes"]
    stages = set(re.findall(r"^FROM .* AS (\w+)$", (DOCKER / "Dockerfile").read_text(), re.M))
    for name, service in services.items():
        if "build" in service and service["build"]["target"] not in stages:
            yield f"service {name}: the Dockerfile has no stage {service['build']['target']}"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith(".") and not (DOCKER / source).exists():
                yield f"service {name}: {source} is not there"
            elif not source.startswith(".") and source not in volumes:
                yield f"service {name}: volume {source} is not declared"
        for other in service.get("depends_on", {}):
            if other not in services:
                yield f"service {name}: it depends on {other}, which is not there"
        if "restart" in service and "healthcheck" not in service and service.get("networks") == ["stores"]:
            yield f"service {name}: a store without a health check"
    for name in ("postgres", "rabbitmq", "valkey", "s3"):
        if services[name].get("ports") or services[name]["networks"] != ["stores"]:
            yield f"service {name}: it has no password, so nothing but the farm may reach it"
    if not composed["networks"]["stores"].get("internal"):
        yield "network stores: it is to have no way out"


def main():
    problems = [*dockerfiles(), *workflows(), *scripts(), *stack()]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"images and workflows: {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
