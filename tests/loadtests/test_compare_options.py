"""The command line: bad input is refused before anything runs, with the option's name and what it takes."""

import sys

import pytest
from click.testing import CliRunner

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
    assert result.exit_code == 1
    assert "old.json" in result.output


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


def test_help_needs_neither_locust_nor_matplotlib():
    """It is asked for by whoever lists the commands, and must not take a second, or patch the process."""
    assert CliRunner().invoke(compare, ["--help"]).exit_code == 0
    import subprocess

    program = "import sys, poolware_compare.cli; print(*{'locust', 'gevent', 'matplotlib'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == ""
