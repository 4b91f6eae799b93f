"""What is said of a long row of steps."""

from lariqa import time_left
from lariqa.time_left import counted, said


def test_the_pace_counts_from_the_first_item_and_a_line_is_not_said_too_often(monkeypatch):
    clock, heard = [100.0], []
    monkeypatch.setattr(time_left.time, "monotonic", lambda: clock[0])

    def slow():
        clock[0] += 1000  # a preparation
        for number in range(5):
            yield number
            clock[0] += 1.5

    assert list(counted(slow(), 5, "photo", heard.append)) == list(range(5))
    assert heard == ["photo, 1 of 5", "photo, 3 of 5, about 4 s left", "photo, 5 of 5, about 2 s left"]
    assert (said(99), said(600)) == ("99 s", "10 min")
