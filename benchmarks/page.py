"""docs/benchmarks.md: every benchmark writes its own section and leaves the others as they are."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
SECTIONS = ("peers", "peers-lab", "audit", "traffic")  # in the page's order
_HEAD = "# Benchmarks\n\nMeasured and written by `make bench`; nothing here is typed by hand.\n"
_SECTION = re.compile(r"<!-- (?P<name>[\w-]+) -->\n(?P<text>.*?)<!-- end -->\n", re.DOTALL)


def write(section: str, text: str, page: Path = PAGE) -> None:
    """Replace one section of the page."""
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    texts = {found["name"]: found["text"] for found in _SECTION.finditer(old)}
    texts[section] = text.strip() + "\n"
    parts = [f"<!-- {name} -->\n{texts[name]}<!-- end -->\n" for name in SECTIONS if name in texts]
    page.write_text("\n".join([_HEAD, *parts]), encoding="utf-8")
    print(page)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
