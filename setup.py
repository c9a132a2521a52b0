"""Compile every .pyx beside its plain twin. Each extension is optional: without a C compiler the twin serves."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

PACKAGES = ("actors", "market", "connectors")

extensions = [
    Extension(".".join(path.with_suffix("").parts), [str(path)], optional=True, extra_compile_args=["-O3"])
    for package in PACKAGES
    for path in sorted(Path(package).rglob("*.pyx"))
]

setup(ext_modules=cythonize(extensions, language_level=3, build_dir="build/cython") if extensions else [])
