#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's remote-viewer and the guest with its stock agent: what a person does with both.

usage: remote_viewer_test.py ours|reference [WORDS OF A TEST]"""

import hashlib
import os
import subprocess
import sys

from person import ManagedDesk, Person
from peers import Machine, Stage
from tap import Tap, check, check_equal, wait_for

ATR = '3b:7a:18:00:00:73:66:74:65:20:63:64:31:34:34'  # of libcacard's card of software

tap = Tap()
stage = Stage()
desk = ManagedDesk(stage)
disc = stage.path('disc.iso')
database = 'sql:' + stage.path('nss')
machine = Machine(stage, server=sys.argv[1], guest=True, vga=None, kernel='sumac.follow', extra=[
    '-device', 'qxl-vga,max_outputs=2', '-device', 'qemu-xhci,id=x,p2=8,p3=8',
    '-chardev', 'spicevmc,id=r0,name=usbredir', '-device', 'usb-redir,chardev=r0,bus=x.0',
    '-chardev', 'spicevmc,id=card,name=smartcard', '-device', 'usb-ccid,bus=x.0',
    '-device', 'ccid-card-passthru,chardev=card'])
person = Person(stage, desk, machine, '^QEMU')


def make_card():
    os.mkdir(stage.path('nss'))
    noise = person.path_of('noise', os.urandom(64))
    subprocess.run(['certutil', '-N', '-d', database, '--empty-password'], check=True)
    for number, name in enumerate(('id', 'sign', 'encrypt')):
        subprocess.run(['certutil', '-S', '-d', database, '-s', f'CN={name}', '-n', name, '-x', '-t', 'u,u,u', '-m',
                        str(100 + number), '-z', noise], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


make_card()
person.path_of('disc.iso', os.urandom(3 << 20))
machine.wait_desktop()
machine.take_files()
viewer = stage.start('remote-viewer', [
    'remote-viewer', '--debug', '--spice-debug', machine.uri, '--spice-smartcard', f'--spice-smartcard-db={database}',
    '--spice-smartcard-certificates=id,sign,encrypt', f'--spice-share-cd={disc}',
    '--spice-usbredir-redirect-on-connect=-1,-1,-1,-1,1'], desk.env)


@tap.test("the machine's screen is in its window, pixel by pixel")
def _():
    wait_for(person.windows, 60, 'the window')
    desk.wait_shown(machine, 'the screen')


@tap.test('the guest reads its CD image')
def _():
    person.in_guest(r'[1-9]', 'cat /sys/block/sr0/size 2>/dev/null', 'the disc')
    with open(disc, 'rb') as file:
        expected = hashlib.sha256(file.read()).hexdigest()
    check_equal(machine.run('sha256sum </dev/sr0', timeout=120).split()[0], expected, 'the checksum')


@tap.test('the guest finds its smart card')
def _():
    machine.run('systemctl start pcscd', check=False)
    person.in_guest(ATR, 'timeout 60 opensc-tool -a 2>&1', "the card's answer to reset")
    person.in_guest('SW1=0x90, SW2=0x00', 'timeout 60 opensc-tool -s 00:A4:04:00:07:A0:00:00:00:79:01:00 2>&1', 'the answer to SELECT')


@tap.test('text goes through the clipboard both ways')
def _():
    person.passes_text()


@tap.test('a picture goes through the clipboard both ways')
def _():
    person.passes_pictures()


@tap.test("the guest's screen takes the window's size")
def _():
    # Widths of whole multiples of 8 pixels: QEMU's own picture of others is slanted. 10 are the window's border.
    person.resizes(20, 80, [(1210, 900), (810, 640)])


@tap.test('a file is dragged onto the picture and arrives whole')
def _():
    person.drags_a_file()


@tap.test('a second window of its menu is a second monitor of the guest')
def _():
    window = person.windows()[0]
    check_equal(len(person.windows()), 1, 'windows')

    def choose():
        person.activate()
        desk.xdotool('key', 'Escape')  # of a menu that is open
        desk.wait_still()
        left, top = person.place(window)[:2]
        desk.click(left + 112, top + 26)  # the button with a monitor
        desk.wait_still()
        desk.click(left + 99, top + 113)  # "Display 2"
    machine.insist(choose, lambda: len(person.windows()) == 2, 'a second window', 15)
    person.in_guest(r'Virtual-2 connected (primary )?[1-9]\d+x', 'xrandr', 'a second monitor in the guest')
    person.in_guest(r'Virtual-1 connected (primary )?[1-9]\d+x', 'xrandr', 'the first monitor')


@tap.test('nobody ended, and nothing was broken off')
def _():
    check(viewer.is_running, viewer.log[-2000:])
    check(machine.is_running, 'QEMU ended')
    bad = [line for line in machine.process.log.split('\n') if 'CRITICAL' in line]
    check_equal(bad, [], "lines of the server's log")


with stage:
    status = tap.run(*sys.argv[2:3])
sys.exit(status)
