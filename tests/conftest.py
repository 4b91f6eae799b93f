"""Models small enough for tests: a fiftieth of the real one, calibrated like it, so that their scores differ."""

import resource
import signal
from contextlib import contextmanager

import pytest
import torch
from PIL import Image

from export.proof.proof_photos import bundled_photos
from lariqa.manifest.model_config import HeadConfig, LarIqaConfig
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.photos.golden import golden_photo
from lariqa_train.demo.demo_checkpoint import make_demo_checkpoint
from lariqa_train.model.checkpoint import save_checkpoint
from lariqa_train.model.model import LarIqa
from lariqa_train.pictures.damage import versions

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start what runs in the background; tests send Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_config():
    """A function that makes a tiny configuration; its options replace the defaults."""

    def make(crop: int = 128, view: str = "crop", mean=None, std=None, **options) -> LarIqaConfig:
        normalisation = {key: value for key, value in (("mean", mean), ("std", std)) if value is not None}
        preprocess = PreprocessSpec(authentic_side_px=128, synthetic_view=view, synthetic_crop_px=crop, **normalisation)
        tiny = {"backbone": "mobilenetv3_small_050", "features": 16, "head": HeadConfig("kan", 8)}
        return LarIqaConfig(**{**tiny, "preprocess": preprocess, **options})

    return make


@pytest.fixture(scope="session")
def make_tiny_model(one_thread):
    """A function that makes a tiny calibrated model for photos of one size."""

    def make(config: LarIqaConfig, height: int = 150, width: int = 200, seed: int = 1) -> LarIqa:
        # Calibrated on the photos of the test, and mirrored and damaged more: a tiny random network is wild on others.
        photo = bundled_photos(height, width)["original"]
        pictures = [image for severity in (0.25, 0.5, 1.0) for image in versions(photo, severity).values()]
        pictures.append(golden_photo(height, width))
        with one_thread():
            return make_demo_checkpoint(config, seed, pictures + [image[:, ::-1] for image in pictures])

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
