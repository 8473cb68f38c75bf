# SPDX-License-Identifier: MIT
"""Hostile clients by the thousand, and some that have the password: the guest keeps running, an honest client is served
meanwhile, and what they cost is bounded and given back. How long an honest client waits is measured by bench/attack."""

import json
import os
import subprocess
import sys

import attackers
from peers import Machine, Stage
from tap import Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()
machine = Machine(stage, agent=False, env={'SUMAC_CLIENTS': '0'})
machine.wait_screen()
SECONDS = 2
# Every kind of attack opens at most 16 sessions of four channels; 64 connections may be in their link phase.
MORE_FILES = 64 + 16 * 4 + 16
MORE_MIB = 64
pid = machine.process.pid


def memory_mib():
    with open(f'/proc/{pid}/status') as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith('VmRSS:'))


def open_files():
    return len(os.listdir(f'/proc/{pid}/fd'))


def serve_honest(word):
    """A client that comes now sees what the machine shows, and its key is on the screen."""
    before = machine.screendump()
    result = stage.sumac('type', machine.uri, word)
    check_equal(result.code, 0, f'typing: {result}')
    wait_for(lambda: machine.screendump().rgb != before.rgb, 30, 'the key on the screen')
    truth = machine.wait_still(0.5)
    picture, result = stage.sumac_screenshot(machine.uri)
    check(picture, f'no picture: {result}')
    check_equal(picture.rgb == truth.rgb, True, 'the pixels')


def add(number, kind):
    @tap.test(f'{kind}: the guest runs, an honest client is served, the cost is bounded and given back')
    def _():
        files, memory = open_files(), memory_mib()
        with subprocess.Popen([sys.executable, attackers.__file__, kind, '--port', str(machine.port), '--seconds',
                               str(SECONDS)], stdout=subprocess.PIPE, text=True) as attack:
            check_equal(attack.stdout.readline().strip(), 'ready', 'the attackers')
            serve_honest('abcdefghijklmnopqrstuvwxyz'[number])
            most_files, most_memory = open_files() - files, memory_mib() - memory
            counts = json.loads(attack.stdout.readline())
        print(f'# {counts}, {most_files} more files, {most_memory:.0f} MiB more')
        check(sum(counts.values()) > 0, f'the attack came to nothing: {counts}')
        check(most_files <= MORE_FILES, f'{most_files} more files are open')
        check(most_memory <= MORE_MIB, f'{most_memory:.0f} MiB more are in use')
        wait_for(lambda: open_files() <= files, 40, 'the descriptors back')
        check_equal(machine.qmp('query-status')['status'], 'running', 'the guest')
        wait_for(lambda: not machine.qmp('query-spice').get('channels'), 20, 'no session left over')


for each in enumerate(attackers.KINDS):
    add(*each)


with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)
