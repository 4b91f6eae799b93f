"""What all tests share: the tiny model (``support/tiny_model.py``) and photos for it, one thread, a full disk."""

import resource
import signal
from contextlib import contextmanager

import pytest
import torch
from PIL import Image

from export.proof.proof_photos import bundled_photos
from lariqa.manifest.model_config import LarIqaConfig
from lariqa_train.model.checkpoint import save_checkpoint
from lariqa_train.model.model import LarIqa
from tests.support import tiny_model as tiny_model_factory
from tests.support.shared_exports import SharedExports, common_folder

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start what runs in the background; tests send Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Whole files go to one worker each. Begun last, one of these would leave the other workers with nothing to do.
LONGEST = ("test_train.py", "test_tiled_net.py", "test_quantized_export.py", "test_bench.py", "test_exported_files.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, the others in their order."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def tiny_config():
    """A function that makes a tiny configuration; its options replace the defaults."""
    return tiny_model_factory.tiny_config


@pytest.fixture(scope="session")
def make_tiny_model(one_thread):
    """A function that makes a tiny calibrated model for photos of one size."""

    def make(config: LarIqaConfig, height: int = 150, width: int = 200, seed: int = 1) -> LarIqa:
        with one_thread():
            return tiny_model_factory.make_tiny_model(config, height, width, seed)

    return make


@pytest.fixture(scope="session")
def tiny_model(tiny_config, make_tiny_model):
    """The tiny configuration, calibrated for photos of 200x150."""
    return make_tiny_model(tiny_config())


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_model, tmp_path_factory):
    """The tiny model as a file. Do not change it: copy it."""
    path = tmp_path_factory.mktemp("checkpoint") / "tiny.safetensors"
    save_checkpoint(tiny_model, path)
    return path


@pytest.fixture(scope="session")
def shared_exports(tiny_model, tmp_path_factory, one_thread):
    """A function from a request and formats to (folder, proofs) of the tiny model's export, made once for all tests."""
    exports = SharedExports(tiny_model, common_folder(tmp_path_factory.getbasetemp()))

    def exported(request, formats=("onnx",)):
        with one_thread():
            return exports(request, formats)

    return exported


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory):
    """Five photos of 200x150, one original and four damaged, whose tiny scores differ. Do not change it: copy it."""
    folder = tmp_path_factory.mktemp("photos")
    for name, image in bundled_photos(150, 200).items():
        Image.fromarray(image).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="session")
def one_thread():
    """A context in which torch uses one thread: two wait for each other while another process has a core of two."""

    @contextmanager
    def limited():
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    return limited


@pytest.fixture
def no_file_above():
    """A context in which the kernel lets no file of ours grow above so many bytes, as on a full disk."""

    @contextmanager
    def limited(size_bytes: int):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, ignored)

    return limited
