"""One exported file for photos of any size, and an album of 60 photos of six sizes, two of them broken."""

import pytest

from export.rewrite.export_ready import ExportRequest
from lariqa.library.work import Work
from tests.support.album import make_album


@pytest.fixture(scope="session")
def model(shared_exports):
    """Do not change it: copy its folder."""
    _, proofs = shared_exports(ExportRequest(), ["onnx", "tflite"])
    return proofs[0].path


@pytest.fixture(scope="session")
def album(tmp_path_factory):
    """File -> whether it is a photo. Do not change it."""
    return make_album(tmp_path_factory.mktemp("album"), 60)


@pytest.fixture(scope="session")
def one_by_one(model, album):
    """Photo -> its row, by the unit of work in this process."""
    score = Work(model, threads=1).open()
    rows = {str(photo): score(photo) for photo in album}
    scores = [row.score for row in rows.values() if row.score is not None]
    assert len(scores) == 58 and max(scores) - min(scores) > 0.05 and len(set(scores)) > 50
    return rows
