"""Text from the network."""

import pytest
from hypothesis import given
from hypothesis.strategies import text

from audit.report.visible import visible


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("220 ok\r\n[fail]", r"220 ok\r\n[fail]"),
        ("\x1b[2J\x9b2J", r"\x1b[2J\x9b2J"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("a\x00b\x7f", r"a\x00b\x7f"),
        ("\udcff", r"\udcff"),
        ("\u2028\ufeff\u200b", r"\u2028\ufeff\u200b"),
    ],
)
def test_what_does_not_print_is_shown_as_an_escape(hostile: str, shown: str) -> None:
    """Line breaks, escape sequences, bidi overrides, NUL and broken UTF-8 become visible."""
    assert shown == visible(hostile)


@pytest.mark.parametrize("plain", ["CN=Universität Wien, O=Österreich", "日本語", "a\\, b", "<b>"])
def test_ordinary_text_stays_as_it_is(plain: str) -> None:
    """Names in any script are not touched; markup is the business of each reporter."""
    assert plain == visible(plain)


@given(text())
def test_nothing_unprintable_is_left(anything: str) -> None:
    """Whatever comes in, what goes out prints, and in several lines only where asked for."""
    assert visible(anything).isprintable()
    assert visible(anything, lines=True).replace("\n", "").isprintable()


def test_a_cut_is_said() -> None:
    """An endless banner is cut, and the reader learns how much is missing."""
    assert visible("x" * 25, longest=10) == "xxxxxxxxxx … (15 more characters)"
