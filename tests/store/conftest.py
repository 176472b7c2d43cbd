"""Coroutine tests of the store each run in an event loop of their own."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from gatepost.store.disk import Disk


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(params=["kernel", "thread"])
def syncs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs with each of the ways to sync."""
    monkeypatch.setattr(Disk, "kernel_syncs", request.param == "kernel")
