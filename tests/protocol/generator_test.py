#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the generator makes of a small description, and which mistakes it tells, by line.

usage: generator_test.py GENERATE [--update]

Every bad/NAME.wire is refused with the text of bad/NAME.error. golden/*.wire give exactly the files
in golden/expected; --update writes those anew, to be read before they are committed.
"""

import difflib
import os
import subprocess
import sys
import tempfile

LUA_TABLES_START = '-- Tables made from the description.'
LUA_TABLES_END = '-- Fields.'
HERE = os.path.dirname(os.path.abspath(__file__))


class Tap:
    def __init__(self):
        self.count, self.failed = 0, 0

    def check(self, is_ok, name, *details):
        self.count += 1
        self.failed += not is_ok
        print(f'{"ok" if is_ok else "not ok"} {self.count} - {name}')
        for detail in details if not is_ok else ():
            for line in detail.splitlines():
                print(f'# {line}')

    def end(self):
        print(f'1..{self.count}')
        return 1 if self.failed else 0


def read(path):
    with open(path, encoding='utf-8') as stream:
        return stream.read()


def run(generate, what, output, inputs, cwd):
    return subprocess.run([sys.executable, generate, what, output, *inputs], cwd=cwd, text=True,
                          capture_output=True, check=False)


def test_bad_inputs(tap, generate, temporary):
    folder = os.path.join(HERE, 'bad')
    names = sorted(name[:-5] for name in os.listdir(folder) if name.endswith('.wire'))
    tap.check(len(names) > 30, 'there are bad inputs')
    for name in names:
        result = run(generate, 'c', temporary, [name + '.wire'], folder)
        wanted = read(os.path.join(folder, name + '.error'))
        tap.check(result.returncode == 1 and result.stderr == wanted, f'bad input: {name}',
                  f'wanted: {wanted}', f'got {result.returncode}: {result.stderr}')


def test_golden(tap, generate, temporary, update):
    folder = os.path.join(HERE, 'golden')
    expected = os.path.join(folder, 'expected')
    made = os.path.join(temporary, 'made')
    for what in ('c', 'tests', 'docs', 'lua'):
        result = run(generate, what, expected if update else made,
                     ['shapes.wire', 'example.wire'], folder)
        tap.check(result.returncode == 0, f'golden: {what} is made', result.stderr)
    for directory in (expected, made):  # the samples are proved by the tests that use them
        if os.path.exists(os.path.join(directory, 'wire_samples.c')):
            os.remove(os.path.join(directory, 'wire_samples.c'))
    if update:
        keep_tables(expected)
        return
    names = sorted(set(os.listdir(expected)) | set(os.listdir(made)))
    tap.check(len(names) > 8, 'there are golden outputs')
    for name in names:
        sides = [lines_of(os.path.join(directory, name)) for directory in (expected, made)]
        difference = ''.join(difflib.unified_diff(*sides, 'expected', 'made'))
        tap.check(not difference, f'golden: {name}', difference)


def lines_of(path):
    """The lines of a file, none if it does not exist; of the dissector only the tables."""
    if not os.path.exists(path):
        return []
    text = read(path)
    if path.endswith('.lua'):
        text = text.partition(LUA_TABLES_START)[2].partition(LUA_TABLES_END)[0]
    return text.splitlines(keepends=True)


def keep_tables(directory):
    """Cuts the expected dissector down to what the description decides."""
    path = os.path.join(directory, 'sumac-spice.lua')
    tables = ''.join(lines_of(path))
    with open(path, 'w', encoding='utf-8') as stream:
        stream.write(LUA_TABLES_START + tables + LUA_TABLES_END)


def compiler_command():
    return [os.environ.get('CC', 'cc'), '-std=gnu17', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow',
            '-Wmissing-prototypes', '-Werror', '-fsyntax-only']


def test_golden_compiles(tap, temporary):
    """The expected C is C: each file alone, headers included."""
    root = os.path.dirname(os.path.dirname(HERE))
    include = os.path.join(temporary, 'include', 'core', 'wire')
    os.makedirs(include)
    expected = os.path.join(HERE, 'golden', 'expected')
    for name in os.listdir(expected):
        if name.endswith(('.c', '.h')) and not name.startswith('wire_'):
            os.symlink(os.path.join(expected, name), os.path.join(include, name))
    for name in sorted(os.listdir(include)):
        result = subprocess.run(
            [*compiler_command(), '-I', os.path.dirname(os.path.dirname(include)), '-I', root,
             '-I', os.path.join(root, 'include'), '-x', 'c', os.path.join(include, name)],
            text=True, capture_output=True, check=False)
        tap.check(result.returncode == 0, f'golden: {name} compiles', result.stderr)


def test_usage(tap, generate):
    result = run(generate, 'nonsense', '/nowhere', ['x.wire'], HERE)
    tap.check(result.returncode == 2 and 'usage:' in result.stderr, 'a wrong call shows the usage',
              result.stderr)


def main(arguments):
    generate = os.path.abspath(arguments[0])
    tap = Tap()
    with tempfile.TemporaryDirectory() as temporary:
        test_usage(tap, generate)
        test_bad_inputs(tap, generate, temporary)
        test_golden(tap, generate, temporary, '--update' in arguments)
        test_golden_compiles(tap, temporary)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
