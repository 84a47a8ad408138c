"""A mail domain from outside: its DNS, DANE, MTA-STS and reports."""

from audit.judge.catalogue.check import Check, of_domain, of_mx, of_mx_address

ROWS: tuple[Check, ...] = (
    of_domain(
        id="MT-MX",
        title="The domain says who takes its mail, or that nobody does",
        severity="high",
        why="Mail for a domain without a server comes back, some of it after days.",
        how="Its MX records; without any, its own address.",
        connections="0; 1 question to a resolver",
        fix="An MX record for each server, `example.org. MX 10 mx1.example.org.`; for a domain that"
        " takes no mail `example.org. MX 0 .`.",
        references=("RFC 5321, section 5.1", "RFC 7505"),
    ),
    of_mx(
        id="MT-MX-NAME",
        title="Each server is named by a host name of its own, with an address",
        severity="medium",
        why="Senders need not follow an alias, and look for TLSA records elsewhere then; an address"
        " in place of a name leads nowhere.",
        how="The name in the MX record, and its A and AAAA records.",
        connections="0; 2 questions to a resolver",
        fix="Name the host itself in the MX record, and give it A and AAAA records, no CNAME.",
        references=("RFC 5321, section 5.1", "RFC 2181, section 10.3", "RFC 7505, section 3"),
    ),
    of_domain(
        id="MT-MX-VERIFIED",
        title="Senders can tell the domain's servers from an attacker's",
        severity="medium",
        why="Without DANE and MTA-STS whoever sits on the way strips STARTTLS, or answers in the"
        " server's place, and reads the mail.",
        how="TLSA records in force for every server, or an MTA-STS policy in mode enforce.",
        connections="0",
        fix="Sign the zones and publish `_25._tcp.mx1.example.org. TLSA 3 1 1 <its digest>` for"
        " every server; where zones cannot be signed, an MTA-STS policy with mode: enforce.",
        references=("RFC 7672, section 1.3", "RFC 8461, section 2"),
    ),
    of_domain(
        id="MT-DNSSEC",
        title="What leads mail to its servers is signed, up to the root",
        severity="medium",
        why="A forged MX record leads mail elsewhere; and TLSA records count only where they are"
        " signed.",
        how="The AD bit of a validating resolver on MX records, addresses and TLSA records; where"
        " it is missing, the DS records on the way up.",
        connections="0; a question to a resolver for each zone on the way up",
        fix="Sign the zone, and have its DS record published in the parent zone, by the registrar.",
        references=("RFC 4035, section 4.3", "RFC 7672, section 2.1"),
    ),
    of_domain(
        id="MT-DNSSEC-VALID",
        title="What is signed validates",
        severity="critical",
        why="To resolvers that validate the domain is gone: they deliver no mail to it.",
        how="Answers that a validating resolver gives only with validation switched off (CD).",
        connections="0; as many questions again for what is bogus",
        fix="Sign the zone again, and compare its DNSKEY with the DS record of the parent zone.",
        references=("RFC 4035, section 5", "RFC 8914"),
    ),
    of_domain(
        id="MT-DNSSEC-EXPIRY",
        title="Signatures are renewed in time",
        severity="high",
        why="The hour they end, the domain is bogus.",
        how="Of each signature seen, what is left of its time; less than a tenth fails.",
        connections="0",
        fix="Find out why the zone is not signed again by itself (`ldns-signzone` from cron,"
        " dnssec-policy of BIND, Knot), and sign it now.",
        references=("RFC 6781, section 4.4.2",),
    ),
    of_mx(
        id="MT-DANE-RECORD",
        title="TLSA records are ones that senders can use",
        severity="medium",
        why="Senders pass over what they cannot use; if nothing is left, they verify nothing.",
        how="Usage, selector, matching type and length of each; whether DNSSEC carries them.",
        connections="0; 1 question to a resolver",
        fix="`3 1 1` with the SHA-256 of the server's key, or `2 1 1` with that of the authority"
        " that the server sends along; no usage 0 or 1.",
        references=("RFC 7672, section 3.1", "RFC 7671, section 5", "RFC 6698, section 2.1"),
    ),
    of_mx_address(
        id="MT-DANE",
        served=True,
        title="TLSA records vouch for what is served",
        severity="critical",
        why="Senders that verify deliver no mail to this address.",
        how="Every certificate that the address serves, of each type of key, against the records:"
        " the leaf for usage 3; for usage 2 the authority in the chain, the name and the dates."
        " One for no key that is served is told: before a roll-over it is that of the next key.",
        connections="0 beside the look at port 25",
        fix="Publish the record that the finding names; before the next change of key publish the"
        " new one beside it, and wait for the TTL.",
        references=("RFC 7672, section 3", "RFC 7671, section 5", "RFC 7671, section 8.1"),
    ),
    of_domain(
        id="MT-MTA-STS",
        title="The MTA-STS policy is one that senders can fetch and follow",
        severity="high",
        why="What is announced and cannot be followed protects nobody; a policy that senders still"
        " keep may be another one.",
        how="The TXT record at _mta-sts, and the policy as a sender fetches it: verified, without"
        " redirects, text/plain, at most 64 KiB.",
        connections="1 to port 443 of mta-sts.DOMAIN; 3 questions to a resolver",
        fix='One record `_mta-sts.example.org. TXT "v=STSv1; id=20261129"`, with a new id for each'
        " change, and the policy at https://mta-sts.example.org/.well-known/mta-sts.txt.",
        references=("RFC 8461, section 3",),
    ),
    of_domain(
        id="MT-MTA-STS-MX",
        title="The MTA-STS policy names every server",
        severity="high",
        why="Senders do not deliver to a server that the policy does not name.",
        how="The mx lines of the policy against the MX records.",
        connections="0",
        fix="An `mx:` line for each server, or `*.example.org` for one label; then a new id.",
        references=("RFC 8461, section 4.1",),
    ),
    of_domain(
        id="MT-MTA-STS-CERT",
        title="The servers' certificates are what the MTA-STS policy demands",
        severity="high",
        why="Senders that follow the policy do not deliver to a server whose certificate they"
        " cannot verify.",
        how="Every chain that each address serves: a path to a trusted root, name and dates.",
        connections="0 beside the look at port 25",
        fix="A certificate of a public authority for each server's name, with its whole chain"
        " (mailseal_certificate_source).",
        references=("RFC 8461, section 4.2",),
    ),
    of_domain(
        id="MT-TLSRPT",
        title="The domain says where failures of TLS are reported",
        severity="low",
        why="Whoever cannot deliver knows of a broken record first; without an address nobody is"
        " told.",
        how="The TXT record at _smtp._tls.",
        connections="0; 1 question to a resolver",
        fix='`_smtp._tls.example.org. TXT "v=TLSRPTv1; rua=mailto:tls-reports@example.org"`',
        references=("RFC 8460, section 3",),
    ),
    of_mx_address(
        id="MT-PTR",
        title="The address has a name that leads back to it",
        severity="low",
        why="Other servers mistrust an address without one, and people cannot tell whose it is.",
        how="The PTR record, and the addresses of the names in it.",
        connections="0; 1 question to a resolver, and 1 for each name",
        fix="Have the PTR record set to the host's name by whoever the address is from.",
        references=("RFC 1912, section 2.1", "RFC 8499, section 2"),
    ),
    of_mx_address(
        id="MT-BANNER",
        served=True,
        title="The server greets with a name that there is",
        severity="low",
        why="A name such as localhost is that of a server nobody has set up; some senders log or"
        " judge by it.",
        how="The name in the greeting on port 25, and its addresses.",
        connections="0; 2 questions to a resolver",
        fix="primary_hostname (Exim), servername (Cyrus) or myhostname (Postfix): the host's name"
        " in DNS.",
        references=("RFC 5321, section 4.2", "RFC 5321, section 4.1.1.1"),
    ),
)
