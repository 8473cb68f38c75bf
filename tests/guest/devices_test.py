# SPDX-License-Identifier: MIT
"""Devices that a client gives to the guest: a CD image, a USB stick, a smart card; and a port. The guest itself is the
computer with the stick: it runs our client, which gives the guest its own stick back through the server.

usage: devices_test.py ours|reference"""

import functools
import glob
import hashlib
import http.server
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop'))
from peers import BUILD, SUMAC, Machine, Stage
from tap import Tap, check, check_equal, note, wait_for

server = sys.argv[1]
MEGABYTE = 1 << 20
ATR = '3b:7a:18:00:00:73:66:74:65:20:63:64:31:34:34' # of libcacard's card of software
PORT = 'org.sumac.test.0'

tap = Tap()
stage = Stage()


def random_file(name, size):
    path = stage.path(name)
    with open(path, 'wb') as file:
        file.write(os.urandom(size))
    return path


def sha256(path):
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


image = random_file('disc.iso', 6 * MEGABYTE + 512) # the last block is not full
stick = random_file('stick.img', 4 * MEGABYTE)
machine = Machine(stage, server=server, guest=True, extra=[
    '-device', 'qemu-xhci,id=x,p2=8,p3=8',
    '-chardev', 'spicevmc,id=r0,name=usbredir', '-device', 'usb-redir,chardev=r0,bus=x.0',
    '-chardev', 'spicevmc,id=r1,name=usbredir', '-device', 'usb-redir,chardev=r1,bus=x.0',
    '-chardev', 'spicevmc,id=card,name=smartcard', '-device', 'usb-ccid,bus=x.0',
    '-device', 'ccid-card-passthru,chardev=card',
    '-drive', f'if=none,id=stick,file={stick},format=raw,snapshot=on', '-device', 'usb-storage,drive=stick,bus=x.0',
    '-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net',
    '-chardev', f'spiceport,id=p1,name={PORT}', '-device', f'virtserialport,chardev=p1,name={PORT}'])


def in_guest(pattern, command):
    return re.search(pattern, machine.run(command, timeout=120, check=False))


def wait_guest(pattern, command, what, timeout=90):
    return wait_for(lambda: in_guest(pattern, command), timeout, f'{what}; the guest says {machine.run(command, check=False)!r}')


def interrupt(process):
    """Ends a command as a person does; it has to end well."""
    process.kill(signal.SIGINT)
    check_equal(process.wait(20), 0, f'exit code of {process.name}: {process.log}')


@tap.test('the guest boots')
def _():
    machine.wait_desktop()
    machine.run('udevadm settle', timeout=120)


@tap.test('a port carries a megabyte into the guest')
def _():
    path = random_file('to-guest', MEGABYTE)
    names = stage.sumac('port', machine.uri)
    check(PORT in names.out, f'sumac port: {names}')
    # Its input does not end: a while after that it would leave, though a slow guest may have taken nothing yet.
    sender = stage.start('port', ['sh', '-c', f"(cat '{path}'; exec sleep infinity) | exec '{SUMAC}' port {machine.uri} {PORT}"])
    try:
        # As long as nobody is at the other end the port has ended before it began.
        got = machine.run(f'until head -c {MEGABYTE} /dev/virtio-ports/{PORT} >/tmp/got && [ -s /tmp/got ]; do sleep 0.2; done; '
                          'sha256sum </tmp/got', timeout=120)
    finally:
        sender.kill()
    check(sha256(path) in got, f'the guest has {got!r}')


@tap.test('the guest reads a CD image as it is, and sees it unplugged')
def _():
    process = stage.start('cd', [SUMAC, 'usb', machine.uri, 'cd', image])
    wait_guest(r'sr0', 'lsblk -n -o NAME', 'the CD drive')
    wait_guest(r'[1-9]', 'cat /sys/block/sr0/size', 'its disc')
    got = machine.run(f'dd if=/dev/sr0 bs=64k 2>/tmp/dd | head -c {os.path.getsize(image)} | sha256sum; tail -n 1 /tmp/dd',
                      timeout=300)
    check(sha256(image) in got, f'the guest has {got!r}')
    note(got.strip().split('\n')[-1])
    interrupt(process)
    wait_guest(r'^(?!.*sr0)', 'lsblk -n -o NAME | tr "\\n" " "', 'the CD drive gone')
    missing = stage.sumac('usb', machine.uri, 'cd', stage.path('none.iso'))
    check(missing.code != 0 and 'cannot be read' in missing.err, f'{missing}')


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve_client():
    """Our client with its libraries for the guest, on a port of this computer."""
    folder = stage.path('www')
    os.mkdir(folder)
    libraries = subprocess.run(['ldd', SUMAC], stdout=subprocess.PIPE, text=True, check=True).stdout
    with tarfile.open(os.path.join(folder, 'client.tar'), 'w') as archive:
        archive.add(SUMAC, 'client/sumac')
        for path in re.findall(r'=> (/\S+)', libraries):
            if not re.search(r'/(libc|libm|ld-linux\S*)\.so', path):
                archive.add(os.path.realpath(path), 'client/lib/' + os.path.basename(path))
    handler = functools.partial(QuietHandler, directory=folder)
    served = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    return served.server_address[1]


