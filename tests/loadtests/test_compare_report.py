"""What a comparison leaves behind."""

import json
import re
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from results_sample import ENVIRONMENT, case, sample

from poolware_compare import regression
from poolware_compare.comparison import Collected
from poolware_compare.driver.order import Load
from poolware_compare.errors import ComparisonError
from poolware_compare.plan import Plan
from poolware_compare.report import gain_map, html, markdown, table
from poolware_compare.results import summarise
from poolware_compare.soak import Sample, SoakResult


class Balanced(HTMLParser):
    """Fails unless every element is closed."""

    VOID = ("meta", "link", "br")

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_gain_is_stated_with_its_interval():
    results = sample()
    (row,) = table.rows(results, "starlette")
    assert row[0] == "context:plain"
    assert re.fullmatch(r"2\.00 \[\d\.\d\d, \d\.\d\d\]", row[3])
    assert row[-1] == "gain"
    assert "| context:plain |" in markdown.page(results)


def test_nothing_is_claimed_where_equal_servers_differ():
    results = sample(equal=1.2)
    assert not results.controls["starlette"].contains_one
    assert results.cases[0].verdicts == {"on": "no claim"}
    assert "nothing is claimed" in table.text(results)


def test_page_holds_everything_and_refers_to_nothing():
    """One file: no script, style, picture or font from elsewhere; what is not ours is escaped."""
    soak = SoakResult(
        "starlette", "uvicorn", "endings", "on", 20.0, samples=[Sample(n, 50.0, 1, 0, 3) for n in range(20)]
    )
    page = html.page(replace(sample(), partial=True, soak=soak), ["worse than before"])
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    assert "a &lt;CPU&gt;" in page
    for part in (
        *("Throughput", "Latency", "Against the earlier run", "Everything measured", "PARTIAL"),
        *("quarantined", "flat"),
    ):
        assert part in page


def test_partial_results_say_so():
    assert "PARTIAL" in table.text(replace(sample(), partial=True))


def test_what_was_interrupted_before_the_first_round_can_be_written():
    plan = Plan(cases=[case()], load=Load(16, 0.25), rounds=8)
    results = summarise(plan, Collected(cases=[(case(), [])]), ENVIRONMENT, partial=True, object_us={})
    assert results.cases == []
    assert "Environment" in html.page(results)
    assert markdown.page(results)


def test_pools_that_nobody_used_are_left_out():
    assert list(sample().cases[0].arms["on"].pools) == ["used"]


def test_overload_is_said():
    results = sample(late=50, driver_busy=0.9)
    results.settings["rate"] = 1000.0
    warnings = "\n".join(table.warnings(results))
    assert "left late" in warnings
    assert "load generator was busy for 90%" in warnings


def mapped(gains):
    """Points of a gain map: {kind: (cost, gain)}."""
    one = sample().cases[0]
    cases = [
        replace(sample({"plain": 100.0 * gain, "on": 100.0}).cases[0], scenario=f"objects:{kind}", object_us=cost)
        for kind, (cost, gain) in gains.items()
    ]
    return replace(sample(), cases=[*cases, one])


def test_break_even_is_the_cheapest_from_which_on_all_gain():
    points = gain_map.points(
        mapped(
            {"dear": (900.0, 4.0), "cheap": (0.1, 1.0), "lucky": (0.2, 1.5), "middle": (5.0, 1.0), "fair": (20.0, 1.3)}
        )
    )
    assert [point.name for point in points] == ["cheap", "lucky", "middle", "fair", "dear"]
    assert gain_map.break_even_us(points) == 20.0
    assert "break-even" in gain_map.draw(points)


def written(results, path):
    results.write(path)
    return regression.read(path)


def test_results_can_be_compared_with_later_ones(tmp_path):
    old = written(sample(), tmp_path / "old.json")
    words = {change.arm: change.word for change in regression.changes(old, sample({"plain": 100.0, "on": 60.0}))}
    assert words["on"] == "worse"
    words = {change.arm: change.word for change in regression.changes(old, sample({"plain": 50.0, "on": 25.0}))}
    assert words["on"] == "no difference", "a quicker machine is no gain"
    (change,) = (
        each for each in regression.changes(old, sample({"plain": 100.0, "on": 60.0}, equal=1.2)) if each.arm == "on"
    )
    assert change.word == "no claim", "equal servers came out different"


def test_last_arm_that_loses_is_a_regression():
    assert regression.losses(sample()) == []
    assert regression.losses(sample({"plain": 100.0, "on": 130.0})) == [
        "starlette context:plain on uvicorn: on is a loss against plain"
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema": 1}', '{"other": 1}', '{"schema": 2}', '{"schema": 2, "controls": {}, "cases": [3]}']
)
def test_other_files_are_refused(text, tmp_path):
    path = tmp_path / "old.json"
    path.write_text(text)
    with pytest.raises(ComparisonError, match=r"old\.json"):
        regression.read(path)


def test_results_without_numbers_are_refused(tmp_path):
    path = tmp_path / "old.json"
    sample().write(path)
    path.write_text(path.read_text().replace('"low": ', '"low": NaN, "was": '))
    with pytest.raises(ComparisonError, match=r"old\.json"):
        regression.read(path)


def test_names_are_no_formulas():
    """A file or a branch may be named so."""
    results = sample()
    results = replace(results, cases=[replace(results.cases[0], scenario=r"$\wrong$<b>")])
    assert r"$\wrong$&lt;b&gt;" in html.page(results)


def test_json_is_what_the_docs_say(tmp_path):
    """Every field of the file is named in the schema of docs/load-tests.md."""
    docs = (Path(__file__).parents[2] / "docs" / "load-tests.md").read_text()
    soak = SoakResult("starlette", "uvicorn", "endings", "on", 20.0, samples=[Sample(1, 50.0, 1, 0, 3)])
    data = json.loads(json.dumps(asdict(replace(sample(), soak=soak))))
    data["settings"]["variables"] = data["environment"]["packages"] = data["settings"]["apps"] = {}
    names = set()

    def walk(value):
        if isinstance(value, list):
            for each in value:
                walk(each)
        elif isinstance(value, dict):
            for name, each in value.items():
                names.add(name)
                walk(each)

    for each in data["cases"]:
        for part in ("arms", "ratios", "verdicts"):
            each[part] = list(each[part].values())
        for arm in each["arms"]:
            arm["pools"] = arm["latency_ms"] = None
    data["controls"] = list(data["controls"].values())
    walk(data)
    missing = {name for name in names if f"`{name}`" not in docs}
    assert not missing
