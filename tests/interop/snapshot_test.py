# SPDX-License-Identifier: MIT
"""A machine is saved to a file, and another QEMU starts from it: the client that waits there and those that come later see
what the machine showed. (Not a snapshot: in text mode, which this machine is in, QEMU's VGA does not draw again what loadvm
brings, with the reference neither.)"""

import os
import sys

from peers import SUMAC, Machine, Stage
from pictures import Picture
from tap import Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()


def check_late(machine, truth, what):
    """The device itself, and clients that come now."""
    check_equal(truth.differences(machine.screendump()), None, f'{what}: the device')
    for take in stage.sumac_screenshot, stage.spicy_screenshot:
        picture, result = take(machine.uri)
        check(picture, f'{what}: no picture: {result}')
        check_equal(truth.differences(picture), None, what)


@tap.test('a machine saved to a file goes on in another QEMU, where a client waits for it')
def _():
    path = stage.path('machine')
    machine = Machine(stage)
    machine.wait_screen()
    machine.send_keys('s')
    truth = machine.wait_still(1.0)
    machine.qmp('migrate', uri=f'exec:cat > {path}')
    wait_for(lambda: machine.qmp('query-migrate').get('status') == 'completed', 30, 'the file')
    machine.stop()
    machine = Machine(stage, extra=['-incoming', 'defer'], env={'SPICE_DEBUG_ALLOW_MC': '1'})
    watcher = stage.start('sumac', [SUMAC, 'screenshot', '--settle', '5s', '--settle-limit', '20s', '--timeout', '60s', machine.uri,
                                    stage.path('early.png')])
    machine.qmp('migrate-incoming', uri=f'exec:cat {path}')
    wait_for(lambda: machine.qmp('query-status')['status'] == 'running', 30, 'the machine')
    check_late(machine, truth, 'the machine from the file')
    watcher.wait(60)
    check(os.path.exists(stage.path('early.png')), f'no picture: {watcher.log}')
    check_equal(truth.differences(Picture.load(stage.path('early.png'))), None, 'who waited')
    machine.stop()


with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)
