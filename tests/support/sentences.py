"""Every sentence that a user can be refused with, read from the sources: in Python, Kotlin, Swift and TypeScript.

Where a sentence has a fact in it, ``…`` stands. What is computed as a whole (``Refusal(str(error))``) is left out.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[2]
FLOORS = ("lariqa", "lariqa_train", "export", "benchmarks", "lariqa_cli")
FACT = "…"
CALLS = re.compile(r"(Refusal|complain|DeviceLost|PhotoRefused)$")
LEAST_LETTERS = 12  # of a sentence's own words; with fewer there is nothing to look up


@dataclass(frozen=True)
class Sentence:
    """One of them, and where it is."""

    text: str
    where: str


def _texts(node: ast.AST, constants: dict[str, ast.AST]) -> list[str]:
    """What an expression may say; several where it chooses."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else FACT for part in node.values)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [a + b for a in _texts(node.left, constants) for b in _texts(node.right, constants)]
    if isinstance(node, ast.IfExp):
        return _texts(node.body, constants) + _texts(node.orelse, constants)
    if isinstance(node, ast.Name) and node.id in constants:
        return _texts(constants[node.id], {})
    return [FACT]


def python_sentences() -> list[Sentence]:
    """Of all floors."""
    found = []
    for file in sorted(path for floor in FLOORS for path in (HOUSE / floor).rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and CALLS.search(ast.unparse(node.func)):
                where = f"{file.relative_to(HOUSE)}:{node.lineno}"
                found += [Sentence(text, where) for text in _texts(node.args[0], constants)]
    return _telling(found)


def app_sentences() -> list[Sentence]:
    """Of the three apps: what their own refusals say."""
    found = []
    kotlin = next((HOUSE / "android_demo").rglob("Sentence.kt"))
    for name, body in re.findall(r"^    ([A-Z_]+)\(\s*((?:\"(?:[^\"\\]|\\.)*\"[\s+]*)+)", kotlin.read_text(), re.M):
        text = "".join(re.findall(r"\"((?:[^\"\\]|\\.)*)\"", body))
        found.append(Sentence(re.sub(r"%\d\\\$s", FACT, text), f"{kotlin.relative_to(HOUSE)}: {name}"))
    for folder, suffix in (("ios_demo/Sources", ".swift"), ("web_demo/src", ".ts")):
        for file in sorted((HOUSE / folder).rglob(f"*{suffix}")):
            for start in re.finditer(r"\bRefusal\(", file.read_text(encoding="utf-8")):
                text = _literals(file.read_text(encoding="utf-8")[start.end() :])
                if text:
                    found.append(Sentence(text, str(file.relative_to(HOUSE))))
    return _telling(found)


def _literals(code: str) -> str:
    """The string literals of one argument, joined; facts in them as FACT. Up to the call's closing parenthesis."""
    said, depth, at = [], 1, 0
    while at < len(code) and depth:
        letter = code[at]
        if letter in "\"'`":
            text, at = _literal(code, at)
            said.append(text)
            continue
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 1 and said:
            break
        at += 1
    return "".join(said)


def _literal(code: str, at: int) -> tuple[str, int]:
    """(its text, the place after it) of the literal that begins at a place."""
    quote, said = code[at], []
    at += 1
    while code[at] != quote:
        opens = {"\\(": ("(", ")"), "${": ("{", "}")}.get(code[at : at + 2])
        if opens:
            said.append(FACT)
            at, depth = at + 2, 1
            while depth:
                depth += {opens[0]: 1, opens[1]: -1}.get(code[at], 0)
                at += 1
        elif code[at] == "\\":
            said.append(code[at + 1])
            at += 2
        else:
            said.append(code[at])
            at += 1
    return "".join(said), at + 1


def _telling(found: list[Sentence]) -> list[Sentence]:
    return [one for one in found if len(re.sub(r"[^A-Za-z]", "", one.text)) >= LEAST_LETTERS]
