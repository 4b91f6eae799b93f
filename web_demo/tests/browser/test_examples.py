"""The examples that the documentation quotes, in Chromium: PyTorch's scores, and a sentence where there is none."""

from pathlib import Path

import pytest

from tests.support.web_page import BOTH

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def files(exported) -> dict[str, Path]:
    """What a page of one's own is made of, and the photos of the vectors."""
    photos = {f"photos/{file.name}": file for file in (exported.parent / "photos").iterdir()}
    return {file.name: file for file in EXAMPLES.iterdir()} | photos


def test_a_page_of_ones_own_shows_pytorchs_scores_and_refuses_in_a_sentence(page, serve, files, scores, tmp_path):
    page.open(serve(beside=files).address + "own_page.html")
    page.until("return !document.getElementById('photos').disabled")
    assert "scored the golden photo as PyTorch does" in page.text("state")
    names = ["641x427.png", "333x517.jpg"]
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(files["photos/333x517.jpg"].read_bytes()[:900])
    photos = [files[f"photos/{name}"] for name in names] + [broken]
    page.browser.find_element("id", "photos").send_keys("\n".join(map(str, photos)))
    lines = page.until(
        """const lines = [...document.querySelectorAll('#scores > li')].map(line => line.textContent);
        return lines.length === 3 && lines.every(Boolean) ? lines : null"""
    )
    references = [scores[name]["reference"] for name in names]
    assert abs(references[0] - references[1]) > 0.01
    for line, name, reference in zip(lines, names, references, strict=False):
        assert line.split()[1] == name and float(line.split()[0]) == pytest.approx(reference, abs=1e-4)
    assert lines[2].startswith("broken.jpg: expected a whole photo")


def test_the_page_shows_no_score_where_the_file_is_another_one(page, serve, files, exported, tmp_path):
    for file in BOTH:
        (tmp_path / file).write_bytes((exported / file).read_bytes()[:-1] + b"x")
    tampered = {f"model/{file}": tmp_path / file for file in BOTH}
    page.open(serve(beside=files | tampered).address + "own_page.html")
    page.until("return document.getElementById('state').textContent.includes('sha256 differs')")
    assert page.run("return document.getElementById('photos').disabled")


def test_the_shortest_example_scores_a_photo(page, serve, files, scores):
    page.open(serve(beside=files).address + "blank.html")
    name = "641x427.png"
    score = page.ask(
        """const { scoreOf } = await import('./score.js');
        return await scoreOf(await (await fetch(`photos/${args[0]}`)).blob())""",
        name,
    )
    assert score == pytest.approx(scores[name]["reference"], abs=1e-5)
