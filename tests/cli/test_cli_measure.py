"""poolware measure."""

import pytest

from poolware.pools.objects import REUSE_REFUSED

pytestmark = pytest.mark.skipif(REUSE_REFUSED is not None, reason="nothing is reused on this interpreter")


@pytest.fixture
def no_churn(monkeypatch):
    """As where the system does not tell; and quick."""
    monkeypatch.setattr("poolware.cli.measure.churned", lambda *_args, **_options: None)


QUICK = ("--seconds", "0.1")


def test_a_verdict_in_words(run, no_churn):
    result = run("measure planted:scratch", *QUICK)
    assert result.exit_code == 0
    assert "pool it: saves 9" in result.stdout
    assert "4 MiB" in result.stdout
    assert "nothing used the objects" in result.stdout
    assert "1 % of a core at" in result.stdout


def test_a_verdict_against_a_pool(run, no_churn):
    said = run("measure planted:Number --use builtins:id", *QUICK)
    assert "do not pool it: a fresh one is cheaper" in said.stdout
    assert "nothing used the objects" not in said.stdout
    assert "1 % of a core" not in said.stdout


def test_an_object_that_refers_to_itself(run, no_churn):
    assert "measured in a holder that a pool can prove" in run("measure planted:connection", *QUICK).stdout


def test_everything_in_json(run_json):
    found = run_json("measure planted:compressor --use planted:compress", *QUICK)
    assert found["target"] == "planted:compressor"
    assert found["measurement"]["verdict"] == "pool"
    ratio = found["measurement"]["timing"]["ratio"]
    assert ratio["low"] <= ratio["median"] <= ratio["high"] < 1
    assert found["churn"]["uses"] >= 160


def test_methods_as_use_and_reset(run_json, no_churn):
    line = "measure builtins:dict --use .copy --reset .clear"
    assert run_json(line, *QUICK)["measurement"]["timing"]["reused"] > 0.9


def test_the_lines_worth_a_pool(run, run_json, monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)
    line = "measure --find examples.findings:app --requests 10"
    found = run_json(line)
    assert {site["advice"]["kind"] for site in found["sites"][:2]} == {"pool", "keep"}
    assert found["answers"] == {"200": 25}
    said = run(line, "--path", "/?user=ada", "--top", "2").stdout
    assert "scratch memory: ctx.buffer(size)" in said
    assert "one ssl.SSLContext serves all requests" in said
    assert said.count("\n  ") == 2


def test_what_the_app_prints_does_not_spoil_the_result(run_json):
    assert run_json("measure --find cli_apps:without_lifespan --requests 1")["answers"] == {"200": 7}


def test_the_lines_of_a_wsgi_app(run_json):
    found = run_json("measure --find cli_apps:wsgi --requests 3", "--path", "POST /")
    assert found["answers"] == {"200": 11}
