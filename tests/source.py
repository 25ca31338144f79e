"""The project's own source, as syntax trees, for the tests that read it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ("profiles", "quarantine", "optout", "delivery", "campaign")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def app(self) -> str:
        return self.name.split("/")[0]

    def at(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}"

    @cached_property
    def walked(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    def nodes(self, *kinds: type[ast.AST]) -> Iterator:
        return (node for node in self.walked if isinstance(node, kinds))


@cache
def sources(*folders: str) -> list[Source]:
    """Read every Python file below the folders, migrations left out."""
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return [
        read(path)
        for path in sorted(paths)
        if "migrations" not in path.parts and path.stat().st_size
    ]


@cache
def read(path: Path) -> Source:
    text = path.read_text("utf-8")
    return Source(path, text, ast.parse(text))


def app_sources() -> list[Source]:
    return sources(*APPS)


def test_sources() -> list[Source]:
    return sources("tests")


test_sources.__test__ = False


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.*"))


def dotted(node: ast.AST) -> str:
    """Write `a.b.c` of an expression, or empty when it is anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    return ""
