"""Compile what is hot. Each extension is optional: without a C compiler the Python sources serve.

Two kinds: a .pyx is the fast twin of the .py it is named after (_book.pyx of book.py); a .pxd beside a .py types that
very source, which is then compiled as it stands.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

CORES = os.cpu_count() or 1
PACKAGES = ("protocol", "actors", "market", "connectors", "clockd")
# The plain source is what runs uncompiled: its annotations are for readers and mypy, the .pxd has the C types.
DIRECTIVES = {"annotation_typing": False}


def extension(source: Path) -> Extension:
    name = ".".join(source.with_suffix("").parts)
    level = "-O3" if source.suffix == ".pyx" else "-O2"
    return Extension(name, [str(source)], optional=True, extra_compile_args=[level, "-g0"])


found = [path for package in PACKAGES for path in sorted(Path(package).rglob("*.p[xy]*"))]
twins = [extension(path) for path in found if path.suffix == ".pyx"]
typed = [
    extension(path.with_suffix(".py")) for path in found if path.suffix == ".pxd" and path.with_suffix(".py").exists()
]

setup(
    options={"build_ext": {"parallel": CORES}},
    ext_modules=cythonize(twins, language_level=3, nthreads=CORES, build_dir="build/cython")
    + cythonize(typed, language_level=3, nthreads=CORES, build_dir="build/cython", compiler_directives=DIRECTIVES),
)
