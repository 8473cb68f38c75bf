#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes everything that is made from the description of the wire.

usage: generate.py WHAT OUTPUT_DIR FILE.wire...

WHAT is `c`. The files are read in the given order; one can use only those before it.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from wiregen import checker, emit_header, emit_source, reader  # noqa: E402
from wiregen.model import WireError  # noqa: E402


def load(paths):
    """The checked files, by name, in the order of `paths`."""
    files = [reader.read_file(path) for path in paths]
    checker.check_files(files)
    return {file.name: file for file in files}


def write(directory, name, text):
    with open(os.path.join(directory, name), 'w', encoding='utf-8') as stream:
        stream.write(text)


def generate_c(directory, files):
    for file in files.values():
        write(directory, file.name + '.h', emit_header.header(file, files))
        write(directory, file.name + '.c', emit_source.source(file, files))
    write(directory, 'parts.h', emit_source.parts_header(files))


GENERATORS = {'c': generate_c}


def main(arguments):
    if len(arguments) < 3 or arguments[0] not in GENERATORS:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        files = load(arguments[2:])
    except WireError as error:
        print(error, file=sys.stderr)
        return 1
    os.makedirs(arguments[1], exist_ok=True)
    GENERATORS[arguments[0]](arguments[1], files)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
