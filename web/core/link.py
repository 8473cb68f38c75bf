#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links the core archive into one WebAssembly module that keeps every function of core: each is exported, so the linker
drops nothing of ours, and an import would show what core needs from outside.

usage: link.py ARCHIVE OUTPUT"""

import subprocess
import sys

archive, output = sys.argv[1:]
listed = subprocess.run(['llvm-nm', '--defined-only', archive], stdout=subprocess.PIPE, text=True, check=True).stdout
functions = sorted({words[2] for words in map(str.split, listed.split('\n')) if len(words) == 3 and words[1] == 'T'})
subprocess.run(['clang', '--target=wasm32-wasi', '--sysroot=/usr', '-nostartfiles', '-Wl,--no-entry',
                '-Wl,--whole-archive', archive, '-Wl,--no-whole-archive',
                *(f'-Wl,--export={function}' for function in functions), '-o', output], check=True)
