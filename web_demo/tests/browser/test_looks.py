"""What the page looks like, and what a screen reader is told: light, dark, on a desk and on a phone.

Screenshots go to a folder of pytest, or the one that LARIQA_SCREENSHOTS names, to be looked at.
"""

from pathlib import Path

import pytest

from tests.support.page import faint_text, screenshot, set_screen, too_wide

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS, THEMES = (360, 1280), ("light", "dark")


@pytest.fixture
def full(page, serve, exported):
    """Scores, refusals, both views, the cards opened."""
    page.open(serve().address).wait_for("Ready")
    photos, bad = exported.parent / "photos", exported.parent / "bad"
    names = ["1920x1080.jpg", "641x427.webp", "333x517.png"]
    page.pick(*(photos / name for name in names), bad / "truncated_1920x1080.jpg", bad / "huge.png")
    page.run("for (const folded of document.querySelectorAll('details')) folded.open = true;")
    page.until("return document.querySelectorAll('#scored .views canvas').length === 6")
    return page


def test_it_can_be_read_and_heard_on_every_screen(full, shots):
    full.run(AXE.read_text())
    pictures = {}
    for width in WIDTHS:
        for theme in THEMES:
            set_screen(full.browser, width, theme)
            assert faint_text(full.browser) == []
            assert too_wide(full.browser) == []
            found = full.ask("return (await axe.run(document, { resultTypes: ['violations'] })).violations")
            told = [(one["id"], one["nodes"][0]["html"][:120]) for one in found]
            assert told == [], told
            pictures[width, theme] = screenshot(full.browser, shots / f"web-{width}-{theme}.png")
    assert len(set(pictures.values())) == 4 and all(len(picture) > 50_000 for picture in pictures.values())


def test_buttons_are_large_enough_for_a_thumb(full):
    set_screen(full.browser, 360, "light")
    small = full.run("""
        return [...document.querySelectorAll('button, .button, summary')].map(element => [element.textContent.trim(),
            element.getBoundingClientRect()]).filter(([, box]) => box.height > 0 && box.height < 24)
            .map(([text, box]) => `${text}: ${box.height}`);""")
    assert small == []


def test_a_failure_is_told_where_the_state_is(page, serve, shots):
    server = serve()
    server.made["model/lariqa.json"] = b"{}"
    page.open(server.address).wait_for("Failed")
    set_screen(page.browser, 360, "dark")
    assert page.run("return document.querySelector('#state [role=status]').textContent").startswith(
        "Failed lariqa.json has"
    )
    assert faint_text(page.browser) == []
    screenshot(page.browser, shots / "web-failed.png")
