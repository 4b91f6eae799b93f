"""Prove an export in other people's runtimes: each a child process in an environment of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from export.formats import FORMATS, format_of
from export.formats.other_runtime import OtherRuntime, Way
from export.other_runtimes.comparison import Elsewhere, OtherRunner
from export.other_runtimes.environment import command_of, default_cache
from export.verify import verify
from lariqa.errors import Refusal, nearest
from lariqa.manifest.manifest import Artifact, Manifest
from lariqa.runtimes.artifacts import scorer_for
from lariqa.runtimes.scorer import Scorer

ALL = "all"


def runtimes_named(file: Path, names: Sequence[str]) -> list[OtherRuntime]:
    """The other runtimes of a file's format, by name; ALL: every one that reads usual files.

    Raises:
        Refusal: the format has none, or none of that name.
    """
    has = {row.suffix: row.other_runtimes for row in FORMATS.values() if row.other_runtimes}
    if file.suffix not in has:
        raise Refusal(f"--runtime takes one file that ends in {' or '.join(has)}, not {file}")
    known = has[file.suffix]
    for name in names:
        if name not in (ALL, *known.names):
            raise Refusal(
                f"--runtime is {name!r}; expected one of {', '.join(known.names)}, or all{nearest(name, known.names)}"
            )
    return [runtime for runtime in known.others if runtime.name in names or (ALL in names and runtime.of_all)]


def verify_elsewhere(
    file: Path,
    names: Sequence[str],
    photos: Sequence[str],
    checkpoint: Path | None = None,
    limit: float | None = None,
    cache: Path | None = None,
    threads: int | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Iterator[Elsewhere]:
    """Compare one file with PyTorch in other runtimes.

    Args:
        file: an artifact in its export folder.
        names: of runtimes, or ALL.
        photos, checkpoint, limit: as for :func:`export.verify.verify`.
        cache: folder of the environments; None: the user's.
        threads: that each is asked for; None: one for each core.
        progress: called with each step in words.

    Yields:
        One row for each runtime and way of asking. A way that is not judged is left out where it gives the same scores.

    Raises:
        Refusal: as :func:`runtimes_named` and ``verify``, or the file's own runtime cannot run it.
    """
    runtimes, threads = runtimes_named(file, names), threads or os.cpu_count() or 1
    commands = {}
    for runtime in runtimes:
        try:
            commands[runtime.name] = command_of(runtime, cache or default_cache(), progress)
        except Refusal as refusal:
            yield Elsewhere(runtime, runtime.ways[0], failure=str(refusal), installed=False)
    ready = [(runtime, way) for runtime in runtimes if runtime.name in commands for way in runtime.ways]
    runners: list[OtherRunner] = []

    def scorers(path: Path, manifest: Manifest, artifact: Artifact) -> Iterator[Scorer]:
        plain = scorer_for(path, manifest, artifact, 1)
        yardstick = format_of(path).other_runtimes.yardstick
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            asked = Way(options=artifact.session)
            own = stack.enter_context(
                OtherRunner(yardstick, asked, command_of(yardstick, folder, progress), path, threads, folder)
            )
            for runtime, way in ready:
                progress(f"{runtime.label} opens {path.name}{way.said and f', {way.said}'}")
                with OtherRunner(runtime, way, commands[runtime.name], path, threads, folder, own) as runner:
                    runners.append(runner)
                    yield replace(plain, runner=runner)
                if own.failure:
                    raise Refusal(f"{yardstick.label} cannot run {path.name}: {own.failure}")

    before: Elsewhere | None = None
    if ready:
        for _, parity in verify(file, photos, checkpoint, limit, progress, scorers=scorers):
            row = runners[-1].row(parity)
            same = before is not None and before.runtime == row.runtime and before.scores == row.scores
            if row.way.judged or not same:
                yield row
            before = row
