"""Compile the hot modules. Every extension is optional: without a C compiler the Python sources serve.

Two kinds: a .pyx is the Cython implementation of the .py that it is named after (_book.pyx of book.py); a .pxd beside a
.py types that very source, which is then compiled as it stands.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

CORES = os.cpu_count() or 1
PACKAGES = ("protocol", "actors", "market", "connectors", "clockd")
# The Python source also runs uncompiled: its annotations are for readers and mypy, the .pxd has the C types.
DIRECTIVES = {"annotation_typing": False}
# Flags instead of ours, for the compiler and the linker: `make sanitize` sets them.
FLAGS = os.environ.get("TICKBUS_CFLAGS", "").split()


def extension(source: Path) -> Extension:
    name = ".".join(source.with_suffix("").parts)
    level = "-O3" if source.suffix == ".pyx" else "-O2"
    return Extension(name, [str(source)], extra_compile_args=FLAGS or [level, "-g0"], extra_link_args=FLAGS)


def extensions() -> list[Extension]:
    found = [path for package in PACKAGES for path in sorted(Path(package).rglob("*.p[xy]*"))]
    cython = [extension(path) for path in found if path.suffix == ".pyx"]
    typed = [extension(path.with_suffix(".py")) for path in found if path.suffix == ".pxd"]
    typed = [one for one in typed if Path(one.sources[0]).exists()]
    shared = {"language_level": 3, "nthreads": CORES, "build_dir": "build/cython"}
    made = cythonize(cython, **shared) + cythonize(typed, **shared, compiler_directives=DIRECTIVES)
    for one in made:  # cythonize makes new objects and forgets this flag
        one.optional = True
    return made


setup(options={"build_ext": {"parallel": CORES}}, ext_modules=extensions())
