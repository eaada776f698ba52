"""Every setting that deployment files name exists: MOUTHPIECE_SECTION__KEY and section.key against src/config/default.toml."""
import re
import sys
import tomllib

import queries

FOLDERS = ("docker", "infra", "terraform", "docs")
ENDINGS = {".tf", ".tftpl", ".hcl", ".yml", ".yaml", ".toml", ".md", ".sh", ".env", ".example", ".tfvars", ".py", ""}
VARIABLE = re.compile(r"\bMOUTHPIECE_([A-Z0-9]+)__([A-Z0-9_]+)\b")
IN_TEXT = re.compile(r"`([a-z0-9]+)\.([a-z0-9_]+)`")


def known():
    settings = tomllib.loads((queries.ROOT / "src" / "config" / "default.toml").read_text())
    return {(section, key) for section, keys in settings.items() if isinstance(keys, dict) for key in keys}


def files():
    for folder in FOLDERS:
        for path in sorted((queries.ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in ENDINGS and not {"adr", "checks", "prebuilt"} & set(path.parts):
                yield path


def problems():
    settings = known()
    sections = {section for section, _ in settings}
    for path in files():
        for number, line in enumerate(path.read_text().splitlines(), 1):
            named = [(a.lower(), b.lower()) for a, b in VARIABLE.findall(line)]
            if path.suffix == ".md":
                named += [pair for pair in IN_TEXT.findall(line) if pair[0] in sections and pair[1] not in ("rs", "example")]
            for section, key in named:
                # docs speak of SECTION__KEY in general.
                if (section, key) not in settings and (section, key) != ("section", "key"):
                    yield f"{path.relative_to(queries.ROOT)}:{number}: there is no setting {section}.{key}"


def main():
    found = list(problems())
    for problem in found:
        print(problem, file=sys.stderr)
    print(f"settings: {len(known())} known, {len(found)} that are not are named")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
