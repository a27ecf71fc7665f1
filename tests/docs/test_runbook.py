"""docs/runbook.md has an entry for every alert, every error and every line of the log from warning on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from poolware import errors
from poolware.observe.rules import RULES, prometheus_rules

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "runbook.md").read_text()
LEVELS = {"warning", "error", "exception"}
LOG = PAGE[PAGE.index("\n## Lines in the log\n") :]
ENTRIES = {line for _, line in re.findall(r"^\| (`+)(.+?)\1 \|", LOG, flags=re.MULTILINE)}
NODES = [
    node
    for folder in (ROOT / "src", *ROOT.glob("integrations/*/src"))
    for path in folder.rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text()))
]


def as_entry(text: str) -> str:
    """What is filled in becomes …, and a line break nothing."""
    return re.sub(r"%[.\d]*[a-z]", "…", text.replace("\n", ""))


def logged() -> Iterator[str]:
    for node in NODES:
        match node:
            case ast.Call(
                ast.Attribute(ast.Name("logger"), "warning" | "error" | "exception"), [ast.Constant(text), *_]
            ):
                yield as_entry(text)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_alert_says_what_is_seen_why_and_what_to_do(rule):
    (entry,) = re.findall(rf"^### {rule.name}\n\n(.*?)(?=^##)", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^- \*\*(\w+)\*\*: ", entry, flags=re.MULTILINE) == ["Seen", "Causes", "Do"]


def test_links_of_prometheus_lead_to_headings():
    links = re.findall(r'runbook_url: "runbook.md#(\w+)"', prometheus_rules(runbook="runbook.md"))
    headings = re.findall(r"^### (Poolware\w+)$", PAGE, flags=re.MULTILINE)
    assert links == [heading.lower() for heading in headings]
    assert len(links) == len(RULES)


def test_every_error_has_an_entry():
    assert set(errors.__all__) - set(re.findall(r"`(\w+)`", PAGE)) == set()


def test_every_line_of_the_log_has_an_entry():
    lines = set(logged()) - {"…"}
    assert len(lines) > 30
    assert lines - ENTRIES == set()


def test_every_entry_is_a_line_that_is_logged():
    constants = (node.value for node in NODES if isinstance(node, ast.Constant) and isinstance(node.value, str))
    assert ENTRIES - set(map(as_entry, constants)) == set()
