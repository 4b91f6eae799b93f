"""The browser app's page as a person has it in front of them: what can be done to it, what it shows."""

import time
from dataclasses import dataclass
from pathlib import Path

ONNX, TFLITE = "lariqa_views_crop_fp32.onnx", "lariqa_views_crop_fp32.tflite"
BOTH = (ONNX, TFLITE)
SIX = ("1920x1080", "1080x1920", "641x427", "333x517", "101x97", "96x700")  # of web_demo/tests/make_vectors.py


@dataclass
class Page:
    """The page as a person has it in front of them."""

    browser: object

    def open(self, address: str) -> "Page":
        self.browser.get(address)
        return self

    def run(self, script: str, *arguments):
        return self.browser.execute_script(script, *arguments)

    def ask(self, script: str, *arguments):
        """The value of an asynchronous script; a refusal comes as {"refused": sentence}."""
        whole = f"""
            const done = arguments[arguments.length - 1];
            (async (...args) => {{ {script} }})(...[...arguments].slice(0, -1)).then(done,
                error => done({{ refused: error.sentence ?? String(error) }}));"""
        return self.browser.execute_async_script(whole, *arguments)

    @property
    def state(self) -> str:
        return self.run("return document.getElementById('state').dataset.state")

    @property
    def sentence(self) -> str:
        return self.text("state-sentence")

    def text(self, name: str) -> str:
        return self.run("return document.getElementById(arguments[0]).textContent", name)

    def wait_for(self, *states: str, seconds: float = 60) -> str:
        end = time.monotonic() + seconds
        while (state := self.state) not in states:
            assert time.monotonic() < end, f"{state} in the place of {states}: {self.sentence}"
            time.sleep(0.02)
        return self.sentence

    def until(self, script: str, *arguments, seconds: float = 60):
        """What a script returns, once that is anything."""
        end = time.monotonic() + seconds
        while not (came := self.run(script, *arguments)):
            assert time.monotonic() < end, f"{script} never came true"
            time.sleep(0.02)
        return came

    def pick(self, *photos: Path) -> None:
        """By the button; and wait until each has its score or its refusal."""
        before = self.count()
        self.browser.find_element("id", "pick").send_keys("\n".join(map(str, photos)))
        self.wait_until_done(before + len(photos))

    def wait_until_done(self, count: int) -> None:
        deadline = time.monotonic() + 120
        while self.count() < count or self.state != "Ready":
            assert time.monotonic() < deadline and self.state != "Failed", (self.count(), count, self.sentence)
            time.sleep(0.02)

    def count(self) -> int:
        return self.run("return document.querySelectorAll('#scored > li, #refused > li').length")

    def scored(self) -> dict[str, str]:
        """name -> score as shown, in the order shown."""
        return dict(
            self.run("""return [...document.querySelectorAll('#scored > li')].map(item =>
                [item.querySelector('.name').textContent, item.querySelector('.score').textContent])""")
        )

    def refused(self) -> list[str]:
        return self.run("return [...document.querySelectorAll('#refused > li')].map(item => item.textContent)")

    def choose(self, file: str, accelerator: str = "wasm") -> None:
        """Another file or accelerator, in the list of them."""
        self.run(
            """document.getElementById('settings').open = true;
            const list = document.getElementById('runtime');
            list.value = arguments[0];
            list.dispatchEvent(new Event('change'));""",
            f"{accelerator} {file}",
        )
