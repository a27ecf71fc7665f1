"""``poolware doctor``."""

from __future__ import annotations

import sys

import click

from poolware.cli.checks import Finding, examine
from poolware.cli.output import print_json, print_table
from poolware.cli.parameters import as_json

__all__ = ["doctor"]


@click.command()
@as_json
def doctor(*, json_: bool) -> None:
    """Say which Python, core, mode, integrations and servers there are, what is misconfigured, and how to mend it.

    Exit status 1 says that something works against poolware here; hints alone leave it at 0.
    """
    findings = list(examine())
    if json_:
        print_json({"healthy": not any(map(_is_wrong, findings)), "findings": findings})
    else:
        print_table(
            ("", "", "found", "what to do"),
            ((finding.verdict, finding.what, finding.found, finding.mend) for finding in findings),
        )
    sys.exit(1 if any(map(_is_wrong, findings)) else 0)


def _is_wrong(finding: Finding) -> bool:
    return finding.verdict == "wrong"
