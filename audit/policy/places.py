"""Where in a policy file something stands: YAML's nodes, as paths and lines."""

import re
from collections.abc import Iterator, Mapping

import yaml
from yaml.composer import Composer

Place = tuple[str | int, ...]
Lines = Mapping[Place, int]

_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, unless PyYAML has none


class Loader(Composer, _Parser):  # type: ignore[misc, valid-type]
    """YAML parsed in C, ten times as fast, and composed in Python.

    The composer in C has no bound: deep nesting overflows its stack. Python's raises.
    """

    def __init__(self, text: str) -> None:
        """Take the text."""
        _Parser.__init__(self, text)
        Composer.__init__(self)


def lines(root: yaml.Node) -> Iterator[tuple[Place, int]]:
    """Every place in the document with its line; aliases lead to where the text stands."""
    todo: list[tuple[Place, yaml.Node]] = [((), root)]
    while todo:
        path, node = todo.pop()
        yield path, node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                yield (*path, key.value), key.start_mark.line + 1
                if not isinstance(value, yaml.ScalarNode):
                    todo.append(((*path, key.value), value))
        elif isinstance(node, yaml.SequenceNode):
            todo.extend(((*path, i), child) for i, child in enumerate(node.value))


def duplicates(root: yaml.Node) -> Iterator[yaml.Node]:
    """Keys that stand twice in one mapping: YAML takes the last one, a reader the first."""
    for node in _nodes(root):
        if isinstance(node, yaml.MappingNode):
            seen = set()
            for key, _ in node.value:
                if str(key.value) in seen:
                    yield key
                seen.add(str(key.value))


def unprintable(root: yaml.Node) -> Iterator[yaml.Node]:
    """Texts that hold more than printable characters and line feeds."""
    for node in _nodes(root):
        if isinstance(node, yaml.ScalarNode) and not node.value.replace("\n", "").isprintable():
            yield node


def _nodes(root: yaml.Node) -> Iterator[yaml.Node]:
    """Every node of the document once."""
    todo, visited = [root], set()
    while todo:
        node = todo.pop()
        if id(node) in visited:
            continue  # an alias
        visited.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            todo.extend(part for pair in node.value for part in pair)
        elif isinstance(node, yaml.SequenceNode):
            todo.extend(node.value)


def field_path(text: str) -> Iterator[str | int]:
    """The path in the words of a msgspec error: `.profiles[0].tls`."""
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", text):
        yield int(index) if index else name
