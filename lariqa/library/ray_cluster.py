"""Ray for the time of one run: a cluster that is there, or this machine alone; quiet, and silent to the network."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lariqa.backends import backend
from lariqa.errors import Refusal
from lariqa.library.cpus import usable_cpus

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
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        ray = backend("ray", "ray")
        if not ray.is_initialized():
            options: dict[str, Any] = {"address": self.address or "local"}
            if not self.address:
                options |= {
                    "num_cpus": max(self.asked or 0, usable_cpus()),
                    "include_dashboard": False,
                    "object_store_memory": STORE_BYTES,
                }
            try:
                ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
            except (ConnectionError, ValueError, RuntimeError) as error:
                said = " ".join(str(error).split())
                raise Refusal(f"no Ray cluster can be reached or begun: {said}") from error
            self._began = True
        has = ray.cluster_resources()
        if self.device != "cpu" and not has.get("GPU"):
            self.__exit__()
            raise Refusal(f"--device {self.device} takes one GPU for each actor, and the cluster has none")
        self.workers = self.asked or max(1, int(has.get("CPU" if self.device == "cpu" else "GPU", 1)))
        return self

    def __exit__(self, *error) -> None:
        if self._began:
            backend("ray", "ray").shutdown()

    def shared(self, model: str | os.PathLike) -> Any:
        """The model's bytes in Ray's store, for nodes that do not have it; None on one machine, or for a folder."""
        path = Path(model)
        if not self.address or not path.is_file() or path.stat().st_size > MOST_SENT_BYTES:
            return None
        return backend("ray", "ray").put(path.read_bytes())


# Ray tells its makers what runs where, unless it is told not to; and its core prints advice for developers.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal", "RAY_DEDUP_LOGS": "1"}


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
