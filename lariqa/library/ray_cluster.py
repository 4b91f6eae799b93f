"""Ray for the time of one run: a cluster that is there, or this machine alone; quiet, and silent to the network."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lariqa.backends import backend
from lariqa.cpus import usable_cpus
from lariqa.errors import Refusal

STORE_BYTES = 200_000_000  # of shared memory on one machine; tables of names and scores are small
MOST_SENT_BYTES = 2_000_000_000  # of a model


class Cluster:
    """A connection to Ray; as a context manager, it ends what it began.

    Args:
        address: of a cluster; None: RAY_ADDRESS, else this machine alone.
        workers: actors; None: one for each processor or GPU.
        device: "cpu" or another.

    Raises:
        Refusal: Ray is not installed, no cluster is there, or it has no GPU.
    """

    def __init__(self, address: str | None, workers: int | None, device: str) -> None:
        self.address, self.asked, self.device = address or os.environ.get("RAY_ADDRESS"), workers, device
        self._began = False

    def __enter__(self) -> Cluster:
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        ray = backend("ray", "ray")
        imports = threading.Thread(target=backend, args=("ray.data", "ray"))  # seconds, while Ray's processes start
        imports.start()
        if not ray.is_initialized():
            options: dict[str, Any] = {"address": self.address or "local"}
            if not self.address:
                processes = (self.asked or usable_cpus()) + HELPERS
                options |= {
                    "num_cpus": processes,
                    "include_dashboard": False,
                    "object_store_memory": STORE_BYTES,
                    "_system_config": {
                        "preload_python_modules": PRELOADED,
                        "worker_maximum_startup_concurrency": processes,
                    },
                }
            try:
                with _no_stderr():
                    ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
            except (ConnectionError, ValueError, RuntimeError) as error:
                said = " ".join(str(error).split())
                where = f"at {self.address} (has it a token? then RAY_AUTH_MODE=token)" if self.address else "here"
                raise Refusal(f"no Ray cluster could be used {where}: {said}") from error
            self._began = True
        imports.join()
        has = ray.cluster_resources()
        if self.device != "cpu" and not has.get("GPU"):
            self.__exit__()
            raise Refusal(f"--device {self.device} takes one GPU for each actor, and the cluster has none")
        if self._alone and self.device == "cpu":
            self.workers = self.asked or usable_cpus()
        else:
            self.workers = self.asked or max(1, int(has.get("CPU" if self.device == "cpu" else "GPU", 1)))
        return self

    @property
    def _alone(self) -> bool:
        """Whether Ray is on this machine alone, and began with this run."""
        return self._began and not self.address

    def __exit__(self, *error) -> None:
        if self._began:
            backend("ray", "ray").shutdown()

    def shared(self, model: str | os.PathLike) -> Any:
        """The model's bytes in Ray's store, for nodes that do not have it; None on one machine, or for a folder."""
        path = Path(model)
        if not self.address or not path.is_file() or path.stat().st_size > MOST_SENT_BYTES:
            return None
        return backend("ray", "ray").put(path.read_bytes())


# Ray tells its makers what runs where, unless it is told not to; its core prints advice for developers; and its workers
# give way to all other programs, so that on a desk they would score when nobody else wants the processor.
SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal", "RAY_worker_niceness": "0"}
HELPERS = 4  # processes of Ray Data that take no processor; Ray starts a process for each that it is told of, at once
PRELOADED = ["ray.data", "lariqa.library.ray_actor"]  # by Ray's workers as they start, while this process still imports


@contextlib.contextmanager
def _no_stderr() -> Iterator[None]:
    """Ray's core says on stderr that it was told to say nothing."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept), os.close(nowhere)


@contextlib.contextmanager
def quiet_context() -> Iterator[Any]:
    """A context for Ray Data without progress bars and logs on the terminal; the user's own is there again after it."""
    context_of = backend("ray.data", "ray").DataContext
    context = context_of.get_current().copy()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logger = logging.getLogger("ray.data")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with context_of.current(context):
            yield context
    finally:
        logger.setLevel(before)
