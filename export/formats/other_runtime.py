"""What another runtime is: its packages, its script, and what it must be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Installer = Literal["none", "python", "node"]


@dataclass(frozen=True)
class Way:
    """One way to ask a runtime for a score, one row of the table.

    Args:
        said: how it is asked, in words; "" where there is nothing to ask for.
        options: for the runtime's script.
        judged: whether a wrong score misses the limit. A runtime's own defaults are shown where they give other scores
            than the way that is recommended, and are not the file's fault.
    """

    said: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    judged: bool = True


@dataclass(frozen=True)
class OtherRuntime:
    """One runtime.

    Args:
        name: on the command line.
        label: that people read.
        script: its own small program, Python (see ``child``) or JavaScript.
        installer: what makes its environment; "none": it is in the toolkit's own.
        packages: the installer's words for them, with exact versions. Their dependencies are listed, not resolved, so
            that the same set is installed everywhere, and nothing that the script does not need.
        ways: how it is asked, the recommended one first.
        of_all: whether ``all`` means it too; false where it cannot read files as they are usually exported.
    """

    name: str
    label: str
    script: Path
    installer: Installer = "none"
    packages: tuple[str, ...] = ()
    ways: tuple[Way, ...] = (Way(),)
    of_all: bool = True


@dataclass(frozen=True)
class OtherRuntimes:
    """Those of a format.

    Args:
        yardstick: the format's own runtime, as a script: what times are compared with.
        others: in the order of the table.
    """

    yardstick: OtherRuntime
    others: tuple[OtherRuntime, ...]

    @property
    def names(self) -> list[str]:
        """As on the command line."""
        return [runtime.name for runtime in self.others]
