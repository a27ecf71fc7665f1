"""Import paths."""

import pytest

from poolware import ImportPathError
from poolware.sizing.targets import load, load_function


def test_a_path_leads_to_what_it_names(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop_of_test.py").write_text("class Shop:\n    class Basket: pass\n")
    assert load("shop_of_test:Shop.Basket").__qualname__ == "Shop.Basket"


def test_a_method_is_called_on_the_object():
    numbers = [1]
    load_function(".clear")(numbers)
    assert numbers == []
    assert load_function("math:sqrt")(4) == 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "it takes module:name"),
        ("math", "it takes module:name"),
        ("math:", "it takes module:name"),
        (":sqrt", "it takes module:name"),
        (".relative:name", "it takes module:name"),
        ("no_such_module_here:x", "there is no module 'no_such_module_here'"),
        ("math.sqrt:x", "there is no module"),
        ("math:nothing", "math has no nothing"),
        ("math:sqrt.nothing", "math has no sqrt.nothing"),
        ("math:☃", "math has no ☃"),
        ("bad_of_test:x", "importing bad_of_test failed: ZeroDivisionError"),
        ("syntax_of_test:x", "importing syntax_of_test failed: SyntaxError"),
        ("leaving_of_test:x", "importing leaving_of_test failed: SystemExit: 0"),
        ("needing_of_test:x", "there is no module 'no_such_dependency'"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(path, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "bad": "1 / 0",
        "syntax": "def",
        "leaving": "raise SystemExit(0)",
        "needing": "import no_such_dependency",
    }.items():
        (tmp_path / f"{name}_of_test.py").write_text(text)
    with pytest.raises(ImportPathError, match=message):
        load(path)


@pytest.mark.parametrize(("path", "message"), [(".", "it takes module:function"), ("math:pi", "is a float")])
def test_what_is_no_function_is_refused(path, message):
    with pytest.raises(ImportPathError, match=message):
        load_function(path)
