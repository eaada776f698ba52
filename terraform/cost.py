#!/usr/bin/env python3
"""What a farm of terraform/ costs a month: cost.py [FILE.tfvars...], by default those of examples/.

The number of sessions at a time is the first word of the file's name. It is reckoned from the variables and from prices.json, with all
sessions open all the time and the reserve idle beside them. `--write` puts the table into README.md, `--check` tells whether it is there.
"""
import argparse
import json
import math
import pathlib
import re

HERE = pathlib.Path(__file__).parent
HOURS = 730
# What viewers are sent, audio and headers included: 512x512 at 25 a second. docs/cost.md tells how a farm reports its own.
MBIT_PER_SESSION = 1.0
BEGIN, END = "<!-- cost.py writes from here -->", "<!-- to here -->"


def variables(path):
    """The variables of a .tfvars file that are numbers, texts, or objects and lists of these."""
    text = re.sub(r"#.*", "", path.read_text())
    found = {}
    for name, value in re.findall(r"^(\w+)\s*=\s*(.+)$", text, re.M):
        found[name] = json.loads(re.sub(r"(\w+)\s*=\s*", r'"\1": ', value) if value.startswith("{") else value)
    return found


def reckoned(sessions, given, prices):
    """Dollars a month by kind, and what follows from them."""
    slots = given.get("slots_per_worker", 2)
    workers = math.ceil(sessions / slots) + given["warm_workers"]
    if workers > given["max_workers"]:
        raise SystemExit(f"{sessions} sessions and the reserve need {workers} workers: max_workers is {given['max_workers']}")
    machine = prices["machines"][given["worker_instance_types"][0]]
    on_demand = min(workers, given.get("on_demand_base", 0))
    machines = on_demand * machine["on_demand"] + (workers - on_demand) * machine["spot"]
    hourly, monthly = prices["hourly"], prices["monthly"]
    copies = 2 if given["highly_available"] else 1
    sizes = given["store_sizes"]
    stores = copies * hourly[sizes["records"]] + copies * hourly[sizes["pool"]] + (3 if copies == 2 else 1) * hourly[sizes["bus"]]
    size = given["coordinator_size"]
    one = size["cpu"] / 1024 * hourly["fargate_cpu"] + size["memory"] / 1024 * hourly["fargate_gib"]
    # An address for each coordinator and worker, and for the balancer in three zones.
    addresses = (given["coordinators"] + workers + 3) * hourly["public_address"]
    front = given["coordinators"] * one + hourly["load_balancer"] + hourly["load_balancer_unit"] + addresses
    disks = 20 * copies * monthly["database_gib"] + workers * 80 * monthly["machine_gib"] + 2 * monthly["secret"]
    egress = sessions * MBIT_PER_SESSION / 8 / 1000 * 3600 * HOURS * prices["egress_gb"]
    cost = {"machines": machines * HOURS, "stores": stores * HOURS, "front": front * HOURS + disks, "egress": egress}
    minutes = sessions * HOURS * 60
    return {
        "workers": workers,
        **cost,
        "total": sum(cost.values()),
        "machines_a_minute": cost["machines"] / minutes,
        "all_a_minute": sum(cost.values()) / minutes,
    }


def table(paths, prices):
    rows = [
        "| sessions at a time | workers | machines | Postgres, Valkey, RabbitMQ | coordinators, balancer, addresses, disks | egress | a month | machines, a minute | all of it, a minute |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for path in sorted(paths, key=lambda p: int(p.name.split("-")[0])):
        sessions = int(path.name.split("-")[0])
        it = reckoned(sessions, variables(path), prices)
        money = [f"${it[kind]:,.0f}" for kind in ("machines", "stores", "front", "egress", "total")]
        rows.append(
            f"| {sessions} | {it['workers']} | {' | '.join(money)} | ${it['machines_a_minute']:.4f} | ${it['all_a_minute']:.4f} |"
        )
    return "\n".join(rows)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("files", nargs="*", type=pathlib.Path)
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("--check", action="store_true")
    given = arguments.parse_args()
    prices = json.loads((HERE / "prices.json").read_text())
    made = table(given.files or (HERE / "examples").glob("*.tfvars"), prices)
    readme = HERE / "README.md"
    if given.write or given.check:
        before, _, rest = readme.read_text().partition(BEGIN)
        text = f"{before}{BEGIN}\n\n{made}\n\n{END}{rest.partition(END)[2]}"
        if given.check and text != readme.read_text():
            raise SystemExit("terraform/README.md does not hold what cost.py reckons: run terraform/cost.py --write")
        readme.write_text(text)
    else:
        print(made)


if __name__ == "__main__":
    main()
