"""What the documents show: code blocks with their language, and the regions of tested sources that some quote."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[2]
DOCUMENTS = sorted(
    {*HOUSE.glob("*.md"), *(HOUSE / "docs").rglob("*.md"), *HOUSE.glob("*_demo/README.md")}
    - {HOUSE / "docs" / "experiments.md", HOUSE / "CHANGELOG.md"}  # what was done then, by the commands of that time
)
BLOCK = re.compile(
    r"(?:<!-- region: (?P<region>[^>]+?) (?P<place>\S+) -->\n+)?^```(?P<language>[\w-]*)\n(?P<code>.*?)^```$",
    re.M | re.S,
)
SOURCES = (".kt", ".swift", ".js", ".ts")
BUILT = {"node_modules", "site", "build", "target", ".build", "Model"}


@dataclass(frozen=True)
class Block:
    """One code block of a document."""

    document: Path
    language: str
    code: str
    region: str | None = None  # of a source below ``place`` that it quotes
    place: str | None = None

    def __str__(self) -> str:
        return f"{self.document.relative_to(HOUSE)}: {self.region or self.code.strip().splitlines()[0][:40]}"


def blocks(document: Path, *languages: str) -> list[Block]:
    """The code blocks of a document, in their order; those in some languages."""
    text = document.read_text(encoding="utf-8")
    found = [
        Block(document, match["language"], match["code"], match["region"], match["place"])
        for match in BLOCK.finditer(text)
    ]
    return [block for block in found if not languages or block.language in languages]


def region(name: str, place: str) -> str:
    """The lines between ``// docs: NAME`` and ``// docs: end`` of the one source below a folder that has them."""
    found = []
    for file in sorted((HOUSE / place).rglob("*")):
        if file.suffix in SOURCES and not BUILT & set(file.relative_to(HOUSE).parts):
            found += re.findall(
                rf"^[ \t]*// docs: {re.escape(name)}\n(.*?)^[ \t]*// docs: end$",
                file.read_text(encoding="utf-8"),
                re.M | re.S,
            )
    assert len(found) == 1, f"{len(found)} regions named {name!r} below {place}; expected one"
    return textwrap.dedent(found[0]).strip() + "\n"


def command_lines(code: str) -> list[str]:
    """The commands of a shell block, without comments; a line that ends in a backslash goes on."""
    joined = code.replace("\\\n", " ")
    lines = [line.removeprefix("$ ").strip() for line in joined.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
