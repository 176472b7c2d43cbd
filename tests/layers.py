"""The order in which Gatepost's packages may import each other, and what pure packages may not touch.

Run as a program it checks a source tree and prints each breach; the exit status is 1 when there is one.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ORDER: tuple[tuple[str, ...], ...] = (
    ("value",),
    ("secret",),
    ("log",),
    ("meter",),
    ("service",),
    ("wholefile",),
    ("mail",),
    ("wire",),
    ("smtp",),
    ("pop3",),
    ("policy",),
    ("config",),
    ("store",),
    ("guard",),
    ("directory",),
    ("login",),
    ("server", "delivery"),
    ("admin",),
    ("console", "cli"),
    ("worker",),
    ("supervisor",),
    ("renewing",),
    ("consoling",),
    ("housekeeping",),
    ("daemon",),
    ("__main__",),
)
"""A package imports only from lines above its own, and from itself."""

PURE = frozenset({"mail", "wire", "smtp", "pop3", "policy"})
IMPURE_MODULES = frozenset(
    {
        "asyncio", "concurrent", "ctypes", "fcntl", "glob", "http", "httpx", "logging",
        "multiprocessing", "os", "pathlib", "queue", "random", "secrets", "select", "selectors",
        "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading",
        "time", "urllib", "uvloop"
    }
)  # fmt: skip
"""Modules that wait, do I/O, tell the time or give chance: in a pure package these are arguments."""
IMPURE_CALLS = frozenset({"now", "utcnow", "today", "urandom", "uuid1", "uuid4", "open", "print", "input"})
LINES_LIMIT = 400

STARTS_THE_DAEMON = frozenset({"__main__", "cli.run", "cli.main"})
"""Modules that may import the daemon though it stands below them: they start it, nothing else."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One line that breaks a rule."""

    path: Path
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, absolute, and the line that does it."""

    module: str
    line: int


def breaches(root: Path) -> list[Breach]:
    """Every breach in the package folder `root` (…/src/gatepost)."""
    found: list[Breach] = []
    for path in sorted(root.rglob("*.py")):
        found.extend(file_breaches(root, path))
    return found


def file_breaches(root: Path, path: Path) -> Iterator[Breach]:
    """The breaches of one file below `root`."""
    text = path.read_text(encoding="utf-8")
    if (lines := text.count("\n")) > LINES_LIMIT:
        yield Breach(path, lines, f"{lines} lines; the limit is {LINES_LIMIT}: a file holds one noun")
    tree = ast.parse(text, str(path))
    module = ".".join(path.relative_to(root).with_suffix("").parts)
    package = module.split(".", 1)[0]
    if package == "__init__":
        return
    if module != "__main__" and _rank(package) is None:
        yield Breach(path, 1, f"{package} has no place in the import order")
        return
    for imported in imports(tree, root.name, path.relative_to(root)):
        yield from _import_breaches(path, root.name, module, imported)
    if package in PURE:
        yield from _call_breaches(path, package, tree)


def imports(tree: ast.Module, top: str, relative: Path) -> Iterator[Import]:
    """Every module that `tree` imports anywhere in it, functions and type-checking blocks too."""
    here = [top, *relative.parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*here[: len(here) - node.level + 1], *([base] if base else [])])
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", node.lineno)


def _rank(package: str) -> int | None:
    return next((rank for rank, line in enumerate(ORDER) if package in line), None)


def _import_breaches(path: Path, top: str, module: str, imported: Import) -> Iterator[Breach]:
    package = module.split(".", 1)[0]
    parts = imported.module.split(".")
    if parts[0] != top:
        if package in PURE and parts[0] in IMPURE_MODULES:
            yield Breach(path, imported.line, f"{package} is pure and imports {parts[0]}")
        return
    target = parts[1] if len(parts) > 1 else ""
    rank, other = _rank(package), _rank(target)
    if target == package or other is None:
        return  # a name of the top package itself (its version) is no package
    if module in STARTS_THE_DAEMON and target == "daemon":
        return
    if rank is None or other >= rank:
        yield Breach(path, imported.line, f"{package} imports {target}, which does not stand above it")


def _call_breaches(path: Path, package: str, tree: ast.Module) -> Iterator[Breach]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = (
            function.attr
            if isinstance(function, ast.Attribute)
            else function.id
            if isinstance(function, ast.Name)
            else ""
        )
        if name in IMPURE_CALLS:
            yield Breach(path, node.lineno, f"{package} is pure and calls {name}()")


def main(arguments: list[str]) -> int:
    """Prints the breaches of the package folder named; 1 when there is one."""
    found = breaches(Path(arguments[0]))
    for breach in found:
        print(breach)
    print(f"layers: {len(found)} breaches" if found else "layers: the import order holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
