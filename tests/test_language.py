"""The project is written in plain English: no banned words, and first sentences of docstrings that are short.

The rules are in CONTRIBUTING.md. They hold for comments, docstrings, names of tests, templates and pages of docs.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import lru_cache

import pytest

from tests.tour import ROOT

BANNED = re.compile(
    r"\b(whoever|whom|told|tells|says|so many|so long|anew|all the same|be it|as far as|stands for|is about|what is"
    r"|by now|in vain|for who|rooms|floors|house|the ground|mak(?:es?|ing) way|bur(?:y|ies|ied|ying)|farewells?"
    r"|the dead(?![- ]letter)|carr(?:y|ies|ied|ying) out|carried out|puts? aside|putting aside)\b",
    re.IGNORECASE,
)
LONGEST = 20
"""Words of the first sentence of a docstring; more is two thoughts."""
FOLDERS = ("eventsite", "events", "registrations", "users", "tests")
THIS = "tests/test_language.py"  # which has to name what is banned


def files() -> list[str]:
    """All that is written by hand, as paths below the root."""
    code = [path for folder in FOLDERS for kind in ("*.py", "*.html", "*.txt") for path in (ROOT / folder).rglob(kind)]
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    names = sorted(str(path.relative_to(ROOT)) for path in [*code, *pages])
    return [name for name in names if name not in (THIS, "CHANGELOG.md")]


def prose(name: str, text: str) -> Iterator[str]:
    """The parts of a file that a person reads: of code, its comments, docstrings and names of tests."""
    if name.endswith(".py"):
        yield from comments(text)
        for node in statements(parsed(text)):
            yield from docstrings(node)
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node.name.replace("_", " ")
    elif name.endswith(".md"):
        yield re.sub(r"(?ms)^```.*?^```$|`[^`]*`", " ", text)
    else:
        yield re.sub(r"(?s)\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", text)


@lru_cache(1)
def parsed(source: str) -> ast.Module:
    return ast.parse(source)


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a module and all its statements, which are a twentieth of its nodes."""
    yield node
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        children = getattr(node, name, None)
        for child in children if isinstance(children, list) else []:
            yield from statements(child)


def comments(source: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def docstrings(node: ast.AST) -> Iterator[str]:
    """What is said of a module, class or function, and the strings below constants and attributes."""
    body = getattr(node, "body", None)
    for child in body if isinstance(body, list) else []:
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant) and isinstance(child.value.value, str):
            yield child.value.value


def without_code(text: str) -> str:
    return re.sub(r"``[^`]*``|`[^`]*`|\"[^\"\n]*\"", "x", text)


def first_sentence(docstring: str) -> str:
    """Up to the first full stop, or the end of the first paragraph."""
    paragraph = " ".join(without_code(docstring).strip().partition("\n\n")[0].split())
    return re.split(r"(?<=[.?!])\s+(?=[A-Z`])", paragraph)[0]


def is_long(sentence: str) -> bool:
    """True if it has too many words, a semicolon or a chain of colons."""
    return len(sentence.split()) > LONGEST or ";" in sentence or sentence.count(":") > 1


def faults(name: str, text: str) -> list[str]:
    """What is wrong with a file, each fault with the words in question."""
    banned = [match[0] for part in prose(name, text) for match in BANNED.finditer(" ".join(without_code(part).split()))]
    found = [f"banned: {word!r}" for word in banned]
    if name.endswith(".py"):
        nodes = statements(parsed(text))
        documented = [node for node in nodes if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
        sentences = [first_sentence(docstring) for node in documented if (docstring := ast.get_docstring(node))]
        found += [f"long: {sentence}" for sentence in sentences if is_long(sentence)]
    return found


@pytest.fixture(autouse=True)
def tables() -> None:
    """Make no tables: these tests only read files."""


def test_it_is_plain() -> None:
    found = {name: faults(name, (ROOT / name).read_text()) for name in files()}
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('"""Whoever asks."""', "banned: 'Whoever'"),
        ("# it is told\n", "banned: 'told'"),
        ("def test_whom_it_may_concern() -> None: ...", "banned: 'whom'"),
        ('def f():\n    """Return one; then another."""', "long: Return one; then another."),
        (f'"""{"Many " * LONGEST}words."""', f"long: {'Many ' * LONGEST}words."),
    ],
)
def test_a_fault_is_found(text: str, fault: str) -> None:
    assert faults("any.py", text) == [fault]


@pytest.mark.parametrize("text", ['"""Return `whoever`."""', 'word = "told"', "# a background, a warehouse\n"])
def test_code_and_values_are_not_prose(text: str) -> None:
    assert faults("any.py", text) == []


if __name__ == "__main__":
    for each in files():
        for fault in faults(each, (ROOT / each).read_text()):
            print(f"{each}: {fault}")  # noqa: T201 (printing is its job)
