"""What the documents show: code blocks with their language, and the tested sources that some of them quote."""

import re
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[2]
DOCUMENTS = sorted(
    {*HOUSE.glob("*.md"), *(HOUSE / "docs").rglob("*.md"), *HOUSE.glob("*_demo/README.md")}
    - {
        *(HOUSE / "docs" / "experiments").glob("*.md"),
        HOUSE / "CHANGELOG.md",
    }  # what was done then, by the commands of that time
)
BLOCK = re.compile(
    r"(?:<!-- lines of: (?P<source>\S+) -->\n+)?^```(?P<language>[\w-]*)\n(?P<code>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """One code block of a document."""

    document: Path
    language: str
    code: str
    source: str | None = None  # a tested file of the repository whose lines it quotes

    def __str__(self) -> str:
        return f"{self.document.relative_to(HOUSE)}: {self.source or self.code.strip().splitlines()[0][:40]}"


def blocks(document: Path, *languages: str) -> list[Block]:
    """The code blocks of a document, in their order; those in some languages."""
    text = document.read_text(encoding="utf-8")
    found = [Block(document, match["language"], match["code"], match["source"]) for match in BLOCK.finditer(text)]
    return [block for block in found if not languages or block.language in languages]


def first_line_not_in(code: str, source: str) -> str | None:
    """The first line of a quote that does not follow in its source; None: all do. Lines may be left out."""
    left = iter([line.strip() for line in source.splitlines()])
    wanted = [line.strip() for line in code.splitlines() if line.strip()]
    return next((line for line in wanted if line not in left), None)


def command_lines(code: str) -> list[str]:
    """The commands of a shell block, without comments; a line that ends in a backslash goes on."""
    joined = code.replace("\\\n", " ")
    lines = [line.removeprefix("$ ").strip() for line in joined.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
