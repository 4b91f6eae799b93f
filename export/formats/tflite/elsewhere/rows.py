"""The runtimes that TFLite files are tried in, their exact packages, and what each must be asked for."""

from __future__ import annotations

from pathlib import Path

from export.formats.other_runtime import OtherRuntime, OtherRuntimes, Way

HERE = Path(__file__).parent
# puppeteer-core drives a Chromium that is installed, and brings none.
PACKAGES = ("@litertjs/core@2.5.3", "@litertjs/wasm-utils@2.5.3", "puppeteer-core@24.43.1")

OTHER_RUNTIMES = OtherRuntimes(
    yardstick=OtherRuntime("litert", "LiteRT", HERE / "run_litert.py"),
    others=(
        OtherRuntime(
            "litert-web",
            "LiteRT.js, WebAssembly",
            HERE / "run_litert_web.cjs",
            "node",
            PACKAGES,
            (Way("Chromium", {"accelerator": "wasm"}),),
        ),
        OtherRuntime(
            "litert-webgpu",
            "LiteRT.js, WebGPU",
            HERE / "run_litert_web.cjs",
            "node",
            PACKAGES,
            # Where the machine has no GPU, Chromium's own software one: the same operators, the same arithmetic in
            # float32, and no time that means anything.
            (Way("Chromium, jspi", {"accelerator": "webgpu"}),),
        ),
    ),
)
