"""docs/refusals.md knows every sentence that a user can be refused with, and no sentence that is said nowhere."""

import re

import pytest

from tests.support.documents import HOUSE
from tests.support.sentences import FACT, app_sentences, python_sentences

PAGE = HOUSE / "docs" / "refusals.md"
STATES = ("Ready:", "Measuring:", "Measured:", "Preparing:", "Scoring", "Warming up:", "Not loaded:")  # no refusals
MOST = 12  # sentences that one row's words may be in
ROW = re.compile(r"^\| (`.*?`) \| (.*) \|$", re.M)


def fragments() -> dict[str, str]:
    """Words of a sentence, as the page has them -> cause and cure."""
    found = {}
    for cell, cure in ROW.findall(PAGE.read_text(encoding="utf-8")):
        for fragment in re.findall(r"`([^`]+)`", cell):
            found[fragment] = cure
    return found


def is_said_by(fragment: str, sentence: str) -> bool:
    return re.search(".*".join(map(re.escape, fragment.split(FACT))), sentence) is not None


@pytest.fixture(scope="module")
def sentences():
    apps = [one for one in app_sentences() if not one.text.startswith(STATES)]
    return python_sentences() + apps


def test_the_sentences_are_found(sentences):
    assert len(python_sentences()) > 300 and len(app_sentences()) > 80
    assert any("sha256 differs" in one.text for one in sentences)


def test_every_sentence_is_on_the_page(sentences):
    known = fragments()
    missing = [f"{one.where}: {one.text}" for one in sentences if not any(is_said_by(word, one.text) for word in known)]
    assert not missing, "say on docs/refusals.md what causes these, and what helps:\n" + "\n".join(missing)


def test_the_page_explains_nothing_that_is_said_nowhere(sentences):
    stale = [word for word in fragments() if not any(is_said_by(word, one.text) for one in sentences)]
    assert not stale


def test_no_words_are_so_common_that_anything_has_them(sentences):
    texts = {one.text for one in sentences}
    common = {word: sum(is_said_by(word, text) for text in texts) for word in fragments()}
    assert not {word: count for word, count in common.items() if count > MOST}


def test_every_row_gives_cause_and_cure():
    assert len(fragments()) > 250 and not [word for word, cure in fragments().items() if len(cure) < 5]
