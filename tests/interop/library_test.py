#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The client library as somebody else's program has it: installed, found by pkg-config, used by examples/."""

import os
import shutil
import subprocess
import time

from peers import BUILD, Machine, ROOT, Stage
from pictures import Picture
from tap import Tap, check, check_equal

tap = Tap()
stage = Stage()
place = {}


def installed():
    """The folder of an installation, as DESTDIR has it."""
    if not place:
        root = stage.path('root')
        result = stage.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', root,
                            '--tags', 'devel,runtime'], 120)
        check_equal(result.code, 0, f'{result}')
        found = [folder for folder, _, files in os.walk(root) if 'sumac-client.pc' in files]
        check_equal(len(found), 1, f'sumac-client.pc in {root}')
        place['root'], place['pc'] = root, found[0]
        place['lib'] = os.path.dirname(found[0])
    return place


def example(name, *flags, compiler='cc'):
    """Builds an example against the installed library alone; returns the program and its environment."""
    where = installed()
    env = {**os.environ, 'PKG_CONFIG_PATH': where['pc'], 'PKG_CONFIG_SYSROOT_DIR': where['root']}
    found = subprocess.run(['pkg-config', '--cflags', '--libs', 'sumac-client'], env=env, stdout=subprocess.PIPE,
                           text=True, check=True)
    program = stage.path(name)
    # Away from the source tree, whose headers must not help.
    source = shutil.copy(os.path.join(ROOT, 'examples', name + '.c'), stage.path(name + '.c'))
    result = stage.run([compiler, '-Wall', '-Wextra', '-Werror', *flags, source, *found.stdout.split(), '-o', program],
                       60)
    check_equal(result.code, 0, f'{result}')
    return program, {'LD_LIBRARY_PATH': where['lib']}


@tap.test('the installed headers compile alone, as C99, C17 and C++')
def headers():
    where = installed()
    folder = os.path.join(where['root'], 'usr/local/include/sumac')
    folder = folder if os.path.isdir(folder) else next(f for f, _, n in os.walk(where['root']) if 'client.h' in n)
    names = sorted(os.listdir(folder))
    check('session.h' in names and 'display.h' in names, f'{names}')
    for compiler, flags in ('cc', '-std=c17'), ('cc', '-std=gnu99'), ('c++', '-std=c++17'):
        for name in names:
            result = stage.run([compiler, flags, '-xc' if compiler == 'cc' else '-xc++', '-Wall', '-Wextra', '-Werror',
                                '-fsyntax-only', '-I' + os.path.dirname(folder), os.path.join(folder, name)])
            check_equal(result.code, 0, f'{compiler} {flags} {name}: {result}')


def add_server_tests(server):
    @tap.test(f'examples/screenshot saves what the machine shows ({server})')
    def screenshot():
        program, env = example('screenshot')
        shown = Machine(stage, server=server)
        truth = shown.wait_screen()
        target = stage.path('example.ppm')
        result = stage.run([program, shown.uri, target], 60, env)
        check_equal(result.code, 0, f'{result}')
        check_equal(Picture.load(target).differences(truth), None, 'the picture')
        result = stage.run([program, 'spice://127.0.0.1:1', target], 60, env)
        check(result.code == 1 and 'nobody listens' in result.err, f'{result}')
        shown.stop()

    @tap.test(f'examples/press sees the change that a key makes ({server})')
    def press():
        program, env = example('press')
        shown = Machine(stage, server=server)
        before = shown.wait_screen()
        start = time.monotonic()
        result = stage.run([program, shown.uri, 'shift-x'], 60, env)
        check_equal(result.code, 0, f'{result}')
        check('changed: ' in result.out, f'{result}')
        check(time.monotonic() - start >= 0.5, 'it did not wait for the screen to stand still')
        check(before.differences(shown.screendump()), 'nothing has changed')
        check_equal(stage.run([program, shown.uri, 'hyper'], 60, env).code, 2, 'exit code of a key that does not exist')
        shown.stop()


for one in 'reference', 'ours':
    add_server_tests(one)


if __name__ == '__main__':
    with stage:
        tap.main()
