"""Asks an application everything, in each arm in a process of its own: `asking.py FRAMEWORK MODULE NAME`."""

import hashlib
import importlib
import json
import os
import sys

import zstandard

from poolware_compare.apps import answers, kits, objects
from poolware_compare.apps.connections import sqlite_file

BODY = b"x" * 70_000
CART = {3: 1, 17: 2}


def client_of(framework, app):
    """A function (method, path, body) -> (status, content)."""
    if framework in {"starlette", "fastapi"}:
        from starlette.testclient import TestClient

        client = TestClient(app)

        def ask(method, path, body=None):
            response = client.request(method, path, content=body)
            return response.status_code, response.content
    else:
        from werkzeug.test import Client

        client = Client(app)

        def ask(method, path, body=None):
            response = client.open(path, method=method, data=body)
            return response.status_code, response.get_data()

    return ask


def json_lines(content):
    return [json.loads(line) for line in zstandard.ZstdDecompressor().decompressobj().decompress(content).splitlines()]


def feed(content):
    return json.loads(zstandard.ZstdDecompressor().decompressobj().decompress(content))


def questions():
    """(method, path, body, what to do with the content, the right answer); a number is a status."""
    receipt = answers.csv_text(answers.RECEIPT_HEAD, answers.receipt_rows(CART)).encode()
    export = answers.csv_text(answers.EXPORT_HEAD, answers.export_rows(5000)).encode()
    cart = json.dumps({"cart": CART}).encode()
    yield "GET", "/scratch/4096/100?hold=1", None, bytes.decode, answers.scratched(100)
    yield "GET", "/scratch/4096/4096", None, bytes.decode, answers.scratched(4096)
    yield "GET", "/scratch/1/2", None, None, 400
    yield "GET", "/compressed", None, feed, {"items": answers.ITEMS}
    yield "GET", "/sqlite/17", None, json.loads, answers.product(17)
    yield "POST", "/upload", BODY, json.loads, {"size": len(BODY), "sha256": hashlib.sha256(BODY).hexdigest()}
    yield "GET", "/export/5000", None, bytes, export
    yield "GET", "/export/0", None, None, 400
    yield "GET", "/shop/2", None, json_lines, answers.page(2)
    yield "GET", "/shop/99", None, None, 400
    yield "GET", "/shop/search?q=lazy", None, json.loads, answers.found("lazy")
    yield "POST", "/shop/cart?user=ada", cart, json.loads, {"user": "ada", "cart": {"3": 1, "17": 2}}
    yield "POST", "/shop/cart", b"{", None, 400
    yield "POST", "/shop/checkout", cart, bytes, receipt
    for kind in objects.KINDS:
        yield "GET", f"/objects/{kind}", None, bytes.decode, "used"
    yield "GET", "/objects/wrong", None, None, 400


def wrong(ask):
    """Everything is asked twice: the second time, what was reused answers."""
    found = []
    for method, path, body, read, right in [*questions(), *questions()]:
        status, content = ask(method, path, body)
        answer = status if read is None else read(content) if status == 200 else status
        if answer != right:
            found.append([method, path, status, repr(content[:200])])
    profile = json.loads(ask("GET", "/context?user=ada")[1])
    if (profile["user"], profile["tenant"], profile["roles"]) != ("ada", "acme", ["reader"]):
        found.append(profile)
    return found


def main():
    framework, module, name = sys.argv[1:]
    sqlite_file()
    for kit in ("plain", "by_hand", "pooled"):
        sys.stdout.flush()
        child = os.fork()
        if not child:
            os.environ[kits.VARIABLE] = kit
            app = getattr(importlib.import_module(f"poolware_compare.apps.{module}"), name)
            sys.stdout.write(json.dumps({"kit": kit, "wrong": wrong(client_of(framework, app))}) + "\n")
            sys.stdout.flush()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            sys.exit(1)


main()
