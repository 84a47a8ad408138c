"""How figures of TLS in logs are told: as rows, in tables, in sections. Pure."""

from collections.abc import Mapping
from itertools import islice

from msgspec import Struct

PROVIDERS, SUFFIXES = 20, 40  # rows of tables that have no natural end


class Row(Struct, frozen=True):
    """A figure, and what it is a share of.

    Attributes:
        name: what is counted.
        count: how many; None where that is not logged.
        of: of how many; None where it is a share of nothing.
        without, unknown: the others of these; None where there is no such question.
        inner: whether it is a part of the row above.
    """

    name: str
    count: int | None
    of: int | None = None
    without: int | None = None
    unknown: int | None = None
    inner: bool = False


class Part(Struct, frozen=True):
    """A version as it is drawn: where it begins and how wide it is, of a hundred."""

    name: str
    count: int
    of: int
    colour: str
    begin: float
    wide: float


class Table(Struct, frozen=True):
    """Rows under a heading; None where the log does not have what they would count."""

    title: str
    first: str
    unit: str
    rows: list[Row] | None


class Section(Struct, frozen=True, kw_only=True):
    """One kind of traffic; the first of its figures is what there is with TLS.

    `unnamed` is what would have versions logged that are not; empty if all are.
    """

    id: str
    title: str
    unit: str
    total: int
    figures: list[Row]
    versions: list[Part]
    unnamed: str
    suites: list[Row]
    tables: list[Table]


def most_of(counts: Mapping[str, int], of: int, most: int) -> list[Row]:
    """The first rows, and the sum of the rest."""
    rows = [Row(name, count, of) for name, count in islice(counts.items(), most)]
    rest = len(counts) - most
    if rest > 0:
        rows.append(
            Row(f"{rest:,} other{'s' * (rest > 1)}", sum(islice(counts.values(), most, None)), of)
        )
    return rows
