"""Large tensors come and go all the time while a model is evaluated: keep their memory instead of fetching it anew.

glibc takes every block above 32 MiB from the system and gives it back when it is freed; each page of it is then cleared
again at first touch. Over a hundred pictures that was 40 % of the processor's time (docs/experiments).
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # malloc.h


def keep_freed_memory() -> None:
    """From now on this process keeps what it frees, for its own next allocation. Not for one whose peak is measured."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:  # glibc's; others do as they like
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_TOP_PAD, 64 << 20)
