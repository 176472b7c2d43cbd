"""Syncs by the kernel's own asynchronous I/O (Linux, io_submit(2)): no thread, so none that fights the
event loop for the interpreter.

A sync in a thread costs the loop more than the sync itself: each of the thread's few lines of Python
takes the interpreter from it, a dozen times a commit. Written with ctypes: four calls of one system
interface, for which the packages at hand bring a thread pool or a compiler.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import platform
from collections.abc import Callable
from typing import Final

# Numbers of io_setup, io_destroy, io_getevents, io_submit.
_CALLS: Final = {"x86_64": (206, 207, 208, 209), "aarch64": (0, 1, 4, 2), "riscv64": (0, 1, 4, 2)}
_SYNC_DATA: Final = 3  # IOCB_CMD_FDSYNC
_TELL_EVENTFD: Final = 1  # IOCB_FLAG_RESFD

Done = Callable[[OSError | None], None]


class _Request(ctypes.Structure):
    """struct iocb of linux/aio_abi.h on a little-endian machine."""

    _fields_ = (
        ("data", ctypes.c_uint64),
        ("key", ctypes.c_uint32),
        ("rw_flags", ctypes.c_int32),
        ("opcode", ctypes.c_uint16),
        ("priority", ctypes.c_int16),
        ("file", ctypes.c_uint32),
        ("buffer", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
        ("offset", ctypes.c_int64),
        ("reserved", ctypes.c_uint64),
        ("flags", ctypes.c_uint32),
        ("eventfd", ctypes.c_uint32),
    )


class _Event(ctypes.Structure):
    """struct io_event of linux/aio_abi.h."""

    _fields_ = (
        ("data", ctypes.c_uint64),
        ("request", ctypes.c_uint64),
        ("result", ctypes.c_int64),
        ("result2", ctypes.c_int64),
    )


class KernelSync:
    """One sync at a time, begun and heard of on the event loop."""

    __slots__ = (
        "_call", "_context", "_destroy", "_done", "_event", "_eventfd", "_get", "_loop", "_request",
        "_requests", "_submit",
    )  # fmt: skip

    def __init__(self) -> None:
        """Raises: OSError where the kernel does not offer it, or not to us."""
        numbers = _CALLS.get(platform.machine())
        if numbers is None or not hasattr(os, "eventfd"):
            raise OSError("no asynchronous sync on this machine")
        # PyDLL keeps the interpreter: the calls do not wait, and giving it away costs more than they do.
        self._call = ctypes.PyDLL(None, use_errno=True).syscall
        self._context = ctypes.c_ulong(0)
        self._done: Done | None = None
        setup, self._destroy, self._get, self._submit = numbers
        self._system(setup, ctypes.c_uint(1), ctypes.byref(self._context))
        self._eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._request = _Request(opcode=_SYNC_DATA, flags=_TELL_EVENTFD, eventfd=self._eventfd)
        self._requests = (ctypes.POINTER(_Request) * 1)(ctypes.pointer(self._request))
        self._event = _Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._eventfd, self._heard)

    def begin(self, fd: int, done: Done) -> None:
        """What was written to `fd` is on the disk when the loop calls `done(None)`; or it tells the error.

        Raises: OSError: it was not begun, and `done` is not called.
        """
        self._request.file = fd
        self._system(self._submit, self._context, ctypes.c_long(1), self._requests)
        self._done = done

    def close(self) -> None:
        """Nothing is under way any more, nothing is called any more."""
        self._loop.remove_reader(self._eventfd)
        with contextlib.suppress(OSError):
            self._system(self._destroy, self._context)
        os.close(self._eventfd)

    def _heard(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._eventfd)
        one = ctypes.c_long(1)
        if not self._system(self._get, self._context, ctypes.c_long(0), one, ctypes.byref(self._event), None):
            return
        done, self._done = self._done, None
        if done is not None:
            result = self._event.result
            done(OSError(-result, os.strerror(-result)) if result < 0 else None)

    def _system(self, number: int, *arguments: object) -> int:
        result = int(self._call(ctypes.c_long(number), *arguments))
        if result < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        return result
