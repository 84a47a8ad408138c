"""Asks a built OpenSSL, still in its stage, what it offers; prints JSON.

    ask.py STAGE PREFIX CC

Whether that may be shipped is judged on the control host (packages/offers.py).
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

METHODS = [f"SSLv{v}_{side}method" for v in (2, 3) for side in ("", "client_", "server_")]
# In a process of its own: this one has the system's library already, under the same name.
LOOK = """
import ctypes, json, sys
crypto, ssl = ctypes.CDLL(sys.argv[1]), ctypes.CDLL(sys.argv[2])
if hasattr(ssl, "OPENSSL_init_ssl"):
    ssl.OPENSSL_init_ssl(ctypes.c_uint64(0), None)
    count = crypto.OPENSSL_sk_num
else:
    ssl.SSL_library_init()
    count = crypto.sk_num
methods = {}
for name in sys.argv[3:]:
    function = getattr(ssl, name, None)
    if function is None:
        methods[name] = "absent"
    else:
        function.restype = ctypes.c_void_p
        methods[name] = "there" if function() else "null"
stack = ssl.SSL_COMP_get_compression_methods
stack.restype = ctypes.c_void_p
count.argtypes = [ctypes.c_void_p]
nistp = hasattr(crypto, "EC_GFp_nistp256_method")
print(json.dumps({"methods": methods, "compressions": count(stack()), "nistp": nistp}))
"""


def run(*argv: str, **environment: str) -> str:
    """What a program prints; it has to succeed."""
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    if done.returncode:
        sys.exit(f"{argv[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def dynamic(path: Path) -> dict[str, object]:
    """The dynamic section of a program or library, as far as it matters here."""
    text = run("readelf", "-d", str(path))
    soname = re.search(r"\(SONAME\).*\[(.*)\]", text)
    runpath = re.findall(r"\(R(?:UN)?PATH\).*\[(.*)\]", text)
    return {
        "soname": soname[1] if soname else "",
        "needed": re.findall(r"\(NEEDED\).*\[(.*)\]", text),
        "runpath": [one for paths in runpath for one in paths.split(":")],
    }


def main(stage: Path, prefix: str, compiler: str) -> None:
    """Print what there is."""
    home = stage / prefix.lstrip("/")
    program = str(home / "bin" / "openssl")
    here = {"LD_LIBRARY_PATH": str(home / "lib"), "OPENSSL_CONF": "/dev/null"}
    everything = "ALL:COMPLEMENTOFALL"
    said = run(program, "version", "-a", **here)
    if "OpenSSL 1.0" not in said:
        everything += "@SECLEVEL=0"
    objects = [p for p in (home / "lib").rglob("*.so*") if p.is_file() and not p.is_symlink()]
    crypto = next(p for p in objects if p.name.startswith("libcrypto.so."))
    ssl = next(p for p in objects if p.name.startswith("libssl.so."))
    look = run(sys.executable, "-c", LOOK, str(crypto), str(ssl), *METHODS, **here)
    wide = subprocess.run(
        [*compiler.split(), "-x", "c", "-c", "-o", os.devnull, "-"],
        input=b"__int128 wide;",
        capture_output=True,
        check=False,
    )
    found = re.search(r'^OPENSSLDIR: "(.*)"$', said, re.MULTILINE)
    wanted = re.findall(r"GLIBC_([0-9.]+)", run("objdump", "-T", *map(str, objects), program))

    def path(one: Path) -> str:
        return "/" + str(one.relative_to(stage))

    report = {
        "version": said.splitlines()[0],
        "openssldir": found[1] if found else "",
        "suites": run(program, "ciphers", "-V", everything, **here),
        "int128": wide.returncode == 0,
        "versioned": "OPENSSL_" in run("readelf", "-V", str(ssl)),
        "dynamic": {path(one): dynamic(one) for one in (*objects, Path(program))},
        "glibc": max(wanted, key=lambda text: [int(n) for n in text.split(".")]),
        "files": {path(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(objects)},
        **json.loads(look),
    }
    json.dump(report, sys.stdout, indent=1, sort_keys=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
