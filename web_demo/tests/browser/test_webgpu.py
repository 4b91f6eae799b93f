"""WebGPU for real, on Chromium's software adapter: admitted by its audition, and its scores are within the tolerance.

A minute of processor time, so only where it is asked for: LARIQA_WEBGPU=1 make test-web.
"""

import os

import pytest

from benchmarks.browser import chromium
from tests.support.web_page import ONNX, Page

FLAGS = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
pytestmark = pytest.mark.skipif(
    "LARIQA_WEBGPU" not in os.environ, reason="takes a minute of a software GPU; LARIQA_WEBGPU=1 runs it"
)


def test_webgpu_is_admitted_where_it_agrees(serve, exported, scores, tmp_path_factory):
    driver = chromium.start(tmp_path_factory.mktemp("gpu"), FLAGS, without=["--disable-gpu"])
    try:
        page = Page(driver).open(serve().address)
        page.wait_for("Ready")
        page.choose(ONNX, "webgpu")
        page.until("return document.getElementById('state-sentence').textContent.includes('generated')", seconds=300)
        said = page.wait_for("Ready")
        assert "Of 5 generated pictures '" in said and "computed in float16 where the processor does so" in said
        page.pick(exported.parent / "photos" / "333x517.png")
        ((name, text),) = page.scored().items()
        assert abs(float(text) - scores[name]["reference"]) <= 0.01  # two digits are shown in float16
    finally:
        driver.quit()
