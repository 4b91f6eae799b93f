"""Names whose bytes are no text in the locale can be written into every table, and found again."""

import os

import pytest

from lariqa.names import as_text, on_disk


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("photo.jpg", "photo.jpg"),
        ("Blüte 图片.jpg", "Blüte 图片.jpg"),
        (os.fsdecode(b"f\xeate.jpg"), r"f\xeate.jpg"),
        (os.fsdecode(b"caf\xc3\xa9 f\xeate.jpg"), r"café f\xeate.jpg"),
        ("\ud83d.jpg", r"\xed\xa0\xbd.jpg"),  # half of a pair, as Windows lets one call a file
    ],
)
def test_every_name_has_a_text(name, text):
    assert as_text(name) == text
    assert text.encode()


def test_a_text_is_a_name_on_the_disk(tmp_path):
    (tmp_path / on_disk("Blüte.jpg")).touch()
    assert os.listdir(os.fsencode(tmp_path)) == ["Blüte.jpg".encode()]
