"""The jobs of docs/ci: as their systems want them, with commands that exist."""

import json
import re
import shlex
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from audit.cli import _parser
from tests.commands import ROOT

JOBS = ROOT / "docs/ci"
# Of check-jsonschema, which keeps what schemastore.org has: the schema and its SHA-256.
_SCHEMAS = {
    "gitlab-ci.yml": (
        "gitlab-ci.json",
        "1c6eeb7d3a34c39996afbfe1ade220480eb05bbeae674e86d3c745dfeeded7fd",
    ),
    "github-actions.yml": (
        "github-workflows.json",
        "d10c9f4656e1bd5bc6727e9b35080e017dc167154726fca93da33c7a6bd1c4f3",
    ),
}


class _Yaml12(yaml.SafeLoader):
    """`on` is a word, as in YAML 1.2: GitHub reads it so."""


_Yaml12.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in rows if tag != "tag:yaml.org,2002:bool"]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml12.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def _job(name: str) -> Any:
    return yaml.load((JOBS / name).read_text(encoding="utf-8"), _Yaml12)  # noqa: S506 - a safe one


def _errors(name: str, job: Any) -> list[str]:
    file, digest = _SCHEMAS[name]
    place = f"check_jsonschema/builtin_schemas/vendor/{file}"
    content = Path(str(distribution("check-jsonschema").locate_file(place))).read_bytes()
    assert sha256(content).hexdigest() == digest
    found = Draft7Validator(json.loads(content)).iter_errors(job)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


@pytest.mark.parametrize("name", _SCHEMAS)
def test_a_job_is_valid(name: str) -> None:
    """By the schema of its system."""
    assert _errors(name, _job(name)) == []


def test_a_broken_job_is_not() -> None:
    """A key of the wrong kind, on either system."""
    gitlab, github = _job("gitlab-ci.yml"), _job("github-actions.yml")
    gitlab["mailseal-staging"]["artifacts"]["when"] = "sometimes"
    del github["jobs"]["staging"]["runs-on"]
    assert _errors("gitlab-ci.yml", gitlab)
    assert _errors("github-actions.yml", github)


def test_the_jenkinsfile_is_balanced_and_whole() -> None:
    """There is no parser for it here: its braces and quotes are counted, its parts looked for."""
    text = (JOBS / "Jenkinsfile").read_text(encoding="utf-8")
    code = re.sub(r"//.*", "", re.sub(r"'[^'\n]*'", "''", text))
    assert "'" not in code.replace("''", "")
    for left, right in ("{}", "()"):
        assert code.count(left) == code.count(right)
    assert re.findall(r"^    (\w+) \{", code, re.MULTILINE) == [
        *("agent", "options", "environment", "stages", "post"),
    ]


@pytest.mark.parametrize("path", sorted(JOBS.iterdir()), ids=lambda p: p.name)
def test_every_command_of_ours_is_one(path: Path) -> None:
    """Options are spelled as the program has them, and the files they name belong to the job."""
    lines = re.findall(r"mailseal ((?:staging|lab) [^'`\n]*)", path.read_text(encoding="utf-8"))
    words = [shlex.split(line.replace(" ...", ""), comments=True) for line in lines]
    found = [_parser(one).parse_args(one) for one in words if one[1:]]
    assert found or path.name == "README.md"


def test_the_default_staging_cluster_is_the_lab() -> None:
    """A link, so there is no second list of its hosts."""
    assert (ROOT / "inventory/staging").readlink() == Path("lab")


def test_the_play_passes_on_what_it_is_given() -> None:
    """Every option of the play is one of the command."""
    _, play = yaml.safe_load((ROOT / "staging.yml").read_text(encoding="utf-8"))
    names = [*play["vars"]["__mailseal_staging_words"], "--allow-breaking"]
    given = [word for name in names for word in (name, "1")]
    assert _parser(["staging"]).parse_args(["staging", *given]).allow_breaking == ["1"]
