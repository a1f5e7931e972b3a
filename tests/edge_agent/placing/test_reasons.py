"""Whatever the code counts by name is in the one table of reasons, with words for a school's IT."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import pytest

from edge_agent import sources
from edge_agent.identity import directory
from edge_agent.leaving import rules
from edge_agent.placing import collector, daykeys
from edge_agent.placing import placer as own_placer
from edge_agent.placing.reasons import HELD_BACK, OF_SOURCES, OF_THE_AGENT, reason
from edge_agent.remote import admission, day_table, placer
from shared import exports, mapping

COUNTING = ("refuse", "pass_over", "BadInput", "Miss")
OF_A_TABLE = {"table_malformed", "table_too_large"}  # refused whole, and not counted
COUNTED = ("refused", "unmatched", "outside", "late")


def of_sources() -> list[ModuleType]:
    names = [found.name for found in pkgutil.iter_modules(sources.__path__, f"{sources.__name__}.")]
    return [
        *map(importlib.import_module, names),
        collector,
        own_placer,
        directory,
        day_table,
        placer,
        exports,
        mapping,
    ]


def texts(node: ast.expr | None, module: ModuleType) -> Iterator[str]:
    """Texts that an expression may come to, as far as they are written down."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*texts(body, module), *texts(orelse, module))
        case ast.Tuple(elts=[first, *_]):
            yield from texts(first, module)
        case ast.Name(id=name):
            known = getattr(module, name, None)
            if isinstance(known, str):
                yield known


def reasons_in(module: ModuleType) -> set[str]:
    """What a module refuses or passes over by, as its calls and the answers of its functions say it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[*args]) if (
                name in COUNTING
            ):
                found.update(texts(args[-1] if name == "Miss" else args[0], module) if args else ())
            case ast.Subscript(value=ast.Subscript(slice=ast.Constant(value=what)), slice=key) if (
                what in COUNTED
            ):
                found.update(texts(key, module))
            case ast.FunctionDef(returns=returns) if returns is not None and _may_be_a_reason(returns):
                answers = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return)]
                found.update(text for answer in answers for text in texts(answer, module))
    return found


def _may_be_a_reason(returns: ast.expr) -> bool:
    """`Fact | str`, and that with something beside it."""
    kinds = {part.strip() for part in ast.unparse(returns).removeprefix("tuple[").split("|")}
    return any(kind.startswith("str") for kind in kinds) and len(kinds - {"None"}) > 1


@pytest.mark.parametrize("module", of_sources(), ids=lambda module: module.__name__)
def test_whatever_a_source_counts_is_in_the_table(module: ModuleType) -> None:
    assert reasons_in(module) <= OF_SOURCES.keys() | OF_A_TABLE


def test_reasons_are_found_where_they_are_written() -> None:
    found = set[str]().union(*map(reasons_in, of_sources()))
    assert {"forged_name", "cut_off", "no_internal_address", "to_nobody", "staff", "background"} <= found
    assert len(found) > 60


def test_no_reason_of_a_source_is_there_that_nobody_counts() -> None:
    written = "".join(map(inspect.getsource, [*of_sources(), daykeys]))
    assert [code for code in OF_SOURCES if f'"{code}"' not in written] == []


def test_what_admission_and_leaving_count_has_words() -> None:
    assert {admission.NOT_THERE, admission.REPEATED, admission.TOO_MANY, daykeys.LOST} <= OF_THE_AGENT.keys()
    assert "few_teachers" in HELD_BACK and "few_teachers" in inspect.getsource(rules)


def test_a_code_is_in_one_table_and_its_words_are_no_code() -> None:
    tables = (OF_SOURCES, OF_THE_AGENT, HELD_BACK)
    assert len({code for table in tables for code in table}) == sum(map(len, tables))
    for table in tables:
        for code, words in table.items():
            assert reason(code) is words
            assert "_" not in words.means + words.helps
            assert words.means != code.replace("_", " ")


def test_an_unknown_code_is_said_as_it_is() -> None:
    assert reason("made_by_nobody").means == "made by nobody"
