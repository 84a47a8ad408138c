#!/usr/bin/python
"""The keys and certificates of one host: asked for, checked, put in place."""

DOCUMENTATION = r"""
module: mailseal_certificate
short_description: Keep a host's keys and certificates
description:
  - Makes missing keys on the host itself; they never leave it.
  - Says for each key type whether a certificate is due and why, with a request for it.
  - Puts given certificates in place, after checking that they belong to their keys.
options:
  directory:
    description: Where they are.
    type: path
    required: true
  group:
    description: The daemon's group, which may read the keys.
    type: str
    required: true
  types:
    description: ecdsa, rsa, or both.
    type: list
    elements: str
    required: true
  names:
    description: The host names that a certificate must carry.
    type: list
    elements: str
    default: []
  authority:
    description: The certificate that must have signed them, as PEM.
    type: str
    default: ""
  renew_days:
    description: A certificate that ends sooner is due.
    type: int
    default: 30
  rsa_bits:
    description: Size of a new RSA key.
    type: int
    default: 3072
  certificates:
    description: Chains to put in place, by key type, as PEM.
    type: dict
    default: {}
  keys:
    description: Private keys to put in place with them, by key type, as PEM.
    type: dict
    default: {}
  source:
    description: A directory on the host to take keys and certificates from, in place of given ones.
    type: path
    default: ""
  unlike:
    description: A directory on the host whose keys must not be used again; new ones are made.
    type: path
    default: ""
  openssl:
    description: The openssl program on the host, 1.0.2 or newer.
    type: str
    default: openssl
"""

EXAMPLES = r"""
- name: Ask which certificates are due
  mailseal_certificate:
    directory: /etc/mailseal/tls
    group: mail
    types: [ecdsa, rsa]
    names: [imap1.lab.test]
"""

RETURN = r"""
due:
  description: Why a certificate is due, by key type.
  returned: success
  type: dict
requests:
  description: Certificate signing requests for those, as PEM.
  returned: success
  type: dict
"""

import grp
import os
import re
import stat
import subprocess
import tempfile
from typing import Dict, Optional, Set, Tuple

from ansible.module_utils.basic import AnsibleModule

CURVE = "prime256v1"


class Failed(Exception):
    """A sentence for the user."""


# One's own where the system's is too old; the task says which.
PROGRAM = ["openssl"]


def openssl(*arguments: str, data: Optional[str] = None) -> Optional[str]:
    """What openssl prints; None if it fails."""
    done = subprocess.run(
        [*PROGRAM, *arguments], input=(data or "").encode(), capture_output=True, check=False
    )
    return done.stdout.decode() if done.returncode == 0 else None


def public_key(*, key: str = "", certificate: Optional[str] = None) -> Optional[str]:
    """The public half, from a key file or from a certificate's text."""
    if key:
        return openssl("pkey", "-in", key, "-pubout")
    return openssl("x509", "-noout", "-pubkey", data=certificate)


def read(path: str) -> Optional[str]:
    """All of a file; None if there is none."""
    try:
        with open(path, encoding="ascii") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def names_in(text: str) -> Set[str]:
    """The DNS names in the text of a certificate."""
    found = re.search(r"Subject Alternative Name:[^\n]*\n\s*([^\n]*)", text)
    return set(re.findall(r"DNS:([^,\s]+)", found[1])) if found else set()


