"""Open an .aimodel and run it with Core AI: Apple's own runtime, from its package for Linux and macOS.

The runtime works in a child process, ``python -m lariqa.runtimes.coreai``, because it aborts its process at a program
that it cannot parse, and now and then while the interpreter ends. The child answers before it ends, and ends without
cleaning up; where no answer comes, the parent has a sentence. The program's check sum is compared here, before a byte
of it is executed: the runtime compares none, and a damaged weight would run to another score.

One file because a runtime is one file: the parent's side, then the child's.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lariqa.backends import backend
from lariqa.errors import Refusal
from lariqa.runtimes.runtime import OperatorTime, Runtime

if TYPE_CHECKING:
    import numpy as np

PROGRAM, HASH, METADATA = "main.mlirb", "main.hash", "metadata.json"
METADATA_KEY, PROGRAM_KEY = "lariqa", "lariqa.program_sha256"  # of what we add to the metadata
PACKAGE = "coreai-core"
TIME_LIMIT_S = 600.0  # for one answer; the largest photos take a minute or two on one core
LAST_WORDS = 200  # characters of what the child wrote before it ended
# Core AI has no option that says how memory is used; the graph says it all.
SESSIONS: dict[str, dict[str, Any]] = {"low": {}, "balanced": {}, "fast": {}, "naive": {}}


def read_metadata(path: Path) -> str | None:
    """The embedded manifest's text, or None; needs no package.

    Raises:
        Refusal: no such folder, or its program is not the one that was written with this metadata.
    """
    added = _added_metadata(path)
    if METADATA_KEY in added:
        check_program(path, added)
    return added.get(METADATA_KEY)


def check_program(path: Path, added: Mapping[str, str] | None = None) -> None:
    """Compare the program with the check sum that was written with it.

    Raises:
        Refusal: it differs, or there is none of ours.
    """
    expected = (_added_metadata(path) if added is None else added).get(PROGRAM_KEY)
    try:
        with (path / PROGRAM).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Refusal(
            f"{path} has no readable {PROGRAM} ({error.strerror}); copy the whole folder, or export again"
        ) from error
    if found != expected:
        raise Refusal(
            f"{path} is damaged: its {PROGRAM} is not the program that was written with its metadata (the sha256 "
            "differs); copy the whole folder again, or export again"
        )


def _added_metadata(path: Path) -> dict[str, str]:
    try:
        added = json.loads((path / METADATA).read_text(encoding="utf-8")).get("creatorDefinedMetadata", {})
        return {key: value for key, value in added.items() if isinstance(value, str)}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise Refusal(
            f"{path} is no readable .aimodel folder ({type(error).__name__} at its {METADATA}); copy the whole folder "
            "again, or export again"
        ) from error


class CoreAIRunner:
    """One model in a child process; Core AI chooses its threads itself, on Linux one.

    Args:
        path: the folder.
        threads: without effect.
        session: without effect.

    Raises:
        Refusal: coreai-core is not installed, the program is damaged, or the runtime cannot open it.
    """

    executes_artifact = True

    def __init__(
        self, path: Path, threads: int | None = None, session: Mapping[str, Any] = SESSIONS["balanced"]
    ) -> None:
        if importlib.util.find_spec("coreai") is None:
            raise Refusal(
                f"{path.name} needs the package {PACKAGE}, which is not installed: pip install 'lariqa[coreai]' (there "
                "are builds for Linux on x86-64 and macOS on Apple silicon alone)"
            )
        check_program(path)
        self.path = path
        where = f"macOS {platform.mac_ver()[0]}" if platform.system() == "Darwin" else "no Apple device"
        version = importlib.metadata.version(PACKAGE)
        self.runtime = f"{PACKAGE} {version} (experimental), CPU, {platform.system()} {platform.machine()}, {where}"
        self._child = _Child(path)
        weakref.finalize(self, self._child.end)

    def run(self, inputs: Mapping[str, np.ndarray]) -> float:
        """Input name -> array as the manifest describes it; returns the score."""
        return self._child.ask("score", dict(inputs))

    def operator_times(self, inputs: Mapping[str, np.ndarray], runs: int) -> tuple[str, list[OperatorTime]]:
        """By Core AI's own profiler; the n-th convolution of a run is the n-th of the file, and bears its name."""
        times = self._child.ask("operator_times", dict(inputs), runs)
        return "Core AI profiler", [OperatorTime(*row, "Core AI CPU kernels", ms / runs) for *row, ms in times]

    def tensors(self, inputs: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
        """The float result of every operator, in the order of execution, one at a time."""
        yield from self._child.each("tensors", dict(inputs))


class _Child:
    """The parent's handle: questions as tuples, answers as whatever the child computes."""

    def __init__(self, path: Path) -> None:
        self.path, self._ended, self._late = path, None, False
        ours, theirs = os.pipe(), os.pipe()  # to the child, from the child
        here = str(Path(__file__).parents[2])
        paths = [entry for entry in sys.path if entry] + [here]  # as this process finds modules, so does that one
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        command = [sys.executable, "-P", "-m", "lariqa.runtimes.coreai", str(path), str(ours[0]), str(theirs[1])]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._words,
            stderr=self._words,
            pass_fds=(ours[0], theirs[1]),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        os.close(ours[0]), os.close(theirs[1])
        self._asks, self._answers = Connection(ours[1], readable=False), Connection(theirs[0], writable=False)
        try:
            self._answer("opening it")
        except BaseException:
            self.end()
            raise

    def ask(self, question: str, *arguments: Any) -> Any:
        """One answer.

        Raises:
            Refusal: none comes: the runtime refused, ended its process, or took longer than TIME_LIMIT_S.
        """
        self._send(question, arguments)
        return self._answer("running it")

    def each(self, question: str, *arguments: Any) -> Iterator[Any]:
        """Answers until there are no more; errors as :meth:`ask`."""
        self._send(question, arguments)
        while (answer := self._answer("running it")) is not None:
            yield answer

    def end(self) -> None:
        """Have no child any more."""
        for stream in (self._asks, self._answers):
            with contextlib.suppress(OSError):
                stream.close()
        self._process.kill()
        self._process.wait()
        self._words.close()

    def _send(self, question: str, arguments: tuple) -> None:
        if self._ended:
            raise Refusal(self._ended)
        # A photo is larger than a pipe: a child that does not read would hold this process as well.
        limit = threading.Timer(TIME_LIMIT_S, self._give_up)
        limit.start()
        try:
            self._asks.send((question, *arguments))
        except OSError:
            pass  # it has ended: how is told by its answer
        finally:
            limit.cancel()

    def _answer(self, doing: str) -> Any:
        try:
            if self._answers.poll(TIME_LIMIT_S):
                answer = self._answers.recv()
                if not isinstance(answer, _Refused):
                    return answer
                why = str(answer)
            else:
                why = _no_answer()
        except (EOFError, OSError):
            why = self._how_it_ended()
        self._process.kill()
        self._ended = f"Core AI's runtime failed at {doing}, {self.path}: {why}; export it again with this toolkit"
        raise Refusal(self._ended)

    def _give_up(self) -> None:
        self._late = True
        self._process.kill()

    def _how_it_ended(self) -> str:
        if self._late:
            return _no_answer()
        status = self._process.wait()
        how = f"its process was ended by {signal.Signals(-status).name}" if status < 0 else f"it ended with {status}"
        self._words.seek(max(0, self._words.seek(0, os.SEEK_END) - LAST_WORDS))
        last = " ".join(self._words.read().decode(errors="replace").split())
        return how + (f", its last words: {last}" if last else "")


def _no_answer() -> str:
    return f"no answer within {TIME_LIMIT_S:g} s"


class _Refused(Exception):
    """What the child answers in the place of an answer."""


class _Served:
    """The child's side: the opened model."""

    def __init__(self, model: Any, runtime: Any) -> None:
        self._model, self._runtime = model, runtime

    async def score(self, inputs: Mapping[str, np.ndarray]) -> float:
        """Of one photo."""
        if not hasattr(self, "_main"):
            self._main = self._model.load_function("main")
        return await self._score(self._main, inputs)

    async def operator_times(self, inputs: Mapping[str, np.ndarray], runs: int) -> list[tuple[str, str, float]]:
        """(name, operator, ms) of each operator of each run but the first, which allocates."""
        import time

        begun, times, seen = [], [], {}

        def begin(event) -> int:
            begun.append(time.perf_counter())
            return len(begun) - 1

        def end(event, place: int) -> None:
            took_ms = (time.perf_counter() - begun[place]) * 1000
            operator = event.event_id.removeprefix("call.")
            if operator != event.event_id and operator.startswith("coreai."):
                seen[operator] = seen.get(operator, -1) + 1
                times.append((name_of(operator, seen[operator]), operator, took_ms))

        profiler = self._runtime.Profiler(on_log_event_begin=begin, on_log_event_end=end)
        main = self._model.load_function("main", profiler=profiler)
        await self._score(main, inputs)
        counted = []
        for _ in range(runs):
            times.clear(), seen.clear()
            await self._score(main, inputs)
            counted += times
        return counted

    async def tensors(self, inputs: Mapping[str, np.ndarray], send) -> None:
        """Send (name, array) of every operator's float results."""
        import numpy as np

        seen: dict[int, str] = {}

        def begin(event) -> int:
            if event.event_id.startswith("call.coreai."):
                seen.setdefault(event.compile_ids.id, f"{event.event_id.removeprefix('call.')} {len(seen)}")
            return 0

        profiler = self._runtime.Profiler(on_log_event_begin=begin, on_log_event_end=lambda event, place: None)
        await self._score(self._model.load_function("main", profiler=profiler), inputs)

        def hear(*told) -> None:
            ids = next(part for part in told if isinstance(part, self._runtime.CompileIdentifiers))
            values = [value for part in told if isinstance(part, list) for value in part if value is not None]
            for value in values:
                numbers = np.array(self._runtime.NDArray._wrap(value).numpy())
                if numbers.dtype == np.float32:
                    send((seen[ids.id], numbers))

        asked = [self._runtime.CompileIdentifiers(identifier) for identifier in seen]
        logger = self._runtime.IntermediateLogger(asked, hear)
        await self._score(self._model.load_function("main", intermediate_logger=logger), inputs)
        send(None)

    async def _score(self, function, inputs: Mapping[str, np.ndarray]) -> float:
        results = await function({name: self._runtime.NDArray(value) for name, value in inputs.items()})
        return float(results["score"].numpy().item())


def name_of(operator: str, number: int) -> str:
    """What the ``number``-th operator of a kind is called, from 0, in the order of execution."""
    return f"{operator}_{number}"


async def serve(path: Path, asks: Connection, answers: Connection) -> None:
    """The child's side: open the model, then answer until the parent is gone."""
    authoring = backend("coreai.authoring", "coreai")  # first: coreai.runtime before it is a circular import
    runtime = backend("coreai.runtime", "coreai")

    # The CPU alone, on Apple's systems too: float32, so that parity means the file and not a kernel.
    chosen = getattr(runtime, "SpecializationOptions", None)
    options = chosen.cpu_only() if chosen is not None and chosen.is_supported() else None
    async with authoring.AIModelAsset.load(path).executable(options) as model:
        served = _Served(model, runtime)
        answers.send("open")
        while True:
            question, *arguments = asks.recv()
            try:
                if question == "tensors":
                    await served.tensors(*arguments, answers.send)
                else:
                    answers.send(await getattr(served, question)(*arguments))
            except Exception as error:  # the runtime's exceptions share no base but Exception
                answers.send(_Refused(f"{type(error).__name__}: {' '.join(str(error).split())}"))


def main(path: str, asks: str, answers: str) -> None:
    """``python -m lariqa.runtimes.coreai FOLDER DESCRIPTOR DESCRIPTOR``: what the parent starts."""
    import asyncio

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the parent ends this one
    told = Connection(int(answers), readable=False)
    try:
        asyncio.run(serve(Path(path), Connection(int(asks), writable=False), told))
    except (EOFError, BrokenPipeError):  # the parent is gone
        pass
    except Exception as error:
        told.send(_Refused(f"{type(error).__name__}: {' '.join(str(error).split())}"))
    sys.stdout.flush(), sys.stderr.flush()
    os._exit(0)  # the runtime sometimes aborts while the interpreter cleans up


RUNTIME = Runtime(
    format="coreai",
    suffix=".aimodel",
    precisions=("fp32", "fp16", "w8"),
    sessions=SESSIONS,
    modules=(),  # its own process imports it
    open=CoreAIRunner,
    metadata=read_metadata,
    experimental=True,
)

if __name__ == "__main__":
    # As a module of its own name: pickles of __main__ would not be found by the parent.
    from lariqa.runtimes import coreai

    coreai.main(*sys.argv[1:])
