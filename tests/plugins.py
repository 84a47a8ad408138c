"""The plugins of the roles, and what their YAML says, as the tests take them."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader
from ansible.template import Templar, trust_as_template

from tests.commands import ROOT

# As Ansible does once a role is in use.
for _folder in (ROOT / "roles").glob("*/filter_plugins"):
    filter_loader.add_directory(str(_folder))


def plugin(path: str) -> ModuleType:
    """A filter or a module of a role."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / "roles" / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def loaded(path: str) -> Any:
    """What a YAML file of the project says."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def rendered(template: str, variables: dict[str, Any]) -> Any:
    """What Ansible makes of a template, among variables that may be templates as well."""
    trusted = {
        name: trust_as_template(value) if isinstance(value, str) and "{{" in value else value
        for name, value in variables.items()
    }
    templar = Templar(loader=DataLoader(), variables=trusted)
    return templar.template(trust_as_template(template))
