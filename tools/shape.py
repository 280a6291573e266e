"""Checks the size budgets of the code: files, functions, classes; prints the worst of each.

Budgets: source file 400 lines (hard 600), test file 800, function 40 (hard 60), class 300 lines, 12 public methods.
A name in ALLOWED may exceed a soft budget, with a reason; nothing may exceed a hard one.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALLOWED: dict[str, str] = {
    "src/moonwire/store/directory.py:MemoryDirectory": "one public method for each question of its two ports",
    "src/moonwire/call/hearing.py:Hearing": "one public method for each word of the two listener ports it implements",
}
SOURCE_ROOTS = ("src", "bench", "tools", "examples")


def measure(path: Path) -> list[str]:
    """Return the complaints about one file."""
    name = str(path.relative_to(ROOT))
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    is_test = name.startswith("tests/")
    complaints: list[str] = []
    soft, hard = (800, 800) if is_test else (400, 600)
    if lines > hard or (lines > soft and name not in ALLOWED):
        complaints.append(f"{name}: {lines} lines (budget {soft})")
    if is_test:
        return complaints
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > 60 or (size > 40 and f"{name}:{node.name}" not in ALLOWED):
                complaints.append(f"{name}:{node.lineno} {node.name}: {size} lines (budget 40)")
        elif isinstance(node, ast.ClassDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            public = [
                item
                for item in node.body
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and not item.name.startswith("_")
            ]
            if f"{name}:{node.name}" in ALLOWED:
                continue
            if size > 300:
                complaints.append(f"{name}:{node.lineno} class {node.name}: {size} lines (budget 300)")
            if len(public) > 12 and not any(ast.unparse(base).startswith("Protocol") for base in node.bases):
                complaints.append(f"{name}:{node.lineno} class {node.name}: {len(public)} public methods (budget 12)")
    return complaints


def main() -> int:
    """Measure everything; return 1 when something is over budget."""
    roots = [ROOT / part for part in (*SOURCE_ROOTS, "tests") if (ROOT / part).is_dir()]
    files = sorted(path for root in roots for path in root.rglob("*.py") if "node_modules" not in path.parts)
    complaints = [complaint for path in files for complaint in measure(path)]
    print("\n".join(complaints) if complaints else f"shape: {len(files)} files within budget")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
