"""Reads the schemas of Terraform providers out of their npm packages, for the stand-ins of terraform.sh.

    npm pack @cdktf/provider-aws@21.22.0 && tar xzf cdktf-provider-aws-*.tgz
    infra/checks/python.sh schemas aws package/lib

writes schemas/aws.json.gz in the form of `terraform providers schema -json`, with the resources and data sources that terraform/ uses. The
packages tell optional from required and the types, but not optional from "optional and computed", nor which values are allowed.
"""
import gzip
import json
import pathlib
import re
import sys

import queries

SCHEMAS = pathlib.Path(__file__).parent / "schemas"
SCALARS = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
TYPES = SCALARS | {f"{name}{of.title()}": [of, kind] for name, kind in SCALARS.items() if name != "any" for of in ("list", "map")}
GETTERS = {"String": "string", "Number": "number", "Boolean": "bool", "List": ["list", "string"], "NumberList": ["list", "number"]}
FIELD = re.compile(r'(\w+): \{\s*value: .*?,\s*isBlock: (\w+),\s*type: "(\w+)",\s*storageClassType: "([\w.]+)"', re.S)


def used(provider):
    """(resources, data sources) of a provider that terraform/ names."""
    text = "\n".join(path.read_text() for path in (queries.ROOT / "terraform").rglob("*.tf"))
    named = lambda kind: sorted(set(re.findall(rf'^{kind} "({provider}_\w+)"', text, re.M)))
    return named("resource"), named("data")


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


class Described:
    """One folder of the package: a resource, a data source, or the provider itself."""

    def __init__(self, folder):
        self.code = (folder / "index.js").read_text()
        types = (folder / "index.d.ts").read_text()
        bodies = re.findall(r"export interface (\w+)(?: extends [\w.]+)? \{\n(.*?)\n\}", types, re.S)
        member = re.compile(r"readonly (\w+)(\??): ((?:\{[^}]*\}|[^;{])*);")
        self.members = {name: {m[1]: (m[2] == "?", m[3]) for m in member.finditer(body)} for name, body in bodies}
        self.settings = re.search(r"export interface (\w+Config)(?: extends|\b)", types)[1]

    def fields(self, start):
        """(name, is a block, collection, type) of the attributes that are written after a place in the code."""
        found = re.compile(r"const attrs = \{(.*?)\n( *)\};", re.S).search(self.code, start)
        return FIELD.findall(found[1]) if found else []

    def nested(self, kind, collection, members, optional):
        start = self.code.find(f"function {kind[0].lower()}{kind[1:]}ToHclTerraform(")
        inner = self.block(kind, self.fields(start), False) if start >= 0 else {"attributes": {}, "block_types": {}}
        made = {"nesting_mode": "single" if collection == "struct" else collection, "block": inner}
        if collection in ("list", "set"):
            made |= {} if "[]" in members else {"max_items": 1}
            made |= {} if optional else {"min_items": 1}
        return made

    def block(self, interface, fields, is_outermost):
        made = {"attributes": {}, "block_types": {}}
        for name, is_block, collection, kind in fields:
            if name == "id" and is_outermost:
                continue
            optional, members = self.members.get(interface, {}).get(camel(name), (True, ""))
            of = TYPES.get(kind)
            if is_block == "true" or of is None:
                kind = kind if kind in self.members else re.sub(r"(List|Map)$", "", kind)
                made["block_types"][name] = self.nested(kind, collection, members, optional)
                continue
            of = [collection, of[1]] if isinstance(of, list) and collection in ("set", "list", "map") else of
            made["attributes"][name] = {"type": of, **({"optional": True, "computed": True} if optional else {"required": True})}
        return made

    def schema(self):
        made = self.block(self.settings, self.fields(self.code.rfind("synthesizeHclAttributes()")), True)
        own = self.code[self.code.rfind(" extends cdktf.Terraform") :]
        attributes = made["attributes"]
        attributes["id"] = {"type": "string", "optional": True, "computed": True}
        head = r"// (\w+) - computed: true, optional: false, required: false\n\s+"
        for name, body in re.findall(head + r"get \w+\(\) \{\s+return (.*?);", own, re.S):
            getter = re.search(r"get(\w+)Attribute\(", body)
            attributes.setdefault(name, {"type": GETTERS.get(getter[1], "dynamic") if getter else "dynamic", "computed": True})
        for name, kind in re.findall(head + r'this\._\w+ = new (\w+)\(this, "', own):
            attributes.setdefault(name, {"type": ["map", "string"] if kind.endswith("StringMap") else "dynamic", "computed": True})
        return {"version": 0, "block": made}


def of_provider(folder):
    """What the provider itself is told: nothing of it is computed."""
    made = Described(folder / "provider").schema()
    attributes = made["block"]["attributes"]
    for name in ("id", "alias"):
        attributes.pop(name, None)
    for attribute in attributes.values():
        attribute.pop("computed", None)
    return made


def main(provider, library):
    library = pathlib.Path(library)
    folder = lambda name, prefix="": library / (prefix + name.removeprefix(f"{provider}_").replace("_", "-"))
    resources, sources = used(provider)
    described = {
        "provider": of_provider(library),
        "resource_schemas": {name: Described(folder(name)).schema() for name in resources},
        "data_source_schemas": {name: Described(folder(name, f"data-{provider}-")).schema() for name in sources},
    }
    whole = {"format_version": "1.0", "provider_schemas": {f"registry.terraform.io/hashicorp/{provider}": described}}
    text = json.dumps(whole, separators=(",", ":"), sort_keys=True).encode()
    with open(SCHEMAS / f"{provider}.json.gz", "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as packed:
        packed.write(text)
    print(f"{provider}: {len(resources)} resources, {len(sources)} data sources")


if __name__ == "__main__":
    main(*sys.argv[1:])
