"""Policy files: found by id or path, read, and refused with file, line and item if wrong."""

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args

import msgspec
import yaml

from audit.errors import MALFORMED, MailsealError
from audit.policy.model import Graded, Item, Policy, Profile, Size, Traffic
from audit.policy.places import Lines, Loader, Place, duplicates, field_path, lines, unprintable
from audit.policy.shadow import SEPARATOR, shadow
from audit.policy.spelling import CERTIFICATE_LISTS, FIELDS, LISTS, Lookup, size, spelled

BUILT_IN = Path(__file__).parent.parent / "policies"
_LARGEST = 1 << 20  # bytes; a policy is a few kilobytes, anything else is a mistake
_MOST_PLACES = 20_000  # aliases may expand without end

T = TypeVar("T")


def built_in_ids() -> tuple[str, ...]:
    """The ids of the policies that come with mailseal, in order of name."""
    return tuple(sorted(path.stem for path in BUILT_IN.glob("*.yaml")))


def load(id_or_file: str) -> Policy:
    """The policy with this id, or in this file; A+B is A in shadow of B.

    Raises:
        MailsealError: there is none, or it is malformed.
    """
    built_in = BUILT_IN / f"{id_or_file}.yaml"
    if re.fullmatch(r"[\w.-]+", id_or_file) and built_in.is_file():
        return read(built_in)
    if Path(id_or_file).is_file():
        return read(Path(id_or_file))
    new, separator, tail = id_or_file.partition(SEPARATOR)
    if separator:
        return shadow(load(new), load(tail))
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
            root = yaml.compose(text, Loader=Loader)
            data = yaml.load(text, Loader=Loader)  # noqa: S506 - it is a safe one
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise MailsealError(f"{file}:{line}: not YAML: {error.problem}") from None
        except (yaml.YAMLError, *MALFORMED) as error:
            raise MailsealError(f"{file}: not YAML: {_first_line(error)}") from None
        if not isinstance(data, dict) or root is None:
            raise MailsealError(f"{file}:1: a policy is a mapping with an id, a date and profiles")
        self.data: dict[str, Any] = data
        self.lines: Lines = dict(islice(lines(root), _MOST_PLACES))
        if len(self.lines) == _MOST_PLACES:
            raise MailsealError(f"{file}: aliases expand it beyond any policy")
        for found, why in (
            (duplicates(root), "is said twice"),
            (unprintable(root), "holds characters that do not print"),
        ):
            for node in found:
                line = node.start_mark.line + 1
                raise MailsealError(f"{file}:{line}: {ascii(node.value)[1:-1]} {why}")

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
        at: Place = ("profiles", name)
        if not isinstance(raw, dict):
            self.fail(at, "a profile is a mapping")
        raw = spelled(raw, LISTS)
        if isinstance(rules := raw.get("certificate"), dict):
            raw["certificate"] = spelled(rules, CERTIFICATE_LISTS)
        profile = self.convert(raw, Profile, at)
        if profile.clear_logins == "allowed" and profile.tls == "required":
            self.fail((*at, "clear_logins"), "no login in clear where TLS is required")
        for key, lookup in LISTS.items():
            self.check_items((*at, key), getattr(profile, FIELDS.get(key, key)), lookup)
        for key, lookup in CERTIFICATE_LISTS.items():
            items = getattr(profile.certificate, FIELDS.get(key, key))
            self.check_items((*at, "certificate", key), items, lookup)
        return profile

    def check_items(self, at: Place, items: Sequence[Item | Size], lookup: Lookup) -> None:
        if not items and lookup is not size:
            self.fail(at, "the list is empty")
        seen = set()
        for index, item in enumerate(items):
            here = (*at, index)
            name = item.name if isinstance(item, Item) else f"{item.bits} bits"
            try:
                known = lookup(name)
            except KeyError:
                self.fail(here, f"{name!r} is no name that IANA or this field knows")
            if known != name:
                self.fail(here, f"write {known} for {name!r}: policies use one name")
            if name in seen:
                self.fail(here, f"{name} is listed twice")
            seen.add(name)
            self.check_level(here, item, name)

    def check_level(self, at: Place, item: Graded, name: str) -> None:
        if (item.level == "phase-out") != (item.until is not None):
            self.fail(at, f"{name}: phase-out and until go together (until: open without a date)")
        if not isinstance(item, Item) or not (item.required or item.optional):
            return
        if "certificate" in at:
            self.fail(at, f"{name}: only versions, suites and groups are required or optional")
        if item.required and (item.optional or item.level == "insufficient"):
            other = "optional" if item.optional else "insufficient"
            self.fail(at, f"{name}: either required or {other}")

    def convert(self, data: object, kind: type[T], at: Place) -> T:
        try:
            return msgspec.convert(data, kind)
        except msgspec.ValidationError as error:
            message, _, where = str(error).partition(" - at `$")
            path = (*at, *field_path(where))
            unknown = re.search(r"unknown field `(.+)`", message)
            self.fail((*path, unknown[1]) if unknown else path, message)

    def fail(self, at: Place, message: str) -> NoReturn:
        line = next((self.lines[at[:n]] for n in range(len(at), -1, -1) if at[:n] in self.lines), 1)
        item = ".".join(map(str, at)) or "policy"
        raise MailsealError(f"{self.file}:{line}: {item}: {message}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