class Store:
    """The directory of one host's keys and certificates."""

    def __init__(self, module: AnsibleModule) -> None:
        """Take the task; the group has to exist."""
        self.module = module
        self.params = module.params
        self.changed = False
        try:
            self.group = grp.getgrnam(self.params["group"]).gr_gid
        except KeyError:
            raise Failed("the host has no group {}".format(self.params["group"])) from None

    def path(self, kind: str, suffix: str) -> str:
        """The file of a key type."""
        return os.path.join(self.params["directory"], f"{kind}.{suffix}")

    def own(self, path: str, mode: int) -> None:
        """Give a file its owner and mode, if it has not."""
        try:
            found = os.stat(path)
        except FileNotFoundError:
            return
        if (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, self.group, mode):
            return
        self.changed = True
        if not self.module.check_mode:
            os.chown(path, 0, self.group)
            os.chmod(path, mode)

    def write(self, path: str, text: str, mode: int) -> None:
        """Replace a file by a rename; never a moment with a wrong mode."""
        self.changed = True
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chown(temporary, 0, self.group)
        os.chmod(temporary, mode)
        os.rename(temporary, path)

    def prepare(self) -> None:
        """The directory and the modes of what is in it."""
        directory = self.params["directory"]
        if not os.path.isdir(directory):
            self.changed = True
            if self.module.check_mode:
                return
            os.makedirs(directory, mode=0o755)
        self.own(directory, 0o750)
        for kind in self.params["types"]:
            self.own(self.path(kind, "key"), 0o640)
            self.own(self.path(kind, "crt"), 0o644)
        self.own(os.path.join(directory, "ca.crt"), 0o644)

    def make_key(self, kind: str) -> None:
        """Make a key here; it never leaves the host."""
        bits = self.params["rsa_bits"]
        options = {
            "ecdsa": ("EC", f"ec_paramgen_curve:{CURVE}", "ec_param_enc:named_curve"),
            "rsa": ("RSA", f"rsa_keygen_bits:{bits}"),
        }
        algorithm, *values = options[kind]
        words = [word for value in values for word in ("-pkeyopt", value)]
        text = openssl("genpkey", "-algorithm", algorithm, *words)
        if not text:
            raise Failed(f"openssl cannot make the {kind} key")
        self.write(self.path(kind, "key"), text, 0o640)

    def due(self, kind: str) -> str:
        """Why a new certificate is needed; empty if none is."""
        key, certificate = self.path(kind, "key"), read(self.path(kind, "crt"))
        if not os.path.exists(key):
            return "there is no key"
        if self.used(kind):
            return "its key is in force already"
        if not certificate:
            return "there is no certificate"
        text = openssl("x509", "-noout", "-text", data=certificate)
        if not text:
            return "it cannot be read"
        days = self.params["renew_days"]
        lasts = openssl("x509", "-noout", "-checkend", str(days * 86400), data=certificate)
        reasons = {
            "it belongs to another key": public_key(certificate=certificate) != public_key(key=key),
            "it is for other names": names_in(text) != set(self.params["names"]),
            f"fewer than {days} days are left": lasts is None,
            "another authority signed it": not self.issued(certificate),
        }
        return next((reason for reason, true in reasons.items() if true), "")

    def used(self, kind: str) -> bool:
        """Whether the key is that of the directory whose keys must not be used again."""
        other = os.path.join(self.params["unlike"], f"{kind}.key")
        return bool(self.params["unlike"]) and read(other) == read(self.path(kind, "key"))

    def issued(self, certificate: str) -> bool:
        """Whether the authority signed it."""
        with tempfile.NamedTemporaryFile("w", suffix=".crt") as authority:
            authority.write(self.params["authority"])
            authority.flush()
            return openssl("verify", "-CAfile", authority.name, data=certificate) is not None

    def request(self) -> Tuple[Dict[str, str], Dict[str, str]]:
        """Why which certificates are due, and the requests for them."""
        found = {kind: self.due(kind) for kind in self.params["types"]}
        due = {kind: why for kind, why in found.items() if why}
        self.changed = self.changed or bool(due)
        requests: Dict[str, str] = {}
        for kind in () if self.module.check_mode else due:
            key = self.path(kind, "key")
            if not os.path.exists(key) or self.used(kind):
                self.make_key(kind)
            with tempfile.NamedTemporaryFile("w", suffix=".cnf") as own:
                # Before 3.0 `req` wants this section even if it is told the subject, and the file
                # of a library that was built for daemons has none.
                own.write("[req]\ndistinguished_name = name\n[name]\n")
                own.flush()
                words = ["-config", own.name, "-subj", f"/CN={self.params['names'][0]}"]
                request = openssl("req", "-new", "-sha256", "-key", key, *words)
            if not request:
                raise Failed(f"openssl cannot make the {kind} request")
            requests[kind] = request
        return due, requests

    def take(self) -> None:
        """Have what is in the source directory as if it had been given."""
        for suffix, given in (("crt", "certificates"), ("key", "keys")):
            for kind in self.params["types"]:
                path = os.path.join(self.params["source"], f"{kind}.{suffix}")
                text = read(path)
                if not text:
                    raise Failed(f"there is no {path}")
                self.params[given][kind] = text

    def install(self) -> None:
        """Put what was given in place, each pair checked before."""
        for kind, certificate in self.params["certificates"].items():
            key = self.params["keys"].get(kind)
            mine = (
                openssl("pkey", "-pubout", data=key)
                if key
                else public_key(key=self.path(kind, "key"))
            )
            theirs = public_key(certificate=certificate)
            if not theirs:
                raise Failed(f"the {kind} certificate cannot be read")
            if mine != theirs:
                raise Failed(f"the {kind} certificate does not belong to its key")
            if openssl("x509", "-noout", "-checkend", "0", data=certificate) is None:
                raise Failed(f"the {kind} certificate has expired")
            for suffix, text, mode in (("key", key, 0o640), ("crt", certificate, 0o644)):
                path = self.path(kind, suffix)
                if text and read(path) != text:
                    self.changed = True
                    if not self.module.check_mode:
                        self.write(path, text, mode)
        authority = os.path.join(self.params["directory"], "ca.crt")
        if self.params["authority"] and read(authority) != self.params["authority"]:
            self.changed = True
            if not self.module.check_mode:
                self.write(authority, self.params["authority"], 0o644)


def main() -> None:
    """Do what the task says."""
    # Daemons come through the directories that are made, whatever root's own umask is.
    os.umask(0o022)
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "group": {"type": "str", "required": True},
            "types": {"type": "list", "elements": "str", "required": True},
            "names": {"type": "list", "elements": "str", "default": []},
            "authority": {"type": "str", "default": ""},
            "renew_days": {"type": "int", "default": 30},
            "rsa_bits": {"type": "int", "default": 3072},
            "certificates": {"type": "dict", "default": {}},
            "keys": {"type": "dict", "default": {}, "no_log": True},
            "source": {"type": "path", "default": ""},
            "unlike": {"type": "path", "default": ""},
            "openssl": {"type": "str", "default": "openssl"},
        },
        supports_check_mode=True,
    )
    PROGRAM[:] = [module.params["openssl"]]
    try:
        store = Store(module)
        due: Dict[str, str] = {}
        requests: Dict[str, str] = {}
        store.prepare()
        if module.params["source"]:
            store.take()
        if module.params["certificates"]:
            store.install()
        else:
            due, requests = store.request()
    except (Failed, OSError) as failure:
        module.fail_json(msg="certificates in {}: {}".format(module.params["directory"], failure))
    module.exit_json(changed=store.changed, due=due, requests=requests)


if __name__ == "__main__":
    main()
