# SPDX-License-Identifier: MIT
"""The same still screen through every pair of server and client: equal to the pixel to what the device itself holds."""

import sys
import time

from peers import Machine, Stage
from tap import Tap, check, check_equal

tap = Tap()
stage = Stage()


def check_same(truth, picture, result, who):
    check(picture, f'{who} took no picture: {result}')
    check_equal(truth.differences(picture), None, f"the device's picture and {who}'s")


def add(server, vga, spice, clients):
    what = ', '.join(f'{key} {value}' for key, value in spice.items())

    @tap.test(f'{server} server, {vga}{", " + what if what else ""}: {" and ".join(clients)} see the screen as it is')
    def _():
        machine = Machine(stage, server=server, vga=vga, spice=spice)
        truth = machine.wait_screen()
        for client in clients:
            take = stage.sumac_screenshot if client == 'sumac' else stage.spicy_screenshot
            check_same(truth, *take(machine.uri), client)
        check(machine.is_running, 'QEMU ended')
        machine.stop()


for device in 'qxl', 'std', 'virtio':
    add('ours', device, {}, ['spicy-screenshot', 'sumac'])
    for compression in 'off', 'lz':
        add('reference', device, {'image-compression': compression}, ['spicy-screenshot', 'sumac'])


@tap.test('a unix socket: sumac sees the screen as it is on both servers')
def _():
    for server in 'ours', 'reference':
        machine = Machine(stage, server=server, unix=True)
        truth = machine.wait_screen()
        check_same(truth, *stage.sumac_screenshot(machine.uri), f'sumac on the {server} server')
        machine.stop()


def type_slowly(machine, text):
    """The queue of a keyboard is short: on a busy host a guest loses keys that come quickly."""
    return stage.sumac('type', machine.uri, '--delay', '60ms', text)


@tap.test('what sumac types is what the keyboard types, on both servers', attempts=3)
def _():
    text = 'Hello, Sumac! [x] {y} 0123 ~|\\ "quoted" \'a\' <b> @#$%^&*()_+-=;:/?'
    names = {' ': 'spc', ',': 'comma', '.': 'dot'}
    by_hand = 'type me by hand, 42.'
    pictures = {}
    for server in 'ours', 'reference':
        machine = Machine(stage, server=server)
        machine.wait_screen()
        result = type_slowly(machine, text)
        check_equal(result.code, 0, f'sumac type on the {server} server: {result}')
        before = machine.wait_still(1.0)
        result = type_slowly(machine, by_hand)
        check_equal(result.code, 0, f'sumac type: {result}')
        pictures[server] = machine.wait_still(1.0)
        check(before.differences(pictures[server]), f'nothing was typed on the {server} server')
        machine.stop()
    check_equal(pictures['ours'].differences(pictures['reference']), None, 'the screens typed on')

    machine = Machine(stage, server='ours')
    machine.wait_screen()
    result = type_slowly(machine, text)
    check_equal(result.code, 0, f'sumac type: {result}')
    for letter in by_hand:  # QEMU presses these itself: no client is involved
        machine.send_keys(names.get(letter, letter))
        time.sleep(0.15)
    check_equal(machine.wait_still(1.0).differences(pictures['ours']), None, 'typed by sumac and by QEMU')
    machine.stop()


with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)
