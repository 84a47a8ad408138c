"""Policy files: found by id or path, read, and refused with file, line and item if wrong."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args

import msgspec
import yaml

from audit.errors import MailsealError
from audit.iana import VERSIONS, group, suite
from audit.policy.model import Item, Policy, Profile, Traffic

BUILT_IN = Path(__file__).parent.parent / "policies"
_LARGEST = 1 << 20  # bytes; a policy is a few kilobytes, anything else is a mistake
_MOST_PLACES = 20_000  # aliases may expand without end

Path_ = tuple[str | int, ...]
Lines = Mapping[Path_, int]
T = TypeVar("T")


def built_in_ids() -> tuple[str, ...]:
    """The ids of the policies that come with mailseal, in order of name."""
    return tuple(sorted(path.stem for path in BUILT_IN.glob("*.yaml")))


def load(id_or_file: str) -> Policy:
    """The policy with this id, or in this file.

    Raises:
        MailsealError: there is none, or it is malformed.
    """
    built_in = BUILT_IN / f"{id_or_file}.yaml"
    if re.fullmatch(r"[\w.-]+", id_or_file) and built_in.is_file():
        return read(built_in)
    if Path(id_or_file).is_file():
        return read(Path(id_or_file))
    raise MailsealError(
        f"there is no policy {id_or_file!r}: neither a file nor one of {', '.join(built_in_ids())}"
    )


def read(path: Path) -> Policy:
    """The policy in this file.

    Raises:
        MailsealError: unreadable or malformed; the sentence names file, line and item.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise MailsealError(f"{path}: larger than {_LARGEST} bytes, so not a policy")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MailsealError(f"{path}: cannot be read ({error})") from None
    return parse(text, str(path))


def parse(text: str, file: str) -> Policy:
    """The policy in this text; *file* is the name for error messages.

    Raises:
        MailsealError: as for `read`.
    """
    return _Reader(text, file).policy()


class _Reader:
    """One file: its plain data, and the line each part of it stands on."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
            data = yaml.safe_load(text)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise MailsealError(f"{file}:{line}: not YAML: {error.problem}") from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise MailsealError(f"{file}: not YAML: {_first_line(error)}") from None
        if not isinstance(data, dict) or root is None:
            raise MailsealError(f"{file}:1: a policy is a mapping with an id, a date and profiles")
        self.data: dict[str, Any] = data
        self.lines: Lines = dict(islice(_lines(root), _MOST_PLACES))
        if len(self.lines) == _MOST_PLACES:
            raise MailsealError(f"{file}: aliases expand it beyond any policy")
        twice = next(_duplicates(root), None)
        if twice is not None:
            line = twice.start_mark.line + 1
            raise MailsealError(f"{file}:{line}: {twice.value} is said twice")

    def policy(self) -> Policy:
        found = self.data.get("profiles")
        if not isinstance(found, dict) or not found:
            self.fail(("profiles",), "a policy needs profiles")
        for name in found:
            if name not in get_args(Traffic):
                kinds = ", ".join(get_args(Traffic))
                self.fail(("profiles", name), f"{name!r} is no kind of traffic ({kinds})")
        profiles = {name: self.profile(name, raw) for name, raw in found.items()}
        policy = self.convert({**self.data, "profiles": {}}, Policy, ())
        return msgspec.structs.replace(policy, profiles=profiles)

    def profile(self, name: Traffic, raw: object) -> Profile:
        at: Path_ = ("profiles", name)
        if not isinstance(raw, dict):
            self.fail(at, "a profile is a mapping")
        known = {"versions": _version, "suites": suite, "groups": group}
        spelled = dict(raw)
        for key in known:
            if isinstance(raw.get(key), list):
                spelled[key] = [{"name": i} if isinstance(i, str) else i for i in raw[key]]
        profile = self.convert(spelled, Profile, at)
        for key, lookup in known.items():
            items: tuple[Item, ...] = getattr(profile, key)
            self.check_items((*at, key), items, lookup)
        curves = tuple(Item(name=curve) for curve in profile.certificate.curves)
        self.check_items((*at, "certificate", "curves"), curves, group)
        return profile

    def check_items(self, at: Path_, items: tuple[Item, ...], lookup: Any) -> None:  # noqa: ANN401
        if not items:
            self.fail(at, "the list is empty")
        seen = set()
        for index, item in enumerate(items):
            here = (*at, index)
            try:
                known = lookup(item.name)
            except KeyError:
                self.fail(here, f"{item.name!r} is no name that IANA or this field knows")
            if getattr(known, "name", item.name) != item.name:
                self.fail(here, f"write {known.name} for {item.name!r}: policies use one name")
            if item.name in seen:
                self.fail(here, f"{item.name} is listed twice")
            if (item.level == "phase-out") != (item.until is not None):
                self.fail(here, f"{item.name}: phase-out and until go together")
            seen.add(item.name)

    def convert(self, data: object, kind: type[T], at: Path_) -> T:
        try:
            return msgspec.convert(data, kind)
        except msgspec.ValidationError as error:
            message, _, where = str(error).partition(" - at `$")
            path = (*at, *_msgspec_path(where))
            unknown = re.search(r"unknown field `(.+)`", message)
            self.fail((*path, unknown[1]) if unknown else path, message)

    def fail(self, at: Path_, message: str) -> NoReturn:
        line = next((self.lines[at[:n]] for n in range(len(at), -1, -1) if at[:n] in self.lines), 1)
        item = ".".join(map(str, at)) or "policy"
        raise MailsealError(f"{self.file}:{line}: {item}: {message}")


def _version(name: str) -> str:
    if name not in VERSIONS:
        raise KeyError(name)
    return name


def _lines(root: yaml.Node) -> Iterator[tuple[Path_, int]]:
    """Every place in the document with its line; aliases lead to where the text stands."""
    todo: list[tuple[Path_, yaml.Node]] = [((), root)]
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


def _duplicates(root: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Keys that stand twice in one mapping: YAML takes the last one, a reader the first."""
    todo, visited = [root], set()
    while todo:
        node = todo.pop()
        if id(node) in visited:
            continue  # an alias
        visited.add(id(node))
        if isinstance(node, yaml.MappingNode):
            seen = set()
            for key, value in node.value:
                if str(key.value) in seen:
                    yield key
                seen.add(str(key.value))
                todo.append(value)
        elif isinstance(node, yaml.SequenceNode):
            todo.extend(node.value)


def _msgspec_path(text: str) -> Iterator[str | int]:
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", text):
        yield int(index) if index else name


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
