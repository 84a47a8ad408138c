"""Certificates bent inside their structure: lengths are mended, so that parsers come far."""

from dataclasses import dataclass, field

_CONSTRUCTED = 0x20
_REPLACE, _TAG, _DELETE = range(3)  # and all else doubles
_MOST_NODES = 500


@dataclass
class Node:
    """One value: a tag, and bytes or further values."""

    tag: int
    content: bytes = b""
    inner: list["Node"] = field(default_factory=list)

    def encode(self) -> bytes:
        """As DER."""
        body = b"".join(node.encode() for node in self.inner) if self.inner else self.content
        if len(body) < 128:
            return bytes((self.tag, len(body))) + body
        size = len(body).to_bytes((len(body).bit_length() + 7) // 8)
        return bytes((self.tag, 0x80 | len(size))) + size + body

    def walk(self) -> list["Node"]:
        """This one and all below it."""
        return [self, *(found for node in self.inner for found in node.walk())]


def bend(der: bytes, edits: bytes) -> bytes:
    """The DER with edits: each a node, what to do, how many bytes, and these bytes."""
    (root,) = _read(der)
    while len(edits) >= 3:
        place, action, size = edits[:3]
        given, edits = edits[3 : 3 + size], edits[3 + size :]
        nodes = root.walk()
        node = nodes[place % len(nodes)]
        if action % 4 == _REPLACE:
            node.content, node.inner = given, []
        elif action % 4 == _TAG:
            node.tag = given[0] if given else node.tag
        elif len(nodes) < _MOST_NODES:
            for parent in nodes:
                if any(one is node for one in parent.inner):
                    at = next(i for i, one in enumerate(parent.inner) if one is node)
                    parent.inner[at : at + 1] = [] if action % 4 == _DELETE else [node, node]
                    break
    return root.encode()


def _read(der: bytes) -> list[Node]:
    """The values of well-formed DER; octet strings are opened where they hold DER."""
    nodes, at = [], 0
    while at < len(der):
        tag, size, start = der[at], der[at + 1], at + 2
        if size >= 0x80:
            start += size & 0x7F
            size = int.from_bytes(der[at + 2 : start])
        content = der[start : start + size]
        if len(content) != size:
            raise ValueError("it ends early")
        node = Node(tag, content)
        if tag & _CONSTRUCTED:
            node.inner = _read(content)
        elif tag == 4:
            try:
                node.inner = _read(content)
            except (ValueError, IndexError):
                node.inner = []
        nodes.append(node)
        at = start + size
    return nodes
