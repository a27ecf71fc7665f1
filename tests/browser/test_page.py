"""The live page in a real browser: what somebody sees at three in the morning."""

import os
import re

import pytest
from playwright.sync_api import expect

from poolware.observe import Share

from . import scenes
from .conftest import visit
from .seen import CONTRAST, nameless

SOON = 8000
"""Milliseconds within which a page has asked again; nothing is measured by it."""


@pytest.fixture
def say(tmp_path):
    """Have this process publish what it is told to."""
    share = Share(tmp_path / "shared")
    return lambda *pools, **more: share.publish(scenes.saying(pools, **more))


@pytest.fixture
def open_page(tab, live, say):
    """Have pools published, and open the page."""

    def opened(*pools, **more):
        say(*pools, **more)
        visit(tab, live.port)
        return tab

    return opened


def row(tab, name):
    return tab.locator("#pools > li", has=tab.locator(".name bdi", has_text=re.compile(f"^{re.escape(name)}$")))


def test_all_is_well(open_page):
    tab = open_page(scenes.pool("contexts"), scenes.pool("buffers", "buffer"))
    expect(tab.locator("h1")).to_have_text("All is well: all 2 pools are healthy.")
    expect(tab).to_have_title("All is well: all 2 pools are healthy. poolware")
    expect(tab.locator("#meta")).to_contain_text("1 worker, 2 pools.")
    expect(tab.locator("#crew li")).to_have_text([f"{os.getpid()}: heard just now"])
    expect(row(tab, "contexts").locator(".verdict")).to_have_text("Healthy: 2 in use, 6 ready, 99% reused.")
    expect(tab.locator("#find")).to_be_hidden()


def test_a_leak_and_an_exhausted_pool_are_told_in_words(open_page):
    alert = scenes.alert("PoolwareCallersWaiting", "database", "resource", 14)
    tab = open_page(scenes.pool("calm"), scenes.leak("uploads"), scenes.exhausted("database"), alerts=[alert])
    expect(tab.locator("h1")).to_have_text("1 pool is in trouble, 1 more needs a look.")
    expect(tab.locator(".name bdi")).to_have_text(["database", "uploads", "calm"])
    database, uploads = row(tab, "database"), row(tab, "uploads")
    expect(database.locator(".verdict")).to_have_text(
        "Exhausted: everything is in use, and 14 requests wait, somebody for over 15 s now."
    )
    expect(database.locator(".todo")).to_have_text("Raise max_size, or shorten how long each one is held.")
    expect(uploads.locator(".verdict")).to_have_text("A leak: 12 objects never came back, the oldest for over 3 min.")
    expect(uploads.locator(".todo")).to_contain_text("Use lease() or try/finally")


def test_an_alert_has_a_red_mark_and_says_what_to_do(open_page):
    alert = scenes.alert("PoolwareCallersWaiting", "database", "resource", 14)
    tab = open_page(scenes.pool("calm"), scenes.exhausted("database"), alerts=[alert])
    database = row(tab, "database")
    expect(database.locator(".flag")).to_have_text("▲ 1 alert")
    expect(database.locator(".flag")).to_have_css("color", "rgb(179, 38, 30)")
    expect(row(tab, "calm").locator(".flag")).to_be_hidden()
    expect(database.locator("details")).to_have_attribute("open", "")
    told = database.locator(".says .alert")
    expect(told).to_contain_text("Alert, warning: PoolwareCallersWaiting")
    expect(told).to_contain_text("Callers queue: shorten how long resources are held, or raise max_size.")


def test_it_updates_by_itself_and_loses_nobody_on_the_way(open_page, say):
    """What is open stays open, and who is on it with the keyboard stays there, although the order changes."""
    tab = open_page(scenes.pool("a"), scenes.pool("b"))
    row(tab, "b").locator("summary").focus()
    tab.keyboard.press("Enter")
    expect(row(tab, "b").locator(".tile").first).to_be_visible()
    say(scenes.pool("a", in_use=5), scenes.leak("b"), scenes.pool("new"))
    expect(tab.locator(".name bdi")).to_have_text(["b", "a", "new"], timeout=SOON)
    expect(row(tab, "b").locator("summary")).to_be_focused()
    expect(row(tab, "b").locator("details")).to_have_attribute("open", "")
    expect(row(tab, "a").locator(".verdict")).to_contain_text("5 in use")
    say(scenes.pool("a"))
    expect(tab.locator(".name bdi")).to_have_text(["a"], timeout=SOON)


