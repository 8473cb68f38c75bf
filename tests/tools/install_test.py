# SPDX-License-Identifier: MIT
"""What `meson install` gives to whoever makes a package: everything that belongs there, usable where it was put.

usage: install_test.py BUILD [viewer]"""

import glob
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop'))
from tap import Tap, check, check_equal

BUILD, *parts = sys.argv[1:]
FILES = ['bin/sumac', 'include/sumac/client.h', 'include/sumac/server.h', 'lib*/libspice-server.so.1', 'lib*/libsumac-client.so.0',
         'lib*/libsumac-client.so', 'lib*/libsumac-client.a', 'lib*/pkgconfig/sumac-client.pc', 'share/man/man1/sumac.1',
         'share/bash-completion/completions/sumac', 'share/zsh/site-functions/_sumac', 'share/doc/sumac/LICENSE']
OF_THE_VIEWER = ['bin/sumac-viewer', 'share/applications/org.sumac.Viewer.desktop', 'share/mime/packages/org.sumac.Viewer.xml',
                 'share/icons/hicolor/scalable/apps/org.sumac.Viewer.svg', 'share/man/man1/sumac-viewer.1',
                 'share/locale/*/LC_MESSAGES/sumac.mo']
SONAMES = {'libspice-server.so.1': 'libspice-server.so.1', 'libsumac-client.so.0': 'libsumac-client.so.0'}
PROGRAM = '#include <stdio.h>\n#include <sumac/client.h>\nint main(void) { return puts(sm_client_version()) < 0; }\n'

tap = Tap()
folder = tempfile.TemporaryDirectory(prefix='sumac-install-')


def run(*command, env=None, **settings):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                          env={**os.environ, **(env or {})}, **settings)
    check_equal(done.returncode, 0, f'exit code of {" ".join(command)}: {done.stdout[-1000:]}{done.stderr[-1000:]}')
    return done.stdout


def found(pattern):
    """The one file of that name below the prefix; `lib*` is also the folder of the machine's kind."""
    prefix = folder.name + '/usr/local/'
    files = glob.glob(prefix + pattern) + glob.glob(prefix + pattern.replace('lib*/', 'lib/*/'))
    check(files, f'{pattern} was not installed')
    return files[0]


@tap.test('everything that belongs into a package is installed')
def _():
    run('meson', 'install', '-C', BUILD, '--no-rebuild', '--destdir', folder.name)
    for name in FILES + (OF_THE_VIEWER if 'viewer' in parts else []):
        found(name)


@tap.test('libraries have their names, and nothing looks for them where it was built')
def _():
    for name, soname in SONAMES.items():
        check(f'Library soname: [{soname}]' in run('readelf', '-d', found('lib*/' + name)), f'{name}: another soname')
    for program in [*glob.glob(folder.name + '/usr/local/bin/*'), *glob.glob(folder.name + '/usr/local/lib/**/*.so*', recursive=True)]:
        check(not re.search('RPATH|RUNPATH', run('readelf', '-d', program)), f'{program} has a path of its own')


@tap.test('a program finds headers and library by pkg-config, and runs')
def _():
    source, target = folder.name + '/program.c', folder.name + '/program'
    with open(source, 'w', encoding='ascii') as file:
        file.write(PROGRAM)
    where = os.path.dirname(found('lib*/libsumac-client.so'))
    flags = run('pkg-config', '--cflags', '--libs', 'sumac-client',
                env={'PKG_CONFIG_PATH': where + '/pkgconfig', 'PKG_CONFIG_SYSROOT_DIR': folder.name}).split()
    run('gcc', '-o', target, source, *flags)
    check(run(target, env={'LD_LIBRARY_PATH': where}).strip() in run(found('bin/sumac'), '--version', env={'LD_LIBRARY_PATH': where}),
          'library and program differ in their version')


@tap.test('the manual pages name every command and every option')
def _():
    where = {'LD_LIBRARY_PATH': os.path.dirname(found('lib*/libsumac-client.so'))}
    with open(found('share/man/man1/sumac.1'), encoding='utf-8') as file:
        manual = file.read()
    commands = re.findall(r'^  ([a-z]+)  ', run(found('bin/sumac'), '--help', env=where), re.M)
    check(len(commands) > 10, f'commands: {commands}')
    check_equal([name for name in commands if f'sumac {name}' not in manual], [], 'commands that sumac(1) does not name')
    if 'viewer' not in parts:
        return
    with open(found('share/man/man1/sumac-viewer.1'), encoding='utf-8') as file:
        manual = file.read().replace('\\-', '-')
    options = re.findall(r'--[a-z][a-z-]+', run(found('bin/sumac-viewer'), '--help', env=where))
    check(len(options) > 10, f'options: {options}')
    check_equal([name for name in options if name not in manual], [], 'options that sumac-viewer(1) does not name')


with folder:
    status = tap.run()
sys.exit(status)
