# SPDX-License-Identifier: MIT
"""Pictures as JPEG and what follows: near at once, equal to the pixel once they are still. Our server, both clients."""

import sys

from peers import Machine, Stage
from tap import Tap, check, check_equal

tap = Tap()
stage = Stage()

ALWAYS = {'image-compression': 'quic', 'jpeg-wan-compression': 'always'}
NEVER = {'image-compression': 'quic', 'jpeg-wan-compression': 'never'}
STILL = ('--settle', '2s', '--settle-limit', '20s')


def mean_error(truth, picture):
    """Of a colour channel of a pixel, 0 to 255."""
    check_equal(picture.size, truth.size, 'the size of the picture')
    return sum(abs(a - b) for a, b in zip(truth.rgb, picture.rgb)) / len(truth.rgb)


for device in 'qxl', 'std', 'virtio':
    @tap.test(f'jpeg always, {device}: nearly right at once, then exactly', attempts=3)
    def _(device=device):
        machine = Machine(stage, vga=device, spice=ALWAYS)
        truth = machine.wait_screen()
        picture, result = stage.spicy_screenshot(machine.uri)
        check(picture, f'spicy-screenshot took no picture: {result}')
        error = mean_error(truth, picture)
        check(0 < error < 12, f'mean error {error} of the first picture: either exact, or wrong')
        picture, result = stage.sumac_screenshot(machine.uri, *STILL)
        check(picture, f'sumac took no picture: {result}')
        check_equal(truth.differences(picture), None, 'the still picture')
        machine.stop()


@tap.test('jpeg never, and auto on a fast line: exact from the beginning')
def _():
    for spice in NEVER, {'image-compression': 'quic'}:
        machine = Machine(stage, spice=spice)
        truth = machine.wait_screen()
        picture, result = stage.spicy_screenshot(machine.uri)
        check(picture, f'spicy-screenshot took no picture: {result}')
        check_equal(truth.differences(picture), None, f'the first picture with {spice}')
        machine.stop()


@tap.test('jpeg always: what is typed while it is watched is exact when it is still', attempts=3)
def _():
    machine = Machine(stage, spice=ALWAYS)
    machine.wait_screen()
    result = stage.sumac('type', machine.uri, 'Lossy, then exact: 0123456789.')
    check_equal(result.code, 0, f'sumac type: {result}')
    truth = machine.wait_still(2.0)
    picture, result = stage.sumac_screenshot(machine.uri, *STILL)
    check(picture, f'sumac took no picture: {result}')
    check_equal(truth.differences(picture), None, 'the still picture')
    machine.stop()


@tap.test('deflated GLZ, always: both clients see the screen as it is')
def _():
    machine = Machine(stage, spice={'image-compression': 'glz', 'zlib-glz-wan-compression': 'always'})
    truth = machine.wait_screen()
    for take in stage.spicy_screenshot, stage.sumac_screenshot:
        picture, result = take(machine.uri)
        check(picture, f'no picture: {result}')
        check_equal(truth.differences(picture), None, 'the picture')
    machine.stop()


with stage:
    status = tap.run(*sys.argv[1:2])
sys.exit(status)