@tap.test('a USB stick is given by a client with libusb, read and taken back')
def _():
    link = machine.run("ls /sys/class/net | grep -v '^lo$' | head -n 1").strip()
    machine.run(f'ip link set {link} up; ip addr replace 10.0.2.15/24 dev {link}')
    port = serve_client()
    machine.run(f'cd /tmp && curl -s http://10.0.2.2:{port}/client.tar | tar x && chmod -R a+rX client', timeout=120)
    sumac = 'LD_LIBRARY_PATH=/tmp/client/lib /tmp/client/sumac'
    listed = machine.run(f'{sumac} usb')
    check('46f4:0001' in listed, f'sumac usb in the guest: {listed!r}')
    uri = f'spice://10.0.2.2:{machine.port}'
    refused = machine.run(f"su -s /bin/sh nobody -c '{sumac} usb {uri} redirect 46f4:0001' 2>&1", timeout=120, check=False)
    check('you may not open' in refused and 'udev' in refused, f'as nobody: {refused!r}')
    machine.run(f'({sumac} usb {uri} redirect 46f4:0001 >/tmp/redirect 2>&1 & echo $! >/tmp/redirect.pid)')
    wait_guest(r'the machine has', 'cat /tmp/redirect', 'the stick redirected')
    wait_guest(r'^2$', 'lsusb | grep -c 46f4:0001', 'the stick a second time')
    wait_guest(rf'sd[a-z] +{os.path.getsize(stick)}\b', 'lsblk -n -d -b -o NAME,SIZE', 'its disk')
    got = machine.run('dd if=/dev/$(lsblk -n -d -o NAME | grep ^sd | head -n 1) bs=64k 2>/tmp/dd | sha256sum; tail -n 1 /tmp/dd',
                      timeout=300)
    check(sha256(stick) in got, f'the guest has {got!r}')
    note(got.strip().split('\n')[-1])
    machine.run('kill -INT $(cat /tmp/redirect.pid)')
    wait_guest(r'^1$', 'lsusb | grep -c 46f4:0001', 'the stick taken back')


@tap.test('the guest finds a smart card of software')
def _():
    check(glob.glob(os.path.join(BUILD, 'media', 'libsumac-card.so')), 'no module of smart cards was built')
    database = 'sql:' + stage.path('nss')
    os.mkdir(stage.path('nss'))
    with open(stage.path('noise'), 'wb') as file:
        file.write(os.urandom(64))
    subprocess.run(['certutil', '-N', '-d', database, '--empty-password'], check=True)
    for number, name in enumerate(('id', 'sign', 'encrypt')):
        subprocess.run(['certutil', '-S', '-d', database, '-s', f'CN={name}', '-n', name, '-x', '-t', 'u,u,u', '-m',
                        str(100 + number), '-z', stage.path('noise')], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    process = stage.start('card', [SUMAC, 'smartcard', machine.uri, '--database', database, '--certificates',
                                   'id,sign,encrypt'])
    wait_for(lambda: 'the card is in' in process.log, 60, f'the card; sumac says {process.log!r}')
    machine.run('systemctl start pcscd', check=False)
    wait_guest(ATR, 'timeout 60 opensc-tool -a 2>&1', "the card's answer to reset")
    # Right after the first look pcscd may say once more that there is no card.
    wait_guest('SW1=0x90, SW2=0x00', 'timeout 60 opensc-tool -s 00:A4:04:00:07:A0:00:00:00:79:01:00 2>&1', 'the answer to SELECT')
    interrupt(process)


with stage:
    status = tap.run()
sys.exit(status)
