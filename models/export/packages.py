#!/usr/bin/env python3
"""Says which packages of requirements.txt this Python lacks. Ends with 3 where it lacks some, with 4 where it is too old for them.

Packages of other versions are told and taken: whether the graphs are right is seen when they are compared. Nothing but Python's own
library is needed, and no newer Python than 3.8.
"""
import platform
import sys
from importlib import metadata
from pathlib import Path

LEAST = (3, 11)


def main():
    if sys.version_info < LEAST:
        print(platform.python_version())
        raise SystemExit(4)
    lines = (Path(__file__).parent / "requirements.txt").read_text().splitlines()
    missing = []
    for line in lines:
        name, _, wanted = line.partition("==")
        if not wanted or name.startswith("#"):
            continue
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(line)
            continue
        # A build for processors alone is called 2.15.0+cpu.
        if found.partition("+")[0] != wanted:
            print(f"{name} is {found}; {wanted} was tested")
    if missing:
        print(", ".join(missing))
        raise SystemExit(3)


if __name__ == "__main__":
    main()
