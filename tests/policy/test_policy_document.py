"""Policies as programs read them."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest

from audit.cli import main
from audit.policy.document import PolicyDocument
from audit.policy.load import built_in_ids, load
from audit.policy.model import Policy

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"
Capture = pytest.CaptureFixture[str]


def _printed(capsys: Capture, *words: str) -> str:
    assert main(["policy", *words, "--json"]) == 0
    return capsys.readouterr().out


def _valid(words: str, schema: str) -> Any:
    found = json.loads(words)
    validator = jsonschema.Draft202012Validator(json.loads((SCHEMAS / schema).read_text()))
    validator.validate(found)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(found | {"schema": "mailseal/other/1"})
    return found


def test_the_list_has_each_policy(capsys: Capture) -> None:
    found = _valid(_printed(capsys, "list"), "policies-1.json")
    assert [one["id"] for one in found["policies"]] == list(built_in_ids())
    assert all(one["source"] and one["date"] for one in found["policies"])


@pytest.mark.parametrize("name", ["mailseal-2026", "ncsc-nl-2025", "mailseal-2026+univie-2015"])
def test_a_policy_is_whole(capsys: Capture, name: str) -> None:
    """What is printed is what was loaded, to the last level and date."""
    words = _printed(capsys, "show", name)
    _valid(words, "policy-1.json")
    found, policy = msgspec.json.decode(words, type=PolicyDocument).policy, load(name)
    for field in Policy.__struct_fields__:
        assert getattr(found, field) == getattr(policy, field)
