"""Modules load faster when two libraries leave undone what nobody needs. To be called before anything large is imported."""

from __future__ import annotations

import contextlib


def leave_sources_unread() -> None:
    """PySide reads the source of every module that is imported after it and keeps the lines.

    It wants to know by its own name in them where its "features" (snake_case names) could be switched; nothing is switched here.
    Told that all of them have that name, it reads none. There is no setting for this: a PySide that looks in another way goes on
    doing so.
    """
    with contextlib.suppress(ImportError):
        import shiboken6  # noqa: F401 - brings the next one along
        from shibokensupport import feature

        if hasattr(feature, "_mod_uses_pyside"):
            feature._mod_uses_pyside = lambda _module: True


def leave_processor_unnamed() -> None:
    """h5py takes one field of `platform.uname()`, for which Python finds out all, and the last one by running `uname -p`.

    "" is what Python says where nobody knows. A cached property of the standard library: named here, it is not looked for.
    """
    import platform

    platform.uname().__dict__["processor"] = ""
