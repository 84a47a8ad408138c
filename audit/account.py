"""The account that `mailseal passage` logs in and sends with."""

import base64
import re

from msgspec import Struct

# What a mail can be sent to without quoting, in ASCII.
ADDRESS = re.compile(r"[!#-;=?A-Z^-~]+@[A-Za-z0-9.-]+|[!#-;=?A-Z^-~]+@\[[0-9A-Za-z.:]+\]")
_HOST = re.compile(r"[\w.-]*")
_VAULTED = "__ansible_vault"


class Account(Struct, frozen=True, forbid_unknown_fields=True):
    """mailseal_test_account of one host; what is empty is not there.

    Attributes:
        user, password: who logs in.
        recipient: whom mail is sent to.
        sender: who it is from; empty for the recipient himself, so that a bounce hurts nobody.
        lmtp_user, lmtp_password: who may deliver by LMTP, if that is somebody else.
        mailbox: the host of the inventory on which mail sent by SMTP is looked for by IMAP.
    """

    user: str = ""
    password: str = ""
    recipient: str = ""
    sender: str = ""
    lmtp_user: str = ""
    lmtp_password: str = ""
    mailbox: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be meant.

        Raises:
            ValueError: with the name of the key, and never its value.
        """
        for key in self.__struct_fields__:
            value = getattr(self, key)
            if set(value) & set("\0\r\n"):
                raise ValueError(f"{key}: has a line break or NUL in it")
            if "{{" in value:
                raise ValueError(f"{key}: is a template, which is not evaluated here")
        for user, password in (("user", "password"), ("lmtp_user", "lmtp_password")):
            if bool(getattr(self, user)) != bool(getattr(self, password)):
                raise ValueError(f"{user} and {password} belong together")
        for key in ("recipient", "sender"):
            if getattr(self, key) and not ADDRESS.fullmatch(getattr(self, key)):
                raise ValueError(f"{key}: is no mail address in ASCII")
        if not _HOST.fullmatch(self.mailbox):
            raise ValueError("mailbox: is no name of a host")

    def __repr__(self) -> str:
        """Without the passwords: this is what a traceback shows."""
        return f"Account({self.user!r}, {self.recipient!r})"

    @property
    def deliverer(self) -> "Account":
        """The same account with the login for LMTP."""
        if not self.lmtp_user:
            return self
        return Account(self.lmtp_user, self.lmtp_password, self.recipient, self.sender)

    @property
    def plain(self) -> bytes:
        """The login as SASL's PLAIN has it (RFC 4616)."""
        return f"\0{self.user}\0{self.password}".encode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every form in which a password is sent, the longest first."""
        found = []
        for account in (self, self.deliverer):
            if account.password:
                encoded = (account.plain, account.password.encode())
                found += [base64.b64encode(form).decode() for form in encoded]
                found.append(account.password)
        return tuple(sorted(found, key=len, reverse=True))


def still_encrypted(variable: object) -> str:
    """The key whose value Ansible has left in the vault; empty if there is none."""
    if isinstance(variable, dict):
        for key, value in variable.items():
            if isinstance(value, dict) and _VAULTED in value:
                return str(key)
    return ""
