"""A file of the Debian archive that this machine's own apt configuration names."""

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

# A checkout needs no installation: the lab lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from lab import mirror
from lab.errors import LabError

DOCUMENTATION = r"""
name: mailseal_pool
short_description: The address of a file in the pool of the Debian archive
description:
  - Paths below pool/updates lie in the security archive, all others in the archive of the releases.
options:
  _terms:
    description: Paths in the pool.
    type: list
    elements: str
    required: true
"""


class LookupModule(LookupBase):
    """What Ansible looks for."""

    def run(
        self,
        terms: list[str],
        variables: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ANN401 - Ansible's own interface
    ) -> list[str]:
        """The address of each path."""
        self.set_options(var_options=variables, direct=kwargs)
        try:
            return [mirror.pool(term) for term in terms]
        except LabError as error:
            raise AnsibleLookupError(str(error)) from None
