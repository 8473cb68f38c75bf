#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes everything that is made from the description of the wire.

usage: generate.py WHAT OUTPUT_DIR FILE.wire...

WHAT is
    c       the sources of core/wire
    tests   round trips and samples for the tests of them
    fuzz    seeds and dictionaries for their fuzz targets; OUTPUT_DIR is fuzz/core-wire
    lua     the Wireshark dissector
    docs    the reference pages; OUTPUT_DIR is docs/wire

The files are read in the given order; one can use only those before it.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from wiregen import (checker, emit_docs, emit_fuzz, emit_header, emit_lua,  # noqa: E402
                     emit_source, emit_tests, reader)
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


def generate_tests(directory, files):
    write(directory, 'wire_rounds.h', emit_tests.rounds_header(files))
    write(directory, 'wire_rounds.c', emit_tests.rounds_source(files))
    write(directory, 'wire_samples.c', emit_tests.samples_source(files))


def generate_fuzz(directory, files):
    for target, seeds in emit_fuzz.seeds(files).items():
        corpus = os.path.join(directory, target + '.corpus')
        os.makedirs(corpus, exist_ok=True)
        for name, data in seeds.items():
            with open(os.path.join(corpus, name), 'wb') as stream:
                stream.write(data)
    for target, text in emit_fuzz.dictionaries(files).items():
        write(directory, target + '.dict', text)


def generate_docs(directory, files):
    for file in files.values():
        write(directory, file.name + '.md', emit_docs.page(file, files))


def generate_lua(directory, files):
    write(directory, 'sumac-spice.lua', emit_lua.dissector(files))


GENERATORS = {'c': generate_c, 'tests': generate_tests, 'fuzz': generate_fuzz,
              'docs': generate_docs, 'lua': generate_lua}


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
