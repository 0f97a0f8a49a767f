"""Keeps the process small on a small board: what the C library's allocator is asked to do.

1. One arena: each thread (spool, reader) would otherwise keep a heap of its own that is never given back.
2. What the imports have left free goes back to the system once everything is loaded.

A C library without these calls (musl) is left as it is.
"""

import ctypes

# malloc.h
_M_ARENA_MAX = -8


def one_arena() -> None:
    """Before any thread is started."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """After everything is loaded."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
