"""Which endpoints stand for each other before a change and after it. Pure."""

from collections.abc import Callable, Iterable, Iterator

from audit.facts import Endpoint

# By what one is found again, the surest first. A staging host may have production's name and
# another address, or neither; what is left by then stands for all that is left of the other side.
_SAME: tuple[Callable[[Endpoint], tuple[str, ...]], ...] = (
    lambda e: (e.host, e.address),
    lambda e: (e.host,),
    lambda _: (),
)


def facing(
    before: Iterable[Endpoint], after: Iterable[Endpoint]
) -> Iterator[tuple[list[Endpoint], list[Endpoint]]]:
    """The endpoints of one place, those together that are to be compared.

    Where only one side has some left, they face all of the other: whoever was led to a host that
    went is led elsewhere now, and to one that came whoever was served.
    """
    every, now = list(before), list(after)
    old, new = every, now
    for same in _SAME:
        shared = dict.fromkeys(map(same, old)).keys() & {same(e) for e in new}
        for key in sorted(shared):
            yield [e for e in old if same(e) == key], [e for e in new if same(e) == key]
        old = [e for e in old if same(e) not in shared]
        new = [e for e in new if same(e) not in shared]
    if old:
        yield old, now
    if new:
        yield every, new
