"""Whether what serves is as its package brought it."""

from audit.judge.case import HostCase, HostJudge, Judgement
from audit.judge.inside import Found, verdict

# Where every file is some package's, ours or the distribution's; elsewhere people put what they
# like, and nothing can be told.
_PACKAGED = ("/opt/mailseal/", "/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/")


def verified(case: HostCase) -> Judgement:
    """No file is missing or changed in the packages of the programs and of their libraries."""
    facts, found = case.facts, Found(seen=[package.name for package in case.facts.packages])
    paths = dict.fromkeys(
        path for process in facts.processes for path in (process.program, *process.libraries)
    )
    for path in filter(None, paths):
        if path not in facts.owners:
            found.doubts.append(f"neither dpkg nor rpm could say whose {path} is")
        elif not facts.owners[path]:
            told = found.wrong if path.startswith(_PACKAGED) else found.doubts
            told.append(f"no package owns {path}, so nothing says what it should be")
    for package in facts.packages:
        found.wrong += [f"{package.name}: {file}" for file in package.altered]
        if not package.verified:
            found.doubts.append(f"{package.name} could not be verified")
    return verdict(case, found, "every file as its package brought it, but for configuration")


JUDGES: dict[str, HostJudge] = {"MT-PKG-VERIFY": verified}
