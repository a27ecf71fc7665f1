"""poolware audit, describe and doctor, and how commands are found."""

import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints

import click
import pytest
from conftest import ROOT

import poolware
from poolware.cli import checks, group
from poolware.pools.objects import REUSE_REFUSED

BUILT_IN = ["audit", "describe", "doctor", "measure", "size"]


def test_an_app_without_faults_is_isolated(run, run_json):
    found = run_json("audit cli_apps:works --requests 50 --method POST", "--header", "a: b")
    assert found["isolated"] is True
    assert found["requests"] == found["arrivals"] == 50
    assert found["answers"]["200"] == 50
    assert "isolated: 50 requests" in run("audit cli_apps:works --requests 50").stdout


@pytest.mark.skipif(REUSE_REFUSED is not None, reason="nothing is reused on this interpreter")
def test_a_finding_is_exit_status_1(run, run_json):
    found = run_json("audit cli_apps:dirty --requests 50", status=1)
    assert found["isolated"] is False
    assert any("Dirty.basket arrived with what another request wrote" in line for line in found["findings"])
    result = run("audit cli_apps:dirty --requests 50")
    assert result.exit_code == 1
    assert "Dirty.basket arrived with" in result.stdout


def test_an_app_without_poolware_is_a_finding(run):
    result = run("audit cli_apps:answer --requests 5")
    assert result.exit_code == 1
    assert "is poolware's middleware installed in this app?" in result.stdout


def test_fields(run, run_json):
    rows = {row["name"]: row for row in run_json("describe planted:Visitor")}
    assert rows["basket"]["resets"] == "emptied"
    assert rows["email"]["sensitive"] is True
    said = run("describe planted:Visitor").stdout
    assert any(line.split() == ["basket", "dict[str,", "int]", "dict()", "emptied"] for line in said.splitlines())
    assert "sensitive" in said


def found_by_doctor(**environment):
    result = subprocess.run(
        [sys.executable, "-m", "poolware", "doctor", "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("POOLWARE_")} | environment,
    )
    assert result.stderr == ""
    findings = json.loads(result.stdout)
    return result.returncode, {finding["what"]: finding for finding in findings["findings"]}


@pytest.mark.skipif(REUSE_REFUSED is not None, reason="nothing is reused on this interpreter")
def test_a_healthy_installation():
    status, found = found_by_doctor()
    assert status == 0
    assert {"Python", "poolware", "core", "reuse", "mode", "starlette", "flask", "django", "servers"} <= {*found}
    assert poolware.__version__ in found["poolware"]["found"]
    assert "uvicorn" in found["servers"]["found"]


@pytest.mark.parametrize("mode", ["off", "debug"])
def test_a_mode_without_reuse_is_wrong(mode):
    status, found = found_by_doctor(POOLWARE_MODE=mode)
    assert status == 1
    assert found["mode"]["verdict"] == "wrong"
    assert "unset POOLWARE_MODE" in found["mode"]["mend"]


def test_the_plain_core_is_a_hint():
    status, found = found_by_doctor(POOLWARE_CORE="python", PYTHONMALLOC="malloc")
    assert status == (1 if REUSE_REFUSED else 0)
    assert found["core"]["mend"] == "unset POOLWARE_CORE"
    assert found["PYTHONMALLOC"]["verdict"] == "hint"


def versions(monkeypatch, **installed):
    names = {name.replace("_", "-"): number for name, number in installed.items()}
    monkeypatch.setattr(checks, "_installed", names.get)
    return {finding.what: finding for finding in checks.examine()}


def test_an_integration_of_another_version_is_wrong(monkeypatch):
    found = versions(monkeypatch, poolware=poolware.__version__, flask="3.1", flask_poolware="0.0.9")
    assert found["flask"].verdict == "wrong"
    assert found["flask"].mend == f"pip install 'flask-poolware=={poolware.__version__}'"


def test_a_framework_without_its_integration_is_a_hint(monkeypatch):
    found = versions(monkeypatch, poolware=poolware.__version__, django="5.2")
    assert found["django"].verdict == "hint"
    assert found["django"].mend.startswith("pip install django-poolware")
    assert "flask" not in found


def test_an_integration_without_its_framework_is_wrong(monkeypatch):
    assert versions(monkeypatch, starlette_poolware="0.1.0")["starlette"].verdict == "wrong"


def test_other_code_than_was_installed_is_wrong(monkeypatch):
    assert "PYTHONPATH" in versions(monkeypatch, poolware="0.0.1")["poolware"].mend


def test_nothing_else_installed(monkeypatch):
    found = versions(monkeypatch)
    assert found["poolware"].verdict == found["servers"].verdict == "hint"
    assert found["simulate"].mend == "pip install 'poolware[simulate]'"


def test_uvicorn_without_its_speedups_is_a_hint(monkeypatch):
    assert versions(monkeypatch, uvicorn="0.54", httptools="0.9")["uvicorn"].found == "without uvloop"


def test_the_plain_core_names_the_compiler(monkeypatch):
    monkeypatch.setattr(checks, "CORE", "python")
    monkeypatch.delenv("POOLWARE_CORE", raising=False)
    monkeypatch.setattr(checks.shutil, "which", lambda name: f"/bin/{name}")
    assert "though /bin/cc is there" in checks._core().found
    monkeypatch.setattr(checks.shutil, "which", lambda _name: None)
    assert "no C compiler was found" in checks._core().found


def test_refused_reuse_is_wrong(monkeypatch):
    monkeypatch.setattr(checks, "REUSE_REFUSED", "a free-threaded interpreter's counts are split")
    assert checks._reuse().verdict == "wrong"
    assert "free-threaded" in checks._reuse().found


@click.command()
def compare():
    """Compare something."""
    click.echo("compared")


def test_another_distribution_adds_a_command(run, monkeypatch):
    """Through an entry point of the group poolware.commands; it does not replace a built-in one."""
    points = EntryPoints(
        EntryPoint(name, f"{__name__}:{target}", group.PLUGINS)
        for name, target in (("compare", "compare"), ("doctor", "compare"), ("broken", "BUILT_IN"))
    )
    monkeypatch.setattr(group, "entry_points", points.select)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    assert run("compare").stdout == "compared\n"
    assert "compare" in run("--help").stdout
    assert "compared" not in run("doctor").stdout
    assert run("broken").exit_code == 2


@pytest.mark.parametrize("command", ["", *BUILT_IN])
def test_help_has_examples(command, run):
    result = run(command, "--help")
    assert result.exit_code == 0
    if command not in {"", "doctor"}:
        assert f"poolware {command} " in result.stdout
    if not command:
        assert all(f"  {name} " in result.stdout for name in BUILT_IN)
        assert "Exit status" in result.stdout


def test_version(run):
    assert run("--version").stdout == f"poolware {poolware.__version__}\n"
