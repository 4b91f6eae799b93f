"""Writes the regions of tested sources that documents quote: `python docs/fill_regions.py`. A test compares them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.documents import BLOCK, DOCUMENTS, region


def filled(text: str) -> str:
    """A document with its regions as the sources have them now."""

    def block(match) -> str:
        if not match["region"]:
            return match[0]
        head = f"<!-- region: {match['region']} {match['place']} -->\n```{match['language']}\n"
        return f"{head}{region(match['region'], match['place'])}```"

    return BLOCK.sub(block, text)


if __name__ == "__main__":
    for document in DOCUMENTS:
        before = document.read_text(encoding="utf-8")
        if (after := filled(before)) != before:
            document.write_text(after, encoding="utf-8")
            print(f"wrote {document}", file=sys.stderr)
