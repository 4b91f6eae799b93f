"""The tiny model of all tests, here and in the apps: a fiftieth of the real one, calibrated like it.

Its scores differ from photo to photo, so that a parity over them means something.
"""

from export.proof.proof_photos import bundled_photos
from lariqa.manifest.model_config import HeadConfig, LarIqaConfig
from lariqa.manifest.preprocess_spec import PreprocessSpec
from lariqa.photos.golden import golden_photo
from lariqa_train.demo.demo_checkpoint import make_demo_checkpoint
from lariqa_train.model.model import LarIqa
from lariqa_train.pictures.damage import versions

HEIGHT, WIDTH = 150, 200  # px, of the photos that it is calibrated for unless others are asked for


def tiny_config(
    crop: int = 128,
    view: str = "crop",
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    **options,
) -> LarIqaConfig:
    """A tiny configuration.

    Args:
        crop: side of the synthetic view, px.
        view: the synthetic view, "crop" or "full".
        mean: of the normalisation; None: the model's own.
        std: the same.
        options: fields of the configuration to replace.
    """
    normalisation = {key: value for key, value in (("mean", mean), ("std", std)) if value is not None}
    preprocess = PreprocessSpec(authentic_side_px=128, synthetic_view=view, synthetic_crop_px=crop, **normalisation)
    tiny = {"backbone": "mobilenetv3_small_050", "features": 16, "head": HeadConfig("kan", 8)}
    return LarIqaConfig(**{**tiny, "preprocess": preprocess, **options})


def make_tiny_model(
    config: LarIqaConfig | None = None,
    height: int = HEIGHT,
    width: int = WIDTH,
    seed: int = 1,
    mirrored_golden: bool = True,
) -> LarIqa:
    """A tiny model calibrated for photos of one size.

    Calibrated on the photos of the test, and mirrored and damaged more: a tiny random network is wild on others.

    Args:
        config: from :func:`tiny_config`; None: its defaults.
        height: of the photos, px.
        width: of the photos, px.
        seed: of the weights.
        mirrored_golden: whether the golden photo is seen mirrored too; the iOS tests' model does without.
    """
    photo, golden = bundled_photos(height, width)["original"], golden_photo(height, width)
    damaged = [image for severity in (0.25, 0.5, 1.0) for image in versions(photo, severity).values()]
    seen, last = ([*damaged, golden], []) if mirrored_golden else (damaged, [golden])
    return make_demo_checkpoint(config or tiny_config(), seed, [*seen, *(image[:, ::-1] for image in seen), *last])
