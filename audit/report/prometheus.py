"""Metrics for node_exporter's textfile collector: `--report prometheus=DIR/mailseal.prom`.

Gauges only, of the last run; Prometheus keeps the history. No sample has a timestamp, because the
collector refuses them: the age of a run is in mailseal_last_run_timestamp_seconds.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from audit.findings import Run, Verdict
from audit.past import NO_PAST, Past
from audit.report.summary import moment, summarize, utc
from audit.report.visible import visible

_STATUS: Mapping[Verdict, int] = {
    "pass": 0,
    "fail": 1,
    "inconclusive": 2,
    "waived": 3,
    "not-applicable": 4,
}
_PLACE = ("host", "address", "port", "service")

Samples = Mapping[tuple[str, ...], float]


def prometheus_document(run: Run, _past: Past = NO_PAST) -> bytes:
    """The run in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(run))
    return generate_latest(registry)


class _Collector(Collector):
    """A run as something to collect from."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing before it is asked: registering does not collect."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every metric, with its samples."""
        run = self._run
        codes = ", ".join(f"{code} {verdict}" for verdict, code in _STATUS.items())
        yield _gauge(
            "check_status",
            f"What came of a check: {codes}.",
            (*_PLACE, "check", "policy"),
            {
                (f.host, f.address, str(f.port), f.service, f.check, f.policy): _STATUS[f.verdict]
                for f in run.findings
            },
        )
        counts: Samples = {(str(v),): n for v, n in summarize(run).counts.items()}
        yield _gauge("findings", "Findings by verdict.", ("verdict",), counts)
        yield _gauge("checks_planned", "Checks that were to be made.", (), {(): run.planned})
        yield _gauge("checks_executed", "Checks that were made.", (), {(): run.executed})
        complete = float(run.executed >= run.planned > 0)
        yield _gauge("run_complete", "1 if every planned check was made.", (), {(): complete})
        ended = moment(run.finished)
        last: Samples = {(): ended.timestamp()} if ended else {}
        yield _gauge("last_run_timestamp_seconds", "When the last run ended.", (), last)
        yield _gauge(
            "certificate_not_after_timestamp_seconds",
            "When a certificate that is served ends; of several with one kind of key the first.",
            (*_PLACE, "key_type"),
            _certificates(run),
        )
        yield _gauge(
            "waiver_expiry_timestamp_seconds",
            "When a waiver that is in use ends; of several that are for the same the first.",
            ("check", "hosts", "ports", "owner"),
            _waivers(run),
        )


def _gauge(name: str, words: str, labels: tuple[str, ...], samples: Samples) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"mailseal_{name}", words, labels=labels)
    for values, number in samples.items():
        gauge.add_metric([visible(value) for value in values], float(number))
    return gauge


def _certificates(run: Run) -> Samples:
    ends: dict[tuple[str, ...], float] = {}
    for facts in run.endpoints:
        e = facts.endpoint
        for leaf in (chain[0] for chain in facts.chains if chain):
            place = (e.host, e.address, str(e.port), e.service, leaf.key_type)
            end = utc(leaf.not_after).timestamp()
            ends[place] = min(end, ends.get(place, end))
    return ends


def _waivers(run: Run) -> Samples:
    ends: dict[tuple[str, ...], float] = {}
    for waiver in dict.fromkeys(f.waiver for f in run.findings if f.waiver):
        place = (waiver.check, waiver.hosts, " ".join(map(str, waiver.ports)), waiver.owner)
        end = _end(waiver.expires)
        ends[place] = min(end, ends.get(place, end))
    return ends


def _end(day: date) -> float:
    """The moment after the last moment of a day, in UTC."""
    return (datetime.combine(day, time(), UTC) + timedelta(days=1)).timestamp()
