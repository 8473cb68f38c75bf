# SPDX-License-Identifier: MIT
"""Each check of tools/check passes a good tree and finds what is wrong with a bad one."""

import importlib.machinery
import importlib.util
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'interop'))
sys.dont_write_bytecode = True
from tap import Tap, check, check_equal

loader = importlib.machinery.SourceFileLoader('check', os.path.join(HERE, '..', '..', 'tools', 'check'))
module = importlib.util.module_from_spec(importlib.util.spec_from_loader('check', loader))
loader.exec_module(module)

SPDX = '/* SPDX-License-Identifier: MIT */\n'
scratch = tempfile.TemporaryDirectory(prefix='sumac-check-')
tap = Tap()


def tree_of(files):
    folder = tempfile.mkdtemp(dir=scratch.name)
    for name, text in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), 'w') as file:
            file.write(text)
    return module.Tree(folder)


def finds(function, good, bad, word):
    """`function` says nothing of the files `good`, and something with `word` in it of `bad`."""
    check_equal(function(tree_of(good)), [], 'problems of a good tree')
    problems = function(tree_of(bad))
    check(any(word in problem for problem in problems), f'{word!r} is not in {problems}')


def archive_of(source):
    folder = tempfile.mkdtemp(dir=scratch.name)
    path = os.path.join(folder, 'part.c')
    with open(path, 'w') as file:
        file.write(source)
    subprocess.run(['gcc', '-w', '-O0', '-fPIC', '-c', '-o', path + '.o', path], check=True)
    subprocess.run(['ar', 'cr', path + '.a', path + '.o'], check=True)
    return path + '.a'


def includes(name, *targets):
    return {name: SPDX + ''.join(f'#include {target}\n' for target in targets)}


@tap.test('an include upward is found')
def _():
    finds(module.check_layers, includes('core/wire/a.c', '"core/base/reader.h"', '"sumac/status.h"', '<string.h>'),
          includes('core/base/a.c', '"core/wire/types.h"'), 'core/base may use nothing')
    finds(module.check_layers, {}, includes('core/codec/lz/a.c', '"core/gfx/surface.h"'), 'core/codec')
    finds(module.check_layers, {}, includes('io/a.c', '"media/libs.h"'), 'io may use')


@tap.test('server and client including each other is found')
def _():
    finds(module.check_layers, includes('server/a.c', '"io/log.h"'), includes('server/a.c', '"client/session.h"'),
          'server may use')
    finds(module.check_layers, includes('client/a.c', '"sumac/client.h"'), includes('client/b.c', '"server/abi/abi.h"'),
          'client may use')


@tap.test('a system header in core that means I/O, a clock or a thread is found')
def _():
    for header in 'stdio.h', 'time.h', 'pthread.h', 'unistd.h', 'sys/socket.h', 'errno.h':
        finds(module.check_layers, includes('io/a.c', f'<{header}>'), includes('core/gfx/a.c', f'<{header}>'), header)


@tap.test('a source without a licence line is found')
def _():
    for name in 'core/base/a.c', 'a.h', 'tools/x.py', 'server/meson.build':
        finds(module.check_spdx, {name: '# SPDX-License-Identifier: MIT\n'}, {name: 'int a;\n'}, name)
    finds(module.check_spdx, {'run': '#!/bin/sh\n# SPDX-License-Identifier: MIT\n'}, {'run': '#!/bin/sh\n'}, 'run')


@tap.test('a path of a workplace is found')
def _():
    finds(module.check_places, {'docs/a.md': 'a framework/main\n'}, {'docs/a.md': 'see /' + 'work/main/x\n'}, 'docs/a.md:1')


@tap.test('a header with another guard is found')
def _():
    finds(module.check_guards, {'io/log.h': '#ifndef SM_IO_LOG_H\n#define SM_IO_LOG_H\n#endif\n'},
          {'io/log.h': '#ifndef LOG_H\n#define LOG_H\n#endif\n'}, 'SM_IO_LOG_H')


@tap.test('a header that needs another one first is found')
def _():
    finds(module.check_headers, {'io/a.h': '#include <stdint.h>\nuint8_t sm_a(void);\n'},
          {'io/a.h': 'uint8_t sm_a(void);\n'}, 'io/a.h does not compile alone')


