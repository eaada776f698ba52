"""docs/LICENCES.md has a table of what the program is made of, by licence: licences.py [--write]

Read from the dependency graph (`cargo tree`, Linux, all features, without what only tests and builds use) and the models' manifest. Whatever
is not permissive, as deny.toml has it, is refused; so is a table that is out of date.
"""
import collections
import re
import subprocess
import sys
import tomllib

import queries

PAGE = queries.ROOT / "docs" / "LICENCES.md"
BEGIN, END = "<!-- infra/checks/licences.py writes from here -->", "<!-- to here -->"
TARGET = "x86_64-unknown-linux-gnu"


def shipped():
    """The packages of others that are in the program: {name, version, license}, each once."""
    command = ["cargo", "tree", "--locked", "-p", "mouthpiece", "--all-features", "--edges", "normal", "--target", TARGET]
    command += ["--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=queries.ROOT).stdout
    line = re.compile(r"^(\S+) v(\S+)(?: \(proc-macro\))?\|(.*)$")
    # What is ours has its folder behind its version, and is no match.
    found = {one.groups() for one in map(line.match, said.splitlines()) if one}
    return [{"name": name, "version": version, "license": licence} for name, version, licence in sorted(found)]


def is_allowed(expression, allowed):
    """An SPDX expression against licences that are allowed: OR needs one side, AND both. Old ones have a slash for OR."""
    words = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR ").replace(" WITH ", "+WITH+"))

    def either():
        holds = both()
        while words and words[0] == "OR":
            words.pop(0)
            holds = both() or holds
        return holds

    def both():
        holds = single()
        while words and words[0] == "AND":
            words.pop(0)
            holds = single() and holds
        return holds

    def single():
        word = words.pop(0)
        if word != "(":
            return word in allowed
        holds = either()
        words.pop(0)
        return holds

    return either()


def as_deny_has_it():
    """(licences that anybody may have, {crate: further ones})."""
    said = tomllib.loads((queries.ROOT / "deny.toml").read_text())["licenses"]
    return set(said["allow"]), {one["crate"]: set(one["allow"]) for one in said["exceptions"]}


def is_text(expression):
    """One way to write it: `MIT/Apache-2.0` is `MIT OR Apache-2.0`, and what is a choice is in order."""
    expression = re.sub(r"\s*/\s*", " OR ", expression)
    return " OR ".join(sorted(expression.split(" OR "))) if "AND" not in expression else expression


def table(packages):
    by_licence = collections.defaultdict(set)
    for one in packages:
        by_licence[is_text(one["license"])].add(one["name"])
    rows = ["| licence | crates |", "|---|---|"]
    for licence, names in sorted(by_licence.items(), key=lambda row: (-len(row[1]), row[0])):
        rows.append(f"| {licence} | {', '.join(sorted(names))} |")
    manifest = tomllib.loads((queries.ROOT / "models" / "manifest.toml").read_text())
    rows += ["", "| network or library | licence | from |", "|---|---|---|"]
    for one in [*manifest.get("model", []), *manifest.get("library", [])]:
        rows.append(f"| {one['name']} | {one['licence']} | {one['source']} |")
    return "\n".join(rows)


def refused(packages):
    allowed, exceptions = as_deny_has_it()
    for one in sorted(packages, key=lambda one: one["name"]):
        if not one["license"]:
            yield f"{one['name']} {one['version']} names no licence"
        elif not is_allowed(one["license"], allowed | exceptions.get(one["name"], set())):
            yield f"{one['name']} {one['version']}: {one['license']} is not among the licences of deny.toml"
    manifest = tomllib.loads((queries.ROOT / "models" / "manifest.toml").read_text())
    for one in [*manifest.get("model", []), *manifest.get("library", [])]:
        if not is_allowed(one["licence"], allowed):
            yield f"models/manifest.toml, {one['name']}: {one['licence']} is not among the licences of deny.toml"


def main():
    packages = shipped()
    problems = list(refused(packages))
    before, _, rest = PAGE.read_text().partition(BEGIN)
    text = f"{before}{BEGIN}\n\n{table(packages)}\n\n{END}{rest.partition(END)[2]}"
    if "--write" in sys.argv:
        PAGE.write_text(text)
    elif text != PAGE.read_text():
        problems.append("docs/LICENCES.md is not what the dependency graph says: run make licences")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"licences: {len(packages)} crates, {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
