"""What is known of one mail client: who it is, how its hello came to be known, and the hello."""

from datetime import date as Date  # noqa: N812 - a field has the name
from typing import Annotated, Literal

from msgspec import Meta, Struct

from audit.iana import Version

Use = Literal["access", "submission", "mx"]
Text = Annotated[str, Meta(min_length=1)]


class Client(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of `audit/clients/recordings`.

    Attributes:
        id: its name on the command line, and of its file.
        software, version: what was run.
        library: the TLS library it brought along, with version; empty if it is one itself.
        uses: what it is used for: to read mail, to hand it in, to send it to other servers. Who
            sends to other servers is opportunistic (RFC 7435): without TLS it sends in clear.
        kind: "recorded" as it is when nobody changes its settings, or "modelled": settings were
            made to stand for another, older client.
        models: which one, for a modelled client.
        made: how the hello was recorded: the command and its settings.
        date: the day of the recording.
        oldest: the oldest version that it completes, where its hello offers older ones or does
            not say, for it has no list of versions.
        hello: the record with the ClientHello, in hexadecimal; random, session id and key shares
            are replaced by zeros.
    """

    id: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9.-]*$")]
    software: Text
    version: Text
    library: str = ""
    uses: Annotated[tuple[Use, ...], Meta(min_length=1)]
    kind: Literal["recorded", "modelled"]
    models: str = ""
    made: Text
    date: Date
    oldest: Version | None = None
    hello: Text

    @property
    def title(self) -> str:
        """As people say it: "Exim 4.96 on GnuTLS 3.7.9"."""
        on = f" on {self.library}" if self.library else ""
        return f"{self.software} {self.version}{on}"
