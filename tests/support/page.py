"""What tests ask of a page in a browser: what it looks like, whether all of it can be read, what it fetched."""

import base64
import json
from pathlib import Path

READABLE = 4.5  # contrast of text, WCAG 2 AA
_FAINT = """
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = colour => numbers(colour).slice(0, 3).map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = element => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if ((numbers(colour)[3] ?? 1) > 0) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    const told = [];
    for (const element of document.querySelectorAll('body *')) {
        const hasText = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
        const style = getComputedStyle(element);
        if (!hasText || style.display === 'none') continue;
        const colour = element.closest('svg') ? style.fill : style.color;
        const [a, b] = [light(colour), light(behind(element))].sort((x, y) => y - x);
        const contrast = (a + 0.05) / (b + 0.05);
        if (contrast < arguments[0]) told.push([contrast, colour, element.textContent.slice(0, 40)]);
    }
    return told;"""


def set_screen(browser, width: int, theme: str, height: int = 900) -> None:
    """As wide as that, in px, in the light or the dark theme; below 500 px a phone."""
    scheme = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def screenshot(browser, path: Path) -> bytes:
    """The whole page, as PNG."""
    height = browser.execute_script("return document.documentElement.scrollHeight")
    width = browser.execute_script("return document.documentElement.clientWidth")
    area = {"x": 0, "y": 0, "width": width, "height": min(height, 16_000), "scale": 1}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": area})
    path.write_bytes(base64.b64decode(shot["data"]))
    return path.read_bytes()


def faint_text(browser) -> list:
    """Texts whose contrast with what is behind them is below READABLE: [contrast, colour, text]."""
    return browser.execute_script(_FAINT, READABLE)


def too_wide(browser) -> list[str]:
    """What reaches beyond the right edge of the screen, unless it lies in something that scrolls."""
    return browser.execute_script("""
        const limit = document.documentElement.clientWidth;
        const scrolled = element => element.closest('.scroll, pre') !== null;
        return [...document.querySelectorAll('body *')].filter(element => !scrolled(element)
            && element.getBoundingClientRect().right > limit + 1).map(element => element.outerHTML.slice(0, 80));""")


def network_of(log: list[dict]) -> list[tuple[str, dict]]:
    """(method, parameters) of everything in a browser's log that had to do with the network, files included."""
    messages = [json.loads(entry["message"])["message"] for entry in log]
    return [(m["method"], m["params"]) for m in messages if m["method"].startswith("Network.")]
