#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The viewer and the guest's desktop: what only an agent in the guest makes possible.

usage: viewer_test.py ours|reference [WORDS OF A TEST]"""

import base64
import hashlib
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop'))
from desk import Desk, SwayDesk
from peers import Machine, Stage
from pictures import Picture
from tap import PATIENCE, Tap, check, check_equal, note, wait_for

TEXT = 'Käse, 乳酪 & "quotes"\nsecond line\n'
LARGE_BYTES = 5000000
tap = Tap()
stage = Stage()
desk = Desk(stage)
machine = Machine(stage, server=sys.argv[1], guest=True, kernel='sumac.follow')
machine.wait_desktop()
programs = [desk.viewer(machine.uri)]  # the last one runs


def path_of(name, data):
    path = stage.path(name)
    with open(path, 'wb') as file:
        file.write(data)
    return path


def copy_here(data, target='UTF8_STRING', selection='clipboard'):
    # xclip stays in the background as the owner of the selection.
    stage.start('xclip', ['xclip', '-quiet', '-selection', selection, '-t', target, '-i', path_of('copied', data)], desk.env)


def paste_here(target='UTF8_STRING', selection='clipboard', timeout=20):
    out = stage.path('pasted')
    result = desk.run('sh', '-c', f'xclip -o -selection {selection} -t {target} >{out}', timeout=timeout)
    with open(out, 'rb') as file:
        return file.read() if result.code == 0 else None


def copy_there(data, target='UTF8_STRING', selection='clipboard'):
    machine.run(f'echo {data.hex()} | tr -d "\\n" | perl -pe \'$_ = pack "H*", $_\' >/tmp/copied')
    machine.run(f'setsid xclip -selection {selection} -t {target} -i /tmp/copied >/dev/null 2>&1 &')


def paste_there(target='UTF8_STRING', selection='clipboard', timeout=40):
    return machine.run(f'timeout {timeout} xclip -o -selection {selection} -t {target} 2>/dev/null | sha256sum',
                       timeout=timeout + 30, check=False).split()[0]


def arrives_here(data, target, paste, before=lambda: None):
    """Copies in the guest, and waits until that is pasted here. An agent keeps silent of what it had before a client came, and
    a viewer cannot always have the clipboard, so this may take more than one try."""
    machine.insist(lambda: (before(), copy_there(data, target)), lambda: paste() == data, f'{target} here', 2, 7)


def small_picture(blue=77):
    # Small: the serial console takes lines of 4096 characters.
    picture = Picture(16, 12, bytes(x * 16 if c == 0 else y * 20 if c == 1 else blue
                                    for y in range(12) for x in range(16) for c in range(3)))
    path = stage.path('picture.png')
    picture.save(path)
    with open(path, 'rb') as file:
        return picture, file.read()


def is_painted(picture):
    """Whether the guest's desktop is painted: its last rows are light and pass smoothly into each other. What the memory held
    does not, or is black."""
    def near(a, b):
        return all(abs(a[c] - b[c]) <= 4 for c in range(3))

    def at(x, y):
        start = (y * picture.width + x) * 3
        return picture.rgb[start:start + 3]

    last = picture.height - 1
    return at(0, last)[2] > 150 and all(near(at(x, y), at(x, y + 1)) and near(at(x, y), at(x + 1, y))
                                        for y in range(last - 11, last) for x in range(300))


@tap.test("the guest's screen takes the window's size, pixel by pixel")
def _():
    window = wait_for(lambda: desk.run('xdotool', 'search', '--onlyvisible', '--name', '^QEMU').out.split(), 30, 'the window')[0]
    # Widths of whole multiples of 8 pixels: QEMU's own picture of others is slanted. 10 are the window's border.
    for width, height in (1210, 900), (810, 640):
        def fits():
            size = machine.screendump().size
            return width - 20 <= size[0] <= width and height - 80 <= size[1] <= height
        start = time.monotonic()
        desk.xdotool('windowsize', window, str(width), str(height))
        wait_for(fits, 60, f'a screen that fits into a window of {width} x {height}', 0.02)
        note(f'{(time.monotonic() - start) * 1000:.0f} ms from the window to the guest')
        place = desk.wait_shown(machine, 'the whole screen in the window')
        check(fits(), f'{machine.screendump().size} in {width} x {height}')
        check(place[0] < 20, f'the screen is at {place}')
        wait_for(lambda: is_painted(machine.screendump()), 60, "the guest's desktop, painted anew")


@tap.test('text copied in the guest is pasted here')
def _():
    arrives_here(TEXT.encode(), 'UTF8_STRING', paste_here)


@tap.test('text copied here is pasted in the guest')
def _():
    text = TEXT + 'x' * 300000
    expected = hashlib.sha256(text.encode()).hexdigest()
    machine.insist(lambda: copy_here(text.encode()), lambda: paste_there() == expected, 'the text')


@tap.test('a picture copied in the guest is pasted here')
def _():
    picture, data = small_picture()
    arrives_here(data, 'image/png', lambda: paste_here('image/png'))


@tap.test('a picture copied here is pasted in the guest')
def _():
    picture, data = small_picture(200)  # another than the guest has already

    def pasted():
        machine.run('timeout 40 xclip -o -selection clipboard -t image/png >/tmp/pasted.png 2>/dev/null', timeout=90, check=False)
        found = base64.b64decode(machine.run('base64 -w0 /tmp/pasted.png', check=False).strip())
        return found.startswith(b'\x89PNG') and not picture.differences(Picture.load(path_of('found.png', found)))
    machine.insist(lambda: copy_here(data, 'image/png'), pasted, 'the picture')


@tap.test('what is selected goes both ways, beside the clipboard')
def _():
    machine.insist(lambda: copy_there(b'selected there', selection='primary'),
                   lambda: paste_here(selection='primary') == b'selected there', 'the selection here')
    expected = hashlib.sha256(b'selected here').hexdigest()
    machine.insist(lambda: copy_here(b'selected here', selection='primary'),
                   lambda: paste_there(selection='primary') == expected, 'the selection in the guest')


@tap.test('a picture of 5 MB goes both ways, to the byte')
def _():
    data = small_picture()[1][:8] + os.urandom(LARGE_BYTES)  # nobody between needs to understand it
    expected = hashlib.sha256(data).hexdigest()
    machine.insist(lambda: copy_here(data, 'image/png'), lambda: paste_there('image/png', timeout=240) == expected,
                  'the picture in the guest')
    machine.run('timeout 240 xclip -o -selection clipboard -t image/png >/tmp/large.png; printf x >>/tmp/large.png', timeout=300)
    machine.insist(lambda: machine.run('setsid xclip -selection clipboard -t image/png -i /tmp/large.png >/dev/null 2>&1 &'),
                   lambda: paste_here('image/png', timeout=60) == data + b'x', 'the picture here', 30)


@tap.test('nothing goes to the machine if the user remembers so')
def _():
    programs[-1].stop()
    folder = os.path.join(stage.home, '.config', 'sumac')
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'machines'), 'w', encoding='ascii') as file:
        file.write(f'[{machine.uri}]\nclipboard=from-machine\n')
    programs.append(desk.viewer(machine.uri))
    copy_here(b'secret')
    wait_for(lambda: "the guest's agent can do" in programs[-1].log, 60, 'the agent')
    arrives_here(b'public', 'UTF8_STRING', paste_here)
    copy_here(b'secret')
    wait_for(lambda: paste_here() == b'secret', 30, 'the text copied here', 0.2)
    until = time.monotonic() + 4 * PATIENCE
    while time.monotonic() < until:
        check_equal(paste_there(), hashlib.sha256(b'public').hexdigest(), 'what is pasted in the guest')
        time.sleep(0.3)


def wayland_copy(sway, data, kind):
    # It stays as the owner of the clipboard. A manager's protocol serves it, so it does without a window.
    stage.start('wl-copy', ['sh', '-c', f"exec wl-copy --foreground --type '{kind}' <{path_of('copied', data)}"], sway.env)


def wayland_paste(sway, kind, timeout=20):
    out = stage.path('pasted')
    result = stage.run(['sh', '-c', f"wl-paste --no-newline --type '{kind}' >{out}"], timeout, sway.env)
    with open(out, 'rb') as file:
        return file.read() if result.code == 0 else None


@tap.test('on a Wayland desktop text and pictures go both ways')
def _():
    programs[-1].stop()
    remembered = os.path.join(stage.home, '.config', 'sumac', 'machines')
    if os.path.exists(remembered):
        os.remove(remembered)
    sway = SwayDesk(stage)
    programs.append(sway.viewer('--auto-resize=never', machine.uri))
    wait_for(lambda: "the guest's agent can do" in programs[-1].log, 60, 'the agent')
    sway.move(1150, 300)  # the background of the desktop there
    utf8 = 'text/plain;charset=utf-8'

    for data, there, here in (TEXT.encode(), 'UTF8_STRING', utf8), (small_picture()[1], 'image/png', 'image/png'):
        # Wayland lets a program set the clipboard if it was used after whoever set it before.
        arrives_here(data, there, lambda: wayland_paste(sway, here), sway.click)
        data += b'!'
        expected = hashlib.sha256(data).hexdigest()
        machine.insist(lambda: wayland_copy(sway, data, here), lambda: paste_there(there) == expected, f'{there} in the guest')


@tap.test('nothing was said on standard error that should worry anybody')
def _():
    bad = [line for program in programs for line in program.log.split('\n') if 'CRITICAL' in line or 'anitizer' in line]
    check_equal(bad, [], 'lines')
    check(programs[-1].is_running, 'the viewer ended')


with stage:
    status = tap.run(*sys.argv[2:3])
sys.exit(status)