def test_a_worker_that_was_killed_goes(tab, live, tmp_path):
    with scenes.workers(tmp_path / "shared", 2) as crew:
        for worker in crew:
            worker.say(scenes.pool("a"))
        visit(tab, live.port)
        expect(tab.locator("#crew li")).to_have_count(2)
        expect(row(tab, "a").locator(".verdict")).to_contain_text("4 in use")
        crew[0].kill()
        expect(tab.locator("#crew li")).to_have_text([f"{crew[1].pid}: heard just now"], timeout=SOON)
        expect(row(tab, "a").locator(".verdict")).to_contain_text("2 in use")


def test_nobody_says_anything(tab, live):
    visit(tab, live.port)
    expect(tab.locator("h1")).to_have_text("Nothing to be seen.")
    expect(tab.locator("#notes")).to_contain_text("poolware.observe.start(share=Share(), alerts=Alerts())")


def test_an_application_that_does_not_answer_is_noticed_and_its_return_too(open_page, live):
    tab = open_page(scenes.pool("a"))
    live.down()
    expect(tab.get_by_role("alert")).to_contain_text("There are no new figures: ", timeout=SOON)
    expect(tab.get_by_role("alert")).to_contain_text("What is shown is from")
    expect(row(tab, "a")).to_be_visible()
    live.up()
    expect(tab.get_by_role("alert")).to_be_hidden(timeout=SOON)
    assert all("ERR_CONNECTION_REFUSED" in complaint for complaint in tab.complaints)
    tab.complaints.clear()


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("text/html", b"<h1>Sign in</h1>", "have you been signed out?"),
        ("application/json", b'{"schema": 2}', "it is of another version now: reload this page"),
    ],
)
def test_an_answer_that_is_none_spoils_nothing(open_page, live, kind, body, said):
    def other(environ, start_response):
        start_response("200 OK", [("Content-Type", kind)])
        return [body]

    tab = open_page(scenes.pool("a"))
    live.server.set_app(other)
    expect(tab.get_by_role("alert")).to_contain_text(f"There are no new figures: {said}", timeout=SOON)
    expect(row(tab, "a")).to_be_visible()


def test_a_worker_that_has_just_begun(open_page):
    """Nothing is known of the past yet."""
    tab = open_page(scenes.pool("a"), scenes.pool("b", "resource"), points=0)
    row(tab, "a").locator("summary").click()
    expect(row(tab, "a").locator(".facts")).to_contain_text("0 so far")
    expect(tab.get_by_role("img", name="In use: 2", exact=True)).to_have_count(3)


def test_it_stands_still_while_paused(open_page, say):
    tab = open_page(scenes.pool("a"))
    tab.get_by_role("button", name="Pause").click()
    expect(tab.locator("#meta")).to_contain_text("Paused since")
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    say(scenes.pool("a", in_use=7))
    tab.wait_for_timeout(2500)  # longer than it ever waits before it asks again
    assert asked == []
    tab.get_by_role("button", name="Resume").click()
    expect(row(tab, "a").locator(".verdict")).to_contain_text("7 in use", timeout=SOON)


def test_it_finds_its_data_however_it_is_addressed(tab, live, say):
    live.down()
    live.app = mounted(live.app)
    live.up()
    say(scenes.pool("a"))
    for path in ("/", "", "/?x=1#y"):
        visit(tab, live.port, f"/deep/poolware{path}")
        expect(row(tab, "a")).to_be_visible()


def mounted(app):
    def outer(environ, start_response):
        path = environ["PATH_INFO"].removeprefix("/deep/poolware")
        assert path != environ["PATH_INFO"]
        return app(environ | {"PATH_INFO": path}, start_response)

    return outer


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</style><svg onload=alert(1)>",
    "{{7*7}}${7*7}",
    "__proto__",
    "constructor",
    "javascript:alert(1)",
    "' \" ` & &lt;",
    "W" * 5000,
]


def test_names_are_text_and_nothing_else(open_page):
    """H38: a pool's name may come from whoever names tenants."""
    tab = open_page(*map(scenes.pool, HOSTILE), *(scenes.leak(f"bad {name}") for name in HOSTILE))
    shown = tab.locator(".name bdi").all_inner_texts()
    assert set(HOSTILE) - set(shown) == {"W" * 5000}
    assert "W" * 120 + "…" in shown
    assert tab.locator("#pools script, #pools img, #pools [onload], #pools [onerror]").count() == 0
    for summary in tab.locator(".pool > summary").all():
        summary.click()
    expect(tab.locator(".full bdi").filter(has_text="W" * 5000)).to_have_count(2)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.evaluate("Object.prototype.shown === undefined")


