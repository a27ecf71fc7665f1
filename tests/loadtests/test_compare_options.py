"""The command line: bad input is refused before anything runs, with the option's name and what it takes."""

import sys

import click
import pytest
from click.testing import CliRunner
from results_sample import sample

from poolware_compare import cli, interruption
from poolware_compare.arms import APPS
from poolware_compare.cli import compare
from poolware_compare.planning import Options, checked, planned
from poolware_compare.revisions import checked_out

DEFAULTS = {
    "app": "starlette", "locustfile": None, "tags": None, "server": None, "scenario": None, "arms": None,
    "revisions": None, "rounds": 8, "seconds": None, "users": 16, "rate": None, "shape": "constant", "width": None,
    "time_limit": 60.0, "processes": 1, "workers": 1, "network": "loopback",
}  # fmt: skip


def options(**given) -> Options:
    return checked({**DEFAULTS, **given})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--app shop", "it takes starlette, fastapi, flask, django"),
        ("--app shop: --locustfile x.py", "module:app"),
        ("--app starlette,shop:app --locustfile x.py", "module:app"),
        ("--app shop:app..x --locustfile x.py", "module:app"),
        ("--app shop:app", "needs --locustfile"),
        ("--app shop:app --locustfile nowhere.py", "there is no file 'nowhere.py'"),
        (f"--app shop:app --locustfile {__file__} --arms plain,on", "off and on"),
        ("--app shop:app --locustfile x.py --scenario context", "--scenario is for"),
        ("--app flask --server uvicorn", "gunicorn-gthread"),
        ("--app starlette --server gunicorn-sync", "uvicorn"),
        ("--app flask --scenario broadcast", "none of these scenarios"),
        ("--locustfile x.py", "your own application"),
        ("--scenario wrong", "it takes all, demo"),
        ("--scenario ,", "at least one scenario"),
        ("--arms on", "at least two"),
        ("--arms on,wrong", "it takes plain"),
        ("--arms plain,on --revisions a,b", "one of them"),
        ("--revisions a", "at least 2"),
        ("--server apache", "uvicorn"),
        ("--shape wave", "spike"),
        ("--rounds 1", "2<=x"),
        ("--seconds nan", "range"),
        ("--rate 0", "0.1<=x"),
        ("--width 0", "0.1<=x"),
        ("--processes 0", "1<=x"),
        ("--network moon", "namespace"),
    ],
)
def test_bad_input(arguments, said):
    result = CliRunner().invoke(compare, arguments.split())
    assert result.exit_code == 2, result.output
    assert said in result.output


def test_results_to_compare_with_are_read_before_anything_runs(tmp_path):
    result = CliRunner().invoke(compare, ["--compare-to", str(tmp_path / "old.json")])
    assert result.exit_code == 2
    assert "old.json" in result.output


def test_results_of_something_else_are_refused_before_anything_runs(tmp_path):
    """A gate that has nothing to compare with would always be open."""
    sample().write(tmp_path / "old.json")
    arguments = ["--scenario", "sqlite", "--arms", "plain,on", "--out", str(tmp_path), "--compare-to"]
    result = CliRunner().invoke(compare, [*arguments, str(tmp_path / "old.json")])
    assert result.exit_code == 2
    assert "none of the cases" in result.output


def test_directory_that_takes_no_files_is_refused_before_anything_runs():
    result = CliRunner().invoke(compare, ["--out", "/proc/self"])
    assert result.exit_code == 2
    assert "--out" in result.output


def test_report_that_cannot_be_written_is_still_told(tmp_path, monkeypatch):
    """As on a full disk: the figures are on the terminal, and the error says which file it was."""
    (tmp_path / "results.json").symlink_to("/dev/full")
    monkeypatch.setattr(cli, "compared", lambda _: (sample(), None))
    result = CliRunner().invoke(compare, ["--scenario", "sqlite", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "could not be written" in result.output
    assert "context:plain" in result.output


def test_only_the_first_signal_interrupts():
    import os
    import signal

    with interruption.heard():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)


def test_each_app_is_recorded_with_its_own_path():
    with planned(options(app="starlette,flask,flask")) as plan:
        apps = plan.settings()["apps"]
    assert apps == {"starlette": APPS["starlette"].path, "flask": APPS["flask"].path}


def test_directory_that_cannot_be_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "file").touch()
    result = CliRunner().invoke(compare, ["--out", str(tmp_path / "file" / "out")])
    assert result.exit_code == 2
    assert "--out" in result.output


def test_first_arm_is_the_baseline():
    from poolware_compare.scenarios import named

    with planned(options(arms=["on", "plain"], scenario=list(named("context:plain")))) as plan:
        assert plan.cases[0].baseline == "on"


def test_websockets_are_left_out_where_there_are_none():
    from poolware_compare.scenarios import named

    with planned(options(app="starlette,flask", scenario=list(named("all")))) as plan:
        titles = [case.title for case in plan.cases]
    assert "starlette broadcast" in titles
    assert "flask broadcast" not in titles


def test_soak_has_one_case_with_all_endings():
    with planned(options(shape="soak")) as plan:
        (case,) = plan.cases
    assert case.scenario.name == "endings"
    assert [arm.name for arm in case.arms] == ["on"]
    assert (plan.load.rate, plan.load.seconds) == (100.0, 600.0)


def test_revisions_have_working_trees_of_their_own(tmp_path, monkeypatch):
    """Each arm is served from its revision; nothing of it is left afterwards."""
    import subprocess
    from pathlib import Path

    def git(*arguments):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    git("init", "--quiet")
    for text in ("one", "two"):
        (tmp_path / "shop.py").write_text(text)
        git("add", "shop.py")
        git("commit", "--quiet", "--message", text)
    monkeypatch.chdir(tmp_path)
    with checked_out("shop:app", ["HEAD~1", "HEAD"]) as (old, new):
        assert [Path(arm.directory, "shop.py").read_text() for arm in (old, new)] == ["one", "two"]
    assert len(git("worktree", "list").splitlines()) == 1
    assert not Path(old.directory).exists()
    with pytest.raises(click.UsageError, match="no revision 'HEAD~2'"), checked_out("shop:app", ["HEAD~2"]):
        pass
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path / "new")
    with pytest.raises(click.UsageError, match="HEAD has no directory 'new'"), checked_out("shop:app", ["HEAD"]):
        pass


def test_help_needs_neither_locust_nor_matplotlib():
    """It is asked for by whoever lists the commands, and must not take a second, or patch the process."""
    assert CliRunner().invoke(compare, ["--help"]).exit_code == 0
    import subprocess

    program = "import sys, poolware_compare.cli; print(*{'locust', 'gevent', 'matplotlib'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == ""
