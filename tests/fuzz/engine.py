"""One target under atheris: `python -m tests.fuzz.engine TARGET`, and libFuzzer's own arguments."""

import sys

import atheris


def main() -> None:
    """Run until libFuzzer has enough."""
    # What is seen of the path through `der` leads the fuzzer where compiled parsers show nothing.
    with atheris.instrument_imports(include=["audit", "tests.fuzz.der"]):
        from tests.fuzz.targets import check
    name, *arguments = sys.argv[1:]
    # To merge, libFuzzer starts itself again, by its first argument and through a shell.
    again = f"{sys.executable} -m tests.fuzz.engine {name}"
    atheris.Setup([again, *arguments], lambda data: check(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
