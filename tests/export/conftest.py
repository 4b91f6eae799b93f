"""What the tests of lower precisions share: photos, the tiny model with its batch norms folded, its float32 files.

Do not change any of it: copy it.
"""

import pytest
from torch import nn

from export.formats import USUAL
from export.proof.proof_photos import seeded_photos
from export.rewrite.export_ready import ExportRequest, make_export_ready
from export.rewrite.fold_batch_norm import fold_batch_norm

HEIGHT, WIDTH = 150, 200


@pytest.fixture(scope="session")
def photos():
    return dict(seeded_photos(12, HEIGHT, WIDTH, seed=5))


@pytest.fixture(scope="session")
def folded(tiny_model):
    return fold_batch_norm(make_export_ready(tiny_model, ExportRequest("pixels", HEIGHT, WIDTH, memory="naive")))


@pytest.fixture(scope="session")
def layers(folded):
    modules = folded.named_modules()
    return {name: m.weight.detach().numpy() for name, m in modules if isinstance(m, nn.Conv2d | nn.Linear)}


@pytest.fixture(scope="session")
def float32_files(shared_exports):
    """Format -> its float32 file."""
    _, proofs = shared_exports(ExportRequest("pixels", HEIGHT, WIDTH, memory="naive"), list(USUAL))
    return {proved.artifact.format: proved.path for proved in proofs}
