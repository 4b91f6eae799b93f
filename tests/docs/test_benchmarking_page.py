"""docs/benchmarking.md explains every section of a report, and every flag."""

import ast
import re

from tests.support.documents import HOUSE

PAGE = (HOUSE / "docs" / "benchmarking.md").read_text(encoding="utf-8")


def test_every_section_of_the_page_is_explained():
    source = (HOUSE / "benchmarks" / "report" / "report.py").read_text(encoding="utf-8")
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    titles = [call.args[1].value for call in calls if getattr(call.func, "id", "") == "Section"]
    assert len(titles) > 10 and "Score parity" in titles
    assert not [title for title in titles if title not in PAGE]


def test_every_flag_is_explained():
    source = (HOUSE / "benchmarks" / "measure" / "validity.py").read_text(encoding="utf-8")
    flags = re.findall(r'f"([a-z ]+?)(?:: | by )', source)
    assert len(flags) == 6 and not [flag for flag in flags if f"| {flag} |" not in PAGE], flags
