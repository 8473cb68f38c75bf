#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What our server encodes while a client looks, the reference's client decodes: pictures of every kind, whole and in
tiles, with every compression, end in the same pixels as those that the reference's server sends raw."""

import os
import socket
import subprocess

from peers import BUILD, free_port, SERVER_FOLDER, Stage
from tap import PATIENCE, Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()

LIBRARIES = {'reference': '/usr/lib/x86_64-linux-gnu', 'ours': SERVER_FOLDER}
COMPRESSIONS = {'off': 1, 'auto_glz': 2, 'auto_lz': 3, 'quic': 4, 'glz': 5, 'lz': 6, 'lz4': 7}
PICTURES = ['text', 'desktop', 'photo', 'gradient', 'noise']
KEYS = len(PICTURES) + 2  # the first two once more: GLZ may know them by then
CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'gtk_pixels.py')


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(('127.0.0.1', port)) == 0


def shown(server, compression, *options):
    """The digests of the pixels that the client has after each picture."""
    port = free_port()
    host = stage.start('pictures', [os.path.join(BUILD, 'bench', 'bench-pictures'), '--port', str(port),
                                    '--compression', str(COMPRESSIONS[compression]), *options],
                       {'LD_LIBRARY_PATH': str(LIBRARIES[server])})
    try:
        wait_for(lambda: listens(port), 20, 'bench-pictures')
        client = subprocess.run([CLIENT, str(port), str(KEYS)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, timeout=200 * PATIENCE)
        check_equal(client.returncode, 0, f'the client: {client.stderr[-500:]}')
        check(host.is_running, 'the host ended')
        return client.stdout.split()
    finally:
        host.stop()


truths = {}


def truth(*options):
    if options not in truths:
        truths[options] = shown('reference', 'off', *options)
        check_equal(len(set(truths[options])), len(PICTURES), 'different pictures')
    return truths[options]


def add(compression, how, *options):
    @tap.test(f"pictures {how}, {compression}: the reference's client has the pixels that the guest drew")
    def _():
        pixels = shown('ours', compression, *options)
        for number, (found, expected) in enumerate(zip(pixels, truth(*options), strict=True)):
            check_equal(found, expected, PICTURES[number % len(PICTURES)])


for one in COMPRESSIONS:
    add(one, 'whole')
    add(one, 'in tiles', '--tiles', '--size', '960x640')  # in whole tiles of 64 pixels


if __name__ == '__main__':
    with stage:
        tap.main()