@tap.test('a badly formatted file is found')
def _():
    finds(module.check_format, {'.clang-format': 'BasedOnStyle: LLVM\n', 'a.c': 'int a;\n'},
          {'.clang-format': 'BasedOnStyle: LLVM\n', 'a.c': 'int    a ;\n'}, 'a.c')


@tap.test('a careless script is found')
def _():
    finds(module.check_shell, {'run': '#!/bin/sh\necho "$1"\n'}, {'run': '#!/bin/sh\nrm $1\n'}, 'SC2086')


@tap.test('a variable in the archive is found')
def _():
    check_equal(module.check_archive(archive_of('static const int t[] = {1}; const int *f(void) { return t; }')), [], 'good')
    for bad in ('int counter;', 'int counter = 1;', 'static int counter; int *f(void) { return &counter; }',
                '__thread int counter;', 'int *f(void) { static int counter = 3; return &counter; }'):
        check(any('counter' in problem for problem in module.check_archive(archive_of(bad))), f'not found: {bad}')


@tap.test('a constant table of pointers in the archive is allowed')
def _():
    source = 'static const char *const names[] = {"a", "b"}; const char *f(int i) { return names[i]; }'
    check_equal(module.check_archive(archive_of(source)), [], 'problems')


@tap.test('a forbidden function in the archive is found')
def _():
    check_equal(module.check_archive(archive_of('void *malloc(unsigned long); void *f(void) { return malloc(1); }')), [],
                'good')
    for bad in 'abort', 'exit', 'printf', 'time', 'getenv', 'pthread_mutex_lock', 'open':
        source = f'void {bad}(void); void f(void) {{ {bad}(); }}'
        check(any(bad in problem for problem in module.check_archive(archive_of(source))), f'not found: {bad}')


@tap.test('a test that the page of security names and nobody has is found')
def _():
    test = {'tests/a_test.c': 'static void nobody_gets_in(void **state)\n'}
    finds(module.check_named_tests, {**test, 'docs/security.md': '| strangers | `nobody_gets_in` |\n'},
          {**test, 'docs/security.md': '| strangers | `nobody_gets_out` |\n'}, 'nobody_gets_out')


@tap.test('a text without its translation is found')
def _():
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    good = {'po/POTFILES': 'viewer/a.c\n', 'viewer/a.c': 'x = _("Yes");\n', 'po/de.po': head + 'msgid "Yes"\nmsgstr "Ja"\n'}
    finds(module.check_translations, good, {**good, 'viewer/a.c': 'x = _("No");\n'}, 'de.po')
    finds(module.check_translations, good, {**good, 'viewer/b.c': 'x = _("Yes");\n'}, 'viewer/b.c')
    finds(module.check_translations, {}, {**good, 'po/de.po': head + 'msgid "Yes"\nmsgstr ""\n'}, 'de.po')


@tap.test('an empty archive is found')
def _():
    path = os.path.join(tempfile.mkdtemp(dir=scratch.name), 'empty.a')
    subprocess.run(['ar', 'cr', path], check=True)
    check(module.check_archive(path), 'an empty archive passes')


@tap.test('an import of the WebAssembly module is found')
def _():
    def wasm(imports, functions=60):
        def name(text):
            return bytes([len(text)]) + text.encode()
        body = bytes([len(imports)]) + b''.join(name('env') + name(entry) + b'\0\0' for entry in imports)
        section3 = bytes([functions]) + bytes(functions)
        data = struct.pack('<4sI', b'\0asm', 1) + (bytes([2, len(body)]) + body if imports else b'') + \
            bytes([3, len(section3)]) + section3
        path = os.path.join(tempfile.mkdtemp(dir=scratch.name), 'm.wasm')
        with open(path, 'wb') as file:
            file.write(data)
        return path
    check_equal(module.check_module(wasm([])), [], 'good')
    check('imports env.abort' in module.check_module(wasm(['abort'])), 'not found: an import')
    check(module.check_module(wasm([], 3)), 'a module without functions passes')


tap.main()
