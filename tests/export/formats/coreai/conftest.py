"""What the tests of Core AI share: exports of the tiny model, made once; skipped where Apple has no builds."""

import importlib.util

import pytest

from export.rewrite.export_ready import ExportRequest

ABSENT = importlib.util.find_spec("coreai_torch") is None
WHY = "coreai-torch is not installed here: Apple has builds for Linux on x86-64 and macOS on Apple silicon"


def pytest_collection_modifyitems(items):
    for item in items:
        if ABSENT and item.path.parent.name == "coreai":
            item.add_marker(pytest.mark.skip(reason=WHY))


@pytest.fixture(scope="session")
def exported(shared_exports):
    """(folder, its one proved file) of the usual input, for photos of any size. Do not change it: copy it."""
    folder, (proved,) = shared_exports(ExportRequest(), ["coreai"])
    return folder, proved


@pytest.fixture
def asset(exported):
    """Its path."""
    return exported[1].path
