"""The golden photo is the tile, repeated and mirrored, at any size; exports carry it with its reference score."""

import numpy as np
import pytest

from lariqa.photos.golden import TILE, golden_photo, mirror
from lariqa.photos.photo import open_photo


@pytest.mark.parametrize(("height", "width"), [(100, 100), (450, 600), (451, 601), (720, 1280), (1001, 999)])
def test_the_photo_is_numpys_symmetric_padding_of_the_tile(height, width):
    tile = open_photo(TILE)
    rows, columns = max(0, height - tile.shape[0]), max(0, width - tile.shape[1])
    expected = np.pad(tile, ((0, rows), (0, columns), (0, 0)), mode="symmetric")[:height, :width]
    photo = golden_photo(height, width)
    assert photo.shape == (height, width, 3) and photo.dtype == np.uint8
    assert np.array_equal(photo, expected)


def test_mirror_runs_back_and_forth():
    assert mirror(8, 3).tolist() == [0, 1, 2, 2, 1, 0, 0, 1]


def test_the_tile_is_a_picture_and_not_a_flat_colour():
    assert open_photo(TILE).std() > 30


@pytest.mark.parametrize(("height", "width"), [(2160, 3840), (3840, 2160), (3024, 4032), (4032, 3024), (720, 1280)])
def test_the_photo_is_no_mirror_image_of_itself_at_the_usual_sizes(height, width):
    photo = golden_photo(height, width)
    for turned in (photo[:, ::-1], photo[::-1], photo[::-1, ::-1]):
        assert np.abs(photo.astype(int) - turned).mean() > 5
