"""The shape of the house: sizes, one place that commits, nothing imported late, nothing caught blindly."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.sources import product

LONGEST_FILE, LONGEST_FUNCTION = 300, 40
ONE_LONG_TABLE = {"app/security/policy.py"}
"""The statute: parting it would hide half of it."""
COMMITS = {"models/database.py"}
CATCHES_ALL = {"app/cli/doctor.py", "app/jobs/worker.py"}
"""A doctor reports whatever is wrong; a worker outlives every job."""
CATCHES_BASE = {"app/intake/workbook.py", "app/cli/imports.py"}
"""A panic of the reader in Rust; a file of passwords that is removed when its import fails."""
SQL_AS_TEXT = {"app/cli/doctor.py", "app/cli/installation.py", "app/security/ledger.py"}


def _own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body: without the docstring, and without the functions inside, which are counted themselves."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    inner = [item for item in body if isinstance(item, ast.FunctionDef)]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 - sum((f.end_lineno or 0) - f.lineno + 1 for f in inner)


def _calls(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if (isinstance(called, ast.Name) and called.id == name) or (
                isinstance(called, ast.Attribute) and called.attr == name
            ):
                yield node


def test_a_file_has_one_subject() -> None:
    long = [
        path
        for path, tree in product()
        if (tree.body and (tree.body[-1].end_lineno or 0) > LONGEST_FILE) and path not in ONE_LONG_TABLE
    ]
    assert long == []


def test_a_function_fits_on_a_screen() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in product()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _own_lines(node) > LONGEST_FUNCTION
    ]
    assert long == []


def test_there_is_one_commit() -> None:
    found = {path for path, tree in product() for call in _calls(tree, "commit") if not call.args and not call.keywords}
    assert found == COMMITS


def test_nothing_is_imported_inside_a_function() -> None:
    late = [
        f"{path}:{item.lineno}"
        for path, tree in product()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for item in ast.walk(node)
        if isinstance(item, ast.Import | ast.ImportFrom)
    ]
    assert late == []


def test_errors_are_caught_by_name() -> None:
    blind: dict[str, set[str]] = {"Exception": set(), "BaseException": set(), "": set()}
    for path, tree in product():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                name = node.type.id if isinstance(node.type, ast.Name) else "" if node.type is None else "named"
                if name in blind:
                    blind[name].add(path)
    assert blind == {"Exception": CATCHES_ALL, "BaseException": CATCHES_BASE, "": set()}


def test_sql_is_written_as_text_only_where_the_language_has_no_word_for_it() -> None:
    found = {path for path, tree in product() if path.startswith("app/") for _ in _calls(tree, "text")}
    assert found == SQL_AS_TEXT


def test_the_clock_is_asked_in_one_place() -> None:
    asked = [
        f"{path}:{node.lineno}"
        for path, tree in product()
        if path != "models/moment.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"} and _is_clock(node.value)
    ]
    assert asked == []


def _is_clock(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"datetime", "date"}


def test_every_module_and_every_public_name_of_the_core_says_what_it_is_for() -> None:
    silent = [path for path, tree in product() if not path.endswith("__init__.py") and ast.get_docstring(tree) is None]
    silent += [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in product()
        if path.startswith(("models/", "ml/", "app/security/"))
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and ast.get_docstring(node) is None
    ]
    assert silent == []
