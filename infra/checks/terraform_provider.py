"""A Terraform provider that knows a provider's schema and nothing else: terraform_provider.py SCHEMA.json.gz

Enough for `terraform validate`, and for `terraform test` with mock_provider. It never calls anybody. It speaks plugin protocol 5
(tfplugin5.proto of hashicorp/terraform); the few messages that it sends are encoded here, by hand.
"""
import gzip
import json
import os
import sys
import tempfile
import threading
from concurrent import futures

import grpc

NESTING = {"single": 1, "list": 2, "set": 3, "map": 4}


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def number(field, value):
    """A field with a number; nothing for 0, as the protocol has it."""
    return varint(field << 3) + varint(int(value)) if value else b""


def piece(field, value):
    """A field with text, bytes or a message."""
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def attribute(name, about):
    flags = zip((4, 5, 6, 7), ("required", "optional", "computed", "sensitive"))
    said = b"".join(number(field, about.get(flag, False)) for field, flag in flags)
    return piece(1, name) + piece(2, json.dumps(about["type"])) + said


def nested(name, about):
    bounds = number(4, about.get("min_items", 0)) + number(5, about.get("max_items", 0))
    return piece(1, name) + piece(2, block(about["block"])) + number(3, NESTING[about["nesting_mode"]]) + bounds


def block(about):
    attributes = b"".join(piece(2, attribute(*one)) for one in about["attributes"].items())
    return attributes + b"".join(piece(3, nested(*one)) for one in about["block_types"].items())


def schema(about):
    return number(1, about["version"]) + piece(2, block(about["block"]))


def provider_schema(path):
    """GetProviderSchema.Response of the one provider in a file as `terraform providers schema -json` writes it."""
    with gzip.open(path) as file:
        (about,) = json.load(file)["provider_schemas"].values()
    entries = [piece(1, schema(about["provider"]))]
    for field, of in ((2, "resource_schemas"), (3, "data_source_schemas")):
        entries += [piece(field, piece(1, name) + piece(2, schema(one))) for name, one in about[of].items()]
    return b"".join(entries)


def main(path):
    described = provider_schema(path)
    over = threading.Event()

    def ends(*_):
        over.set()
        return b""

    nothing = lambda *_: b""
    calls = {
        "tfplugin5.Provider": {
            "GetSchema": lambda *_: described,
            # The configuration as it came: request and response have it in the same field.
            "PrepareProviderConfig": lambda request, _: request,
            "ValidateResourceTypeConfig": nothing,
            "ValidateDataSourceConfig": nothing,
            "Configure": nothing,
            "Stop": ends,
        },
        "plugin.GRPCController": {"Shutdown": ends},
    }
    server = grpc.server(futures.ThreadPoolExecutor(4))
    for service, methods in calls.items():
        handlers = {name: grpc.unary_unary_rpc_method_handler(call) for name, call in methods.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    with tempfile.TemporaryDirectory(prefix="terraform-provider-") as folder:
        socket = f"{folder}/socket"
        server.add_insecure_port(f"unix:{socket}")
        server.start()
        print(f"1|5|unix|{socket}|grpc|", flush=True)
        over.wait()
        server.stop(grace=0.2).wait()


if __name__ == "__main__":
    if os.environ.get("TF_PLUGIN_MAGIC_COOKIE") is None:
        sys.exit("this is a plugin: Terraform starts it")
    main(sys.argv[1])
