"""JUnit XML for Jenkins, GitLab and others: a test suite per host, a test case per check.

Failure and error differ as in JUnit: fail is a failure, inconclusive an error; waived and not
applicable are skipped. Checks that were planned and not made are an error of their own, because
a reader of JUnit would otherwise never miss them.
"""

from collections import Counter
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from audit.findings import Finding, Run, Verdict
from audit.past import NO_PAST, Past
from audit.report.entries import subject
from audit.report.summary import moment, place, summarize
from audit.report.visible import visible

_ELEMENTS: Mapping[Verdict, str] = {
    "fail": "failure",
    "inconclusive": "error",
    "not-applicable": "skipped",
    "waived": "skipped",
}


def junit_document(run: Run, _past: Past = NO_PAST) -> bytes:
    """The run as JUnit XML."""
    summary = summarize(run)
    root = ET.Element("testsuites", name="mailseal")
    by_host: dict[str, list[Finding]] = {}
    for finding in run.findings:
        by_host.setdefault(finding.host, []).append(finding)
    for host, findings in by_host.items():
        root.append(_suite(host, findings, run))
    if summary.missing:
        root.append(_incomplete(run, summary.missing))
    for key in ("tests", "failures", "errors"):  # junit-10.xsd has no skipped here
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    root.set("time", f"{summary.seconds or 0:.3f}")
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _suite(host: str, findings: list[Finding], run: Run) -> ET.Element:
    seconds = sum(e.seconds for e in run.endpoints if e.endpoint.host == host)
    suite = _empty_suite(host, run, seconds)
    several = len(run.policies) > 1
    ports = {(f.service, f.port, f.address) for f in findings if f.port}
    crowd = Counter((service, port, _family(address)) for service, port, address in ports)
    for one in findings:
        alone = crowd[one.service, one.port, _family(one.address)] <= 1
        suite.append(_case(one, _classname(one, alone=alone), several=several))
    _count(suite)
    return suite


def _empty_suite(host: str, run: Run, seconds: float = 0) -> ET.Element:
    started = moment(run.started)
    suite = ET.Element(
        "testsuite",
        name=visible(host),
        hostname=visible(host),
        time=f"{seconds:.3f}",
        timestamp=f"{started:%Y-%m-%dT%H:%M:%S}" if started else visible(run.started),
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("mailseal.policy.id", run.policy.id),
        ("mailseal.policy.version", run.policy.version),
        ("mailseal.run", run.run),
    ):
        ET.SubElement(properties, "property", name=name, value=visible(value))
    return suite


def _count(suite: ET.Element) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for key, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(key, str(sum(case.find(element) is not None for case in cases)))


def _case(finding: Finding, classname: str, *, several: bool) -> ET.Element:
    """One check; with several policies it is named after its own too, for no name comes twice."""
    name = f"{finding.check} by {finding.policy}" if several else finding.check
    case = ET.Element("testcase", classname=classname, name=visible(name))
    case.set("time", "0")
    if finding.verdict != "pass":
        message = f"{finding.observed}; expected: {finding.expected}"
        accepted = f" {finding.waiver.accepted}" if finding.waiver else ""
        result = ET.SubElement(case, _ELEMENTS[finding.verdict])
        result.set("message", visible(f"{finding.verdict}{accepted}: {message}"))
        if result.tag != "skipped":
            result.set("type", finding.severity)
        result.text = visible(_details(finding), lines=True)
    return case


def _classname(finding: Finding, *, alone: bool) -> str:
    """mailseal.imap1.imap143.ipv4: the shape by which Jenkins keeps a trend.

    An address that is not *alone* of its family there is named: a dot would be one level more.
    """
    if not finding.port:
        return visible(f"mailseal.{finding.host}.{subject(finding)}")
    family = _family(finding.address)
    address = "" if alone else f"-{finding.address.replace('.', '-').replace(':', '-')}"
    return visible(f"mailseal.{finding.host}.{finding.service}{finding.port}.{family}{address}")


def _family(address: str) -> str:
    return "ipv6" if ":" in address else "ipv4"


def _details(finding: Finding) -> str:
    return "\n".join(
        f"{label}: {visible(text, lines=label == 'evidence')}"
        for label, text in (
            ("where", place(finding)),
            ("observed", finding.observed),
            ("expected", finding.expected),
            ("policy", finding.policy),
            ("policy item", finding.item),
            ("level", finding.level),
            ("evidence", finding.evidence),
        )
        if text
    )


def _incomplete(run: Run, missing: int) -> ET.Element:
    suite = _empty_suite("mailseal", run)
    case = ET.SubElement(suite, "testcase", classname="mailseal.run", name="complete", time="0")
    ET.SubElement(
        case,
        "error",
        message=f"planned {run.planned} checks, made {run.executed}: {missing} are missing",
        type="high",
    )
    _count(suite)
    return suite
