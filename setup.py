"""What pyproject.toml has no settled words for: the quick way through logs is compiled.

Without a compiler the installation goes on, and Python's own way counts the same.
"""

from setuptools import Extension, setup

setup(
    ext_modules=[Extension("audit.traffic.native", ["audit/traffic/native.c"], optional=True)],
)
