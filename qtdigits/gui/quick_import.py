"""Modules are loaded faster when PySide does not read their sources."""

from __future__ import annotations

import contextlib


def leave_sources_unread() -> None:
    """To be called before anything of Qt is imported.

    PySide reads the source of every module that is imported after it and keeps the lines, to know by its own name in them where
    its "features" (snake_case names) could be switched; nothing is switched here. Told that all of them have that name, it
    reads none. There is no setting for this: a PySide that looks in another way goes on doing so.
    """
    with contextlib.suppress(ImportError):
        import shiboken6  # noqa: F401 - brings the next one along
        from shibokensupport import feature

        if hasattr(feature, "_mod_uses_pyside"):
            feature._mod_uses_pyside = lambda _module: True
