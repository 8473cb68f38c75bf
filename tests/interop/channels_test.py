# SPDX-License-Identifier: MIT
"""Our channel machines against both servers, with mini headers as everybody uses them today and with full ones."""

import json
import os
import subprocess
import sys

from peers import BUILD, Machine, Stage
from tap import PATIENCE, Tap, check, check_equal

PROBE = os.path.join(BUILD, 'tests', 'interop', 'channels-probe')
tap = Tap()
stage = Stage()
names = {'reference': "the reference's server", 'ours': 'our server'}


def add(server, headers):
    @tap.test(f'{headers} headers carry screen and keys of {names[server]}')
    def _():
        machine = Machine(stage, server=server)
        machine.wait_screen()
        result = subprocess.run([PROBE, str(machine.port), headers], capture_output=True, text=True, timeout=60 * PATIENCE)
        check_equal(result.returncode, 0, result.stderr)
        seen = json.loads(result.stdout)
        check_equal(seen['mini'], headers == 'mini', 'mini headers')
        check_equal(seen['main'][:4], ['init', 'name', 'uuid', 'channels_list'], 'the start of main')
        check(seen['channels'] >= 3, f'channels: {seen}')
        check(seen['screen'] and seen['draws'] > 0, f'no screen: {seen}')
        check(seen['typed'] > 0, f'keys drew nothing: {seen}')
        check(seen['serial'] > seen['draws'] + seen['typed'], f'messages were not counted: {seen}')
        check(machine.is_running, 'QEMU ended')
        machine.stop()


with stage:
    for one_server in ('reference', 'ours'):
        for one_form in ('mini', 'full'):
            add(one_server, one_form)
    status = tap.run()
sys.exit(status)