def test_names_cannot_turn_or_hide_what_stands_beside_them(open_page):
    tab = open_page(scenes.pool("مرحبا"), scenes.pool("a\u202eb\u200bc\nd\x00e\u2066f"))
    assert set(tab.locator(".name bdi").all_inner_texts()) == {"مرحبا", "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf"}
    verdict = row(tab, "مرحبا").locator(".verdict")
    expect(verdict).to_have_css("direction", "ltr")
    expect(verdict).to_contain_text("Healthy: 2 in use")


def test_fifty_pools_on_every_screen(open_page):
    pools = [scenes.pool(f"pool number {number}", ("object", "buffer", "resource")[number % 3]) for number in range(48)]
    tab = open_page(*pools, scenes.leak("leaking"), scenes.exhausted("database"))
    expect(tab.locator("#pools > li")).to_have_count(50)
    for width in (1280, 390, 320):
        tab.set_viewport_size({"width": width, "height": 844})
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.get_by_label("Find a pool").fill("NUMBER 4")
    expect(tab.locator("#pools > li:visible .name bdi")).to_have_text(
        ["pool number 4", *(f"pool number {number}" for number in range(40, 48))]
    )
    tab.get_by_label("Find a pool").fill("no such")
    expect(tab.locator("#none")).to_be_visible()


def test_everything_can_be_done_with_the_keyboard(open_page):
    tab = open_page(*(scenes.pool(f"p{number}") for number in range(9)))
    reached = []
    for _ in range(15):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("document.activeElement.id || document.activeElement.tagName"))
        outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid" or reached[-1] == "BODY"
    assert reached[:14] == ["pause", "theme", "wanted", *["SUMMARY"] * 10, "raw"]
    row(tab, "p3").locator("summary").focus()
    tab.keyboard.press("Space")
    expect(row(tab, "p3").locator(".tile")).to_have_count(3)
    tab.keyboard.press("Space")
    expect(row(tab, "p3").locator(".inside")).to_be_hidden()


def test_the_theme_is_the_systems_until_somebody_chooses(open_page):
    tab = open_page(scenes.pool("a"))
    paper = tab.locator("body")
    light, dark = "rgb(251, 250, 247)", "rgb(20, 22, 20)"
    expect(paper).to_have_css("background-color", light)
    tab.emulate_media(color_scheme="dark")
    expect(paper).to_have_css("background-color", dark)
    tab.get_by_role("button", name="Theme: auto").click()
    expect(paper).to_have_css("background-color", light)
    tab.get_by_role("button", name="Theme: light").click()
    tab.emulate_media(color_scheme="light")
    tab.reload()
    expect(tab.get_by_role("button", name="Theme: dark")).to_be_visible()
    expect(paper).to_have_css("background-color", dark)


def test_everything_has_a_name_and_can_be_read(open_page):
    """Names for assistive technology, contrast in both themes, and targets that a thumb hits."""
    alert = scenes.alert("PoolwareCallersWaiting", "database", "resource", 14)
    healthy = [scenes.pool(f"p{number}") for number in range(6)]
    troubled = [scenes.leak("leak"), scenes.pool("q", quarantined=2), scenes.exhausted("database")]
    tab = open_page(*healthy, *troubled, alerts=[alert])
    tab.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    expect(tab.locator(".inside:visible")).to_have_count(9)
    without, roles = nameless(tab)
    assert without == []
    assert {"button": 2, "searchbox": 1, "link": 1, "DisclosureTriangle": 10}.items() <= roles.items()
    expect(tab.get_by_role("img", name="In trouble")).to_have_count(1)
    expect(tab.get_by_role("img", name="In use over 5 min: between 2 and 5, now 5")).to_have_count(2)
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        seen = tab.evaluate(CONTRAST)
        assert len(seen) > 200
        assert [(what, round(ratio, 2)) for what, ratio, needed in seen if ratio < needed] == []
    heights = (
        "[...document.querySelectorAll('button, input, summary')].map((one) => one.getBoundingClientRect().height)"
    )
    assert min(tab.evaluate(heights)) >= 24
