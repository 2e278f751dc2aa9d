"""Reports at the end how many hostile requests there were, by class."""

from collections import Counter

import pytest

SENT: Counter[tuple[str, str]] = Counter()
"""How many requests of each class went over each way."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the count."""
    if not SENT:
        return
    terminalreporter.section(f"{SENT.total():,} hostile requests")
    for way in sorted({way for way, _ in SENT}):
        kinds = {kind: count for (one, kind), count in SENT.items() if one == way}
        listed = ", ".join(f"{kind} {count:,}" for kind, count in kinds.items())
        terminalreporter.write_line(f"{way}: {sum(kinds.values()):,} ({listed})")
