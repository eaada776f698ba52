"""What a machine of the fleet does when it boots (terraform/modules/workers/user_data.sh.tftpl), run with stand-ins for AWS and Docker.

The script is filled in as Terraform does, its folders are put below a temporary one, and curl, aws, docker, systemctl and install are programs
that answer as the real ones would and write down what they were asked. Then what it left is looked at.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import queries

TEMPLATE = queries.ROOT / "terraform" / "modules" / "workers" / "user_data.sh.tftpl"
FILLED = {
    "region": "eu-central-1",
    "image": "1.dkr.ecr.eu-central-1.amazonaws.com/farm/worker:7",
    "registry": "1.dkr.ecr.eu-central-1.amazonaws.com",
    "secret": "arn:aws:secretsmanager:eu-central-1:1:secret:worker",
    "log_group": "/farm/worker",
    "gpus": "--gpus all",
    "settings": "MOUTHPIECE_WORKER__SLOTS=2\nMOUTHPIECE_STORES__BLOBS=s3://bucket/farm",
}
STAND_INS = {
    "curl": """
        case "$*" in
        *PUT*api/token) echo token ;;
        *"X-aws-ec2-metadata-token: token"*local-ipv4) echo 10.64.0.9 ;;
        *"X-aws-ec2-metadata-token: token"*public-ipv4) echo 203.0.113.9 ;;
        *) exit 22 ;;
        esac""",
    "aws": """
        case "$*" in
        "secretsmanager get-secret-value --region eu-central-1 --secret-id arn:"*) echo '{"bus": "amqps://m:b$us@mq", "pool": "rediss://:p@v:6379", "secret": "s3cr3t"}' ;;
        "ecr get-login-password --region eu-central-1") echo password ;;
        *) exit 2 ;;
        esac""",
    "docker": 'case "$1" in login) [ "$(cat)" = password ] ;; esac',
    "systemctl": "",
    # Owners are root's affair.
    "install": """
        for last; do :; done
        mkdir -p "$last" """,
}
ENVIRONMENT = [
    "MOUTHPIECE_WORKER__SLOTS=2",
    "MOUTHPIECE_STORES__BLOBS=s3://bucket/farm",
    "MOUTHPIECE_STORES__BUS=amqps://m:b$us@mq",
    "MOUTHPIECE_STORES__POOL=rediss://:p@v:6379",
    "MOUTHPIECE_FARM__SECRET=s3cr3t",
    "MOUTHPIECE_LINES__ADDRESS=10.64.0.9:0",
    'MOUTHPIECE_RTC__ADDRESSES=["203.0.113.9"]',
]


def filled_in():
    """The template as Terraform would write it: `${name}` is a value, `$${` would be a dollar."""
    return re.sub(r"\$\{(\w+)\}", lambda found: FILLED[found[1]], TEMPLATE.read_text())


def problems(folder):
    programs = folder / "bin"
    programs.mkdir()
    asked = folder / "asked"
    for name, body in STAND_INS.items():
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"{asked}"\n{body}\n')
        (programs / name).chmod(0o755)
    (folder / "etc" / "systemd" / "system").mkdir(parents=True)
    script = re.sub(r"(?<![\w/.-])/(etc|var)/(mouthpiece|lib/mouthpiece|systemd)", rf"{folder}/\1/\2", filled_in())
    path = folder / "user_data.sh"
    path.write_text(script)
    done = subprocess.run(["bash", str(path)], env={"PATH": f"{programs}:{os.environ['PATH']}"}, capture_output=True, text=True)
    if done.returncode:
        yield f"it ends with {done.returncode}: {done.stderr}"
        return
    environment = folder / "etc" / "mouthpiece" / "worker.env"
    if environment.read_text().splitlines() != ENVIRONMENT:
        yield f"the worker is told {environment.read_text()}"
    if environment.stat().st_mode & 0o077:
        yield "others may read the worker's secrets"
    unit = (folder / "etc" / "systemd" / "system" / "mouthpiece-worker.service").read_text()
    for line in ("Restart=on-failure", f"{FILLED['image']} worker --data", "--network host", "--read-only", "--gpus all"):
        if line not in unit:
            yield f"the unit has no {line}"
    order = [line.split()[:2] for line in asked.read_text().splitlines() if line.startswith(("docker", "systemctl"))]
    if order != [["docker", "login"], ["docker", "pull"], ["systemctl", "daemon-reload"], ["systemctl", "enable"]]:
        yield f"it does this: {order}"
    if "s3cr3t" in asked.read_text():
        yield "a secret is an argument, which other processes see"


def main():
    with tempfile.TemporaryDirectory() as folder:
        found = list(problems(pathlib.Path(folder)))
    for problem in found:
        print(f"user data: {problem}", file=sys.stderr)
    print(f"user data: {len(found)} problems")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
