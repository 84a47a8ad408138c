"""What pyproject.toml has no settled words for: the quick ways through logs are compiled.

Without a compiler the installation goes on, and Python's own ways count the same.
"""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(f"audit.traffic.{name}", [f"audit/traffic/{name}.c"], optional=True)
        for name in ("exim_native", "syslog_native")
    ],
)
