#!/usr/bin/python
"""Whether a resolver validates: the AD bit of its answer for a signed name."""

DOCUMENTATION = r"""
module: mailseal_resolver
short_description: See that a resolver validates
description:
  - Asks for the SOA record of a signed name and wants an answer with the AD bit
    (RFC 4035, section 3.2.3). Fails with one sentence where there is none.
options:
  address:
    description: Where the resolver is.
    type: str
    required: true
  name:
    description: A name in a signed zone.
    type: str
    required: true
  port:
    description: UDP.
    type: int
    default: 53
  timeout:
    description: Seconds until it has to answer; it may just have been started.
    type: int
    default: 20
"""

EXAMPLES = r"""
- name: See that it validates
  mailseal_resolver:
    address: 127.0.0.1
    name: example.org
"""

RETURN = r"""
answer:
  description: "What kind of answer it is: NOERROR."
  returned: success
  type: str
"""

import os
import socket
import struct
import time

from ansible.module_utils.basic import AnsibleModule

SOA, IN, OPT = 6, 1, 41
RD, AD, QR = 0x0100, 0x0020, 0x8000
CODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}
HEADER = struct.Struct("!6H")


class Failed(Exception):
    """A sentence for the user."""


def query(identity: int, name: str) -> bytes:
    """The question for the SOA record of a name; AD asks for AD (RFC 6840, section 5.7)."""
    labels = [part.encode("idna") for part in name.rstrip(".").split(".") if part]
    wire = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    head = HEADER.pack(identity, RD | AD, 1, 0, 0, 1)
    # EDNS: 1232 octets, and no options.
    return head + wire + struct.pack("!2H", SOA, IN) + struct.pack("!BHHIH", 0, OPT, 1232, 0, 0)


def judge(answer: bytes) -> str:
    """What kind of answer it is, if it was validated and there is something in it.

    Raises:
        Failed: it was not, or there is not.
    """
    _, flags, _, count, _, _ = HEADER.unpack_from(answer)
    code = CODES.get(flags & 15, f"code {flags & 15}")
    if flags & 15 or not count:
        raise Failed(f"it answers {code}" if flags & 15 else "it answers with no record")
    if not flags & AD:
        raise Failed("its answer is not validated (no AD bit)")
    return code


def ask(address: str, port: int, name: str, seconds: float) -> str:
    """What kind of answer comes, once.

    Raises:
        Failed: none that was validated.
        OSError: none.
    """
    identity = int.from_bytes(os.urandom(2), "big")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as link:
        link.settimeout(seconds)
        link.connect((address, port))
        link.send(query(identity, name))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = link.recv(4096)
            if len(answer) >= HEADER.size:
                found, flags = struct.unpack_from("!2H", answer)
                if found == identity and flags & QR:
                    return judge(answer)
    raise Failed("it does not answer")


def until(address: str, port: int, name: str, seconds: float) -> str:
    """What kind of answer comes in the end.

    Raises:
        Failed: none that was validated in that time.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            return ask(address, port, name, 3.0)
        except Failed as failure:
            why = str(failure)
        except (OSError, UnicodeError) as error:
            why = f"it does not answer ({error})"
        if time.monotonic() > end:
            raise Failed(f"{address} does not validate {name}: {why}")
        time.sleep(0.5)


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "port": {"type": "int", "default": 53},
            "timeout": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    words = module.params
    try:
        found = until(words["address"], words["port"], words["name"], words["timeout"])
    except Failed as failure:
        module.fail_json(msg=str(failure))
    module.exit_json(changed=False, answer=found)


if __name__ == "__main__":
    main()
