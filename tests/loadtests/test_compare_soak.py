"""What makes a soak fail."""

import pytest

from poolware_compare.soak import Sample, SoakResult, findings


def soaked(**series):
    """A soak of 40 samples; a series is a function of the moment from 0 to 1."""
    figures = {"rss_mib": lambda at: 100.0, "in_use": lambda at: 4, "quarantined": lambda at: 8, **series}
    samples = [Sample(n, idle=0, **{name: figure(n / 40) for name, figure in figures.items()}) for n in range(40)]
    return SoakResult("app", "server", "endings", "on", 40.0, samples=samples)


def test_flat_is_flat():
    assert findings(soaked()) == []


def test_growth_in_the_beginning_is_no_leak():
    assert findings(soaked(rss_mib=lambda at: 100 + 50 * min(at * 4, 1))) == []


@pytest.mark.parametrize(
    ("figure", "course"),
    [
        ("rss_mib", lambda at: 100 + 20 * at),
        ("in_use", lambda at: round(100 * at)),
        ("quarantined", lambda at: round(50 * at)),
    ],
)
def test_what_grows_is_found(figure, course):
    (found,) = findings(soaked(**{figure: course}))
    assert found.startswith(f"{figure} grew")


def test_what_never_comes_back_is_found():
    result = soaked()
    result.in_use_after = 3
    assert "3 objects were still in use" in findings(result)[0]


def test_too_short_is_not_flat():
    result = soaked()
    del result.samples[5:]
    assert findings(result) == ["it was too short to tell"]
