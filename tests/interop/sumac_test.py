#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Our client against QEMU on the reference server: pictures, facts, input, security, and what it says when things fail."""

import json
import lzma
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

from peers import BUILD, Certificates, die_with_parent, free_port, Machine, ROOT, SERVER_FOLDER, Stage, SUMAC
from pictures import Picture
from tap import PATIENCE, Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()

# Everything that a server can be told about its images. Each must give the same pixels, where the codec has no loss.
COMPRESSIONS = [
    {'image-compression': 'off'},
    {'image-compression': 'lz'},
    {'image-compression': 'glz'},
    {'image-compression': 'quic'},
    {'image-compression': 'auto_lz'},
    {'image-compression': 'auto_glz', 'zlib-glz-wan-compression': 'always'},
]

machines = {}


def machine(name='plain', **settings):
    """A machine on the reference server that several tests use."""
    if name not in machines:
        machines[name] = Machine(stage, server='reference', **settings)
        machines[name].wait_screen()
    return machines[name]


def certificates(name='tls', **settings):
    if name not in machines:
        machines[name] = Certificates(stage, name=name, **settings)
    return machines[name]


def check_failure(result, code, kind, cause, cure=None):
    """A failure told as JSON."""
    check_equal(result.code, code, f'exit code ({result})')
    told = json.loads(result.out)
    check_equal(told['ok'], False, 'ok')
    check_equal(told['error']['kind'], kind, 'kind')
    check_equal(told['error']['exit_code'], code, 'exit_code')
    check(re.search(cause, told['error']['cause']), f'the cause says nothing of {cause!r}: {told}')
    if cure:
        check(re.search(cure, told['error']['cure']), f'the cure says nothing of {cure!r}: {told}')


def info(uri, *arguments, env=None, timeout=60):
    return stage.sumac('info', uri, '--json', *arguments, env=env, timeout=timeout)


def check_info(uri, *arguments, env=None):
    result = info(uri, *arguments, env=env)
    check_equal(result.code, 0, f'exit code ({result})')
    return json.loads(result.out)


# ---- Pictures ----

def add_picture_test(spice):
    title = ' '.join(f'{key}={value}' for key, value in spice.items())

    @tap.test(f'sumac and spicy-screenshot take the same picture: {title}')
    def same_picture():
        shown = Machine(stage, server='reference', spice=spice)
        try:
            truth = shown.wait_screen()
            theirs, result = stage.spicy_screenshot(shown.uri)
            check(theirs, f'spicy-screenshot failed: {result}')
            ours, result = stage.sumac_screenshot(shown.uri)
            check(ours, f'sumac failed: {result}')
            check_equal(ours.differences(theirs), None, 'ours and theirs')
            check_equal(ours.differences(truth), None, 'ours and the truth')
        finally:
            shown.stop()


for compression in COMPRESSIONS:
    add_picture_test(compression)


@tap.test('the picture of a VGA and of a virtio machine is the same as theirs')
def other_devices():
    for vga in ('std', 'virtio'):
        shown = Machine(stage, server='reference', vga=vga)
        truth = shown.wait_screen()
        ours, result = stage.sumac_screenshot(shown.uri)
        check(ours, f'{vga}: {result}')
        check_equal(ours.differences(truth), None, vga)
        shown.stop()


@tap.test('a screenshot says as JSON what it took, and - is the standard output')
def screenshot_report():
    target = stage.path('shot.png')
    result = stage.sumac('screenshot', machine().uri, target, '--json')
    check_equal(result.code, 0, f'exit code ({result})')
    told = json.loads(result.out)
    picture = Picture.load(target)
    check_equal((told['width'], told['height']), picture.size, 'size')
    check_equal(told['file'], target, 'file')
    check_equal(told['still'], True, 'still')
    child = subprocess.run([SUMAC, 'screenshot', machine().uri, '-'], stdout=subprocess.PIPE, timeout=60 * PATIENCE, check=True)
    with open(target, 'rb') as file:
        check(child.stdout == file.read(), 'the standard output and the file differ')


@tap.test('a screenshot that fails leaves the old file and no litter')
def screenshot_atomic():
    folder = stage.path('atomic')
    os.mkdir(folder)
    target = os.path.join(folder, 'a.png')
    with open(target, 'w') as file:
        file.write('old')
    result = stage.sumac('screenshot', 'spice://127.0.0.1:1', target)
    check_equal(result.code, 11, f'exit code ({result})')
    with open(target) as file:
        check_equal(file.read(), 'old', 'the old file')
    check_equal(os.listdir(folder), ['a.png'], 'files')
    check_failure(stage.sumac('screenshot', machine().uri, folder + '/no/b.png', '--json'), 3, 'output', 'No such file')


@tap.test('a display that does not exist is named')
def no_display():
    check_failure(stage.sumac('screenshot', machine().uri, stage.path('x.png'), '--display', '7', '--json'),
                  41, 'no-display', 'no display 7', 'sumac info')


# ---- A recorded desktop: 13,425 commands of a guest's driver, 1920 x 1080, replayed by a server library ----

LIBRARIES = {'reference': '/usr/lib/x86_64-linux-gnu', 'ours': SERVER_FOLDER}
COMPRESSION_NUMBERS = {'off': 1, 'auto_glz': 2, 'auto_lz': 3, 'quic': 4, 'glz': 5, 'lz': 6, 'lz4': 7}


class Replay:
    """The recording on a server library, at its own address."""

    def __init__(self, server, compression):
        recording = stage.path('windows-move.rec')
        if not os.path.exists(recording):
            packed = os.path.join(ROOT, 'bench', 'recordings', 'windows-move.rec.xz')
            with lzma.open(packed) as source, open(recording, 'wb') as target:
                shutil.copyfileobj(source, target)
        port = free_port()
        self.uri = f'spice://127.0.0.1:{port}'
        self.process = stage.start('replay', [os.path.join(BUILD, 'bench', 'bench-replay'), '--port', str(port),
                                              '--compression', str(COMPRESSION_NUMBERS[compression]), recording],
                                   {'LD_LIBRARY_PATH': LIBRARIES[server]})
        wait_for(lambda: listens(port), 20, 'bench-replay')

    def screenshot(self):
        """Our picture once the recording has come to its end."""
        return stage.sumac_screenshot(self.uri, '--settle', '1s', '--settle-limit', '60s', '--tolerance', '0',
                                      '--timeout', '90s', timeout=100)

    def stop(self):
        self.process.stop()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(('127.0.0.1', port)) == 0


last_picture = []


def add_replay_test(server, compression):
    # A player on a busy machine may stand still for long enough to seem to be done.
    @tap.test(f'a recorded desktop on the library ({server}), {compression}: the same picture as theirs', attempts=3)
    def same_desktop():
        replay = Replay(server, compression)
        try:
            ours, result = replay.screenshot()
            check(ours, f'sumac failed: {result}')
            check_equal(ours.size, (1920, 1080), 'size')
            theirs, result = stage.spicy_screenshot(replay.uri)
            check(theirs, f'spicy-screenshot failed: {result}')
            check_equal(ours.differences(theirs), None, 'ours and theirs')
            # And the same whatever the encoding was.
            last_picture.append(ours)
            check_equal(ours.differences(last_picture[0]), None, 'this and the first encoding')
        finally:
            replay.stop()


for library in LIBRARIES:
    for encoding in COMPRESSION_NUMBERS:
        add_replay_test(library, encoding)


def peak_memory_kb(process):
    """Of a child, read while it runs: what wait4() tells includes this interpreter before the exec."""
    peak = 0
    while process.poll() is None:
        try:
            with open(f'/proc/{process.pid}/status') as file:
                found = re.search(r'VmHWM:\s+(\d+)', file.read())
            peak = int(found.group(1)) if found else peak
        except OSError:
            pass
        time.sleep(0.005)
    return peak


def check_small(server, compression, *command):
    """A command stays below 40 MB while it is shown a whole recording of 1920 x 1080."""
    replay = Replay(server, compression)
    child = subprocess.Popen([SUMAC, command[0], replay.uri, *command[1:]], stdout=subprocess.DEVNULL,
                             preexec_fn=die_with_parent)
    peak = peak_memory_kb(child)
    check_equal(child.returncode, 0, f'exit code of {command}')
    check(0 < peak < 40 * 1024, f'{server}, {compression}, {command[0]}: {peak} KiB')
    print(f'# {server}, {compression}, {command[0]}: {peak / 1024:.1f} MiB')
    replay.stop()


@tap.test('the client stays below 40 MB at 1920 x 1080')
def memory():
    still = ['--settle', '1s', '--settle-limit', '60s', '--tolerance', '0']
    for compression in 'off', 'glz', 'quic':
        check_small('reference', compression, 'screenshot', stage.path('m.png'), *still)
    check_small('ours', 'glz', 'screenshot', stage.path('m.png'), *still)
    for server in LIBRARIES:
        check_small(server, 'glz', 'wait', '--stable', '1s', '--timeout', '60s')
        check_small(server, 'glz', 'monitor', '--every', '1s', '--count', '4')
        check_small(server, 'glz', 'record', stage.path('m.mkv'), '--duration', '4s')
        check_small(server, 'glz', 'type', 'x' * 200, '--delay', '10ms')


# ---- Facts ----

@tap.test('info tells name, displays and channels')
def info_facts():
    named = Machine(stage, server='reference', extra=['-name', 'a machine', '-uuid',
                                                      '12345678-9abc-def0-1234-56789abcdef0', '-usb', '-device',
                                                      'usb-tablet'])
    size = named.wait_screen().size
    told = check_info(named.uri)
    check_equal(told['name'], 'a machine', 'name')
    check_equal(told['uuid'], '12345678-9abc-def0-1234-56789abcdef0', 'uuid')
    check_equal(told['secure'], False, 'secure')
    check_equal(told['agent'], False, 'agent')
    check_equal([(d['number'], d['width'], d['height'], d['ready']) for d in told['displays']],
                [(0, *size, True)], 'displays')
    kinds = {c['kind']: c for c in told['channels']}
    check({'main', 'display', 'inputs', 'cursor'} <= set(kinds), f'channels: {kinds}')
    check_equal(kinds['main']['open'], True, 'main is open')
    check_equal(kinds['main']['common_caps'], 11, 'capabilities of the reference server')
    result = stage.sumac('info', named.uri)
    check('a machine' in result.out and f'{size[0]} x {size[1]}' in result.out, f'{result}')
    named.stop()
    nameless = Machine(stage)
    nameless.wait_screen()
    check_equal(check_info(nameless.uri)['uuid'], None, 'the uuid of a machine that has none')
    nameless.stop()


@tap.test('ten connects in a row, and one that is killed, leave the machine running')
def in_a_row():
    for _ in range(10):
        check_info(machine().uri)
    child = machine().watched_by([SUMAC, 'wait', machine().uri, '--stable', '60s', '--timeout', '2m'])
    child.kill()
    child.wait()
    check_info(machine().uri)
    check(machine().is_running, 'the machine ended')


@tap.test('a unix socket works; one that is missing, or left over, is explained')
def unix_socket():
    local = Machine(stage, server='reference', unix=True)
    truth = local.wait_screen()
    ours, result = stage.sumac_screenshot(local.uri)
    check(ours, f'{result}')
    check_equal(ours.differences(truth), None, 'pixels over a unix socket')
    local.stop()
    check_failure(info('spice+unix:///does/not/exist'), 13, 'socket', 'no socket /does/not/exist')
    stale = stage.path('stale')
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(stale)
    check_failure(info(f'spice+unix://{stale}'), 11, 'refused', 'refused', 'left over')


# ---- Input ----

@tap.test('text that is typed arrives, all of it', attempts=3)
def typing():
    fresh = Machine(stage, server='reference')
    before = fresh.wait_screen()
    result = stage.sumac('type', fresh.uri, 'abc ABC 123 !@#', '--delay', '80ms', '--json')  # a busy guest loses keys
    check_equal(result.code, 0, f'exit code ({result})')
    check_equal(json.loads(result.out)['characters'], 15, 'characters')
    wait_for(lambda: before.differences(fresh.screendump()), 20, 'something typed')
    typed = fresh.wait_still(1.0)
    # The same keys from the machine's own side give the same picture, one row further down.
    fresh.send_keys('ret')
    for key in ['a', 'b', 'c', 'spc', 'shift a', 'shift b', 'shift c', 'spc', '1', '2', '3', 'spc', 'shift 1', 'shift 2',
                'shift 3']:
        fresh.send_keys(*key.split())
        time.sleep(0.15)
    again = fresh.wait_still(1.0)
    fresh.stop()
    # Ours follows the greeting's 25 characters in row 12; theirs begins row 13.
    check(cells(typed, 12, 25, 15) == cells(again, 13, 0, 15), 'the characters differ from those typed by hand')


def cells(picture, row, column, count):
    """The pixels of `count` characters of a text screen."""
    stride, width = picture.width * 3, picture.width // 80 * 3
    starts = [(row * 16 + y) * stride + column * width for y in range(16)]
    return [picture.rgb[start:start + count * width] for start in starts]


@tap.test('a long text takes longer than --timeout')
def typing_long():
    result = stage.sumac('type', machine().uri, 'x' * 30, '--delay', '100ms', '--timeout', '2s')
    check_equal(result.code, 0, f'exit code ({result})')
    machine().send_keys('ret')


def shown_rows(picture, count):
    """The first `count` characters of each row that has any, below the painted ones."""
    rows = [cells(picture, row, 0, count) for row in range(12, 25)]
    return [row for row in rows if any(any(line) for line in row)]


@tap.test("a layout's characters are typed with that layout's keys", attempts=3)
def typing_layout():
    # The machine reads keys as a US keyboard's, so what a German one has there shows as its neighbours.
    for options, text in (['--layout', 'de'], 'zyäöÜß-'), ([], "yz';{-/"):
        machine().send_keys('ret')
        result = stage.sumac('type', machine().uri, text, *options, '--delay', '80ms', '--json')
        check_equal(result.code, 0, f'exit code ({result})')
        check_equal(json.loads(result.out)['characters'], 7, 'characters')

    def are_equal():
        rows = shown_rows(machine().screendump(), 7)
        return len(rows) > 1 and rows[-1] == rows[-2]
    wait_for(are_equal, 20, 'the same characters in two rows')
    machine().send_keys('ret')
    result = stage.sumac('type', machine().uri, 'ñ', '--layout', 'de', '--json')
    check_failure(result, 43, 'cannot-type', 'with the layout de: ñ', '--unicode')
    check_failure(stage.sumac('type', machine().uri, 'a', '--layout', 'nowhere', '--json'), 43, 'cannot-type', 'nowhere',
                  'setxkbmap')
    check_failure(stage.sumac('type', machine().uri, 'a', '--paste', 'ctrl-v', '--json'), 44, 'no-agent', 'no agent',
                  'spice-vdagent')


@tap.test('text that a US keyboard does not have is refused whole')
def typing_refused():
    before = machine().wait_still(1.0)
    check_failure(stage.sumac('type', machine().uri, 'abc\u00e4', '--json'), 43, 'cannot-type',
                  'line 1, character 4 cannot be typed: \u00e4', 'US keyboard')
    check_failure(stage.sumac('key', machine().uri, 'ctrl-hyper', '--json'), 43, 'cannot-type', 'hyper', 'key --help')
    check_equal(before.differences(machine().wait_still(1.0)), None, 'the screen')


@tap.test('keys arrive together')
def keys():
    before = machine().wait_still(1.0)
    result = stage.sumac('key', machine().uri, 'shift-x', '--json')
    check_equal(json.loads(result.out)['keys'], ['shift', 'x'], 'keys')
    wait_for(lambda: before.differences(machine().screendump()), 20, 'something typed')


@tap.test('a click without a tablet warns; outside of the display it is refused')
def clicks():
    result = stage.sumac('click', machine().uri, '10', '10')
    check_equal(result.code, 0, f'exit code ({result})')
    check('not exact' in result.err, f'no warning: {result}')
    check_failure(stage.sumac('click', machine().uri, '5000', '10', '--json'), 2, 'usage', 'outside of display 0')


# ---- Waiting ----

@tap.test('wait ends when the picture stands still, and not before')
def waiting():
    start = time.monotonic()
    result = stage.sumac('wait', machine().uri, '--stable', '700ms', '--json')
    check_equal(result.code, 0, f'exit code ({result})')
    check(time.monotonic() - start >= 0.7, 'too early')
    check_equal(json.loads(result.out)['still'], True, 'still')

    stop = threading.Event()
    def move():
        while not stop.is_set():
            machine().send_keys('a')
            time.sleep(0.1)
    mover = threading.Thread(target=move)
    mover.start()
    try:
        check_failure(stage.sumac('wait', machine().uri, '--stable', '2s', '--timeout', '5s', '--tolerance', '0', '--json'),
                      42, 'not-still', 'did not stand still', '--timeout')
    finally:
        stop.set()
        mover.join()


@tap.test('Ctrl-C ends a command at once and tells so')
def interrupted():
    child = machine().watched_by([SUMAC, 'wait', machine().uri, '--stable', '60s', '--timeout', '2m', '--json'],
                                 stdout=subprocess.PIPE)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    check_equal(child.returncode, 130, 'exit code')
    check_equal(json.loads(out)['error']['kind'], 'interrupted', 'kind')


# ---- Passwords ----

@tap.test('a connection file gives address, password and authorities; options count more')
def _():
    trusted = Certificates(stage, name='machine-file')
    machine = Machine(stage, server='reference', password='short-lived', plain=False, certificates=trusted)
    truth = machine.wait_screen()
    with open(trusted.ca, encoding='ascii') as file:
        authority = file.read().replace('\n', '\\n')
    path = stage.path('machine.vv')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'[virt-viewer]\ntype=spice\nhost=localhost\ntls-port={machine.tls_port}\npassword=short-lived\n'
                   f'ca={authority}\ndelete-this-file=1\n')
    for _again in range(2):
        picture, result = stage.sumac_screenshot(path)
        check(picture, f'no picture: {result}')
        check_equal(truth.differences(picture), None, 'the picture')
    result = stage.sumac('info', path, env={'SUMAC_PASSWORD': 'another'})
    check('password' in result.err and result.code != 0, repr(result))
    machine.stop()


@tap.test('the password: right, wrong, missing, too long, from file and environment')
def passwords():
    locked = machine('locked', password='right')
    check_info(locked.uri, '--password', 'right')
    check_info(locked.uri, env={'SUMAC_PASSWORD': 'right'})
    path = stage.path('password')
    with open(path, 'w') as file:
        file.write('right\n')
    check_info(locked.uri, '--password-file', path)
    check_info(locked.uri + '?password=right')
    check_failure(info(locked.uri, '--password', 'wrong'), 31, 'password-wrong', 'wrong or has expired', 'new one')
    check_failure(info(locked.uri), 30, 'password-needed', 'wants a password', 'password-file')
    check_failure(info(locked.uri, '--password', 'x' * 61), 31, 'password-wrong', 'longer', '60')


@tap.test('a password that has expired is refused')
def password_expired():
    locked = machine('locked', password='right')
    locked.qmp('expire_password', protocol='spice', time='now')
    time.sleep(1.1)
    check_failure(info(locked.uri, '--password', 'right'), 31, 'password-wrong', 'wrong or has expired')
    locked.qmp('expire_password', protocol='spice', time='never')
    check_info(locked.uri, '--password', 'right')


# ---- TLS ----

@tap.test('TLS: with the authority every channel is encrypted')
def tls_works():
    secure = machine('secure', certificates=certificates())
    told = check_info(secure.tls_uri, '--ca', certificates().ca)
    check_equal(told['secure'], True, 'secure')
    check(all(c['secure'] for c in told['channels'] if c['open']), f'{told}')
    truth = secure.screendump()
    ours, result = stage.sumac_screenshot(secure.tls_uri, '--ca', certificates().ca)
    check(ours, f'{result}')
    check_equal(ours.differences(truth), None, 'pixels over TLS')
    check_info(f'spice+tls://127.0.0.1:{secure.tls_port}', '--ca', certificates().ca)


@tap.test('TLS: an unknown authority, another host, another subject are refused')
def tls_refused():
    secure = machine('secure', certificates=certificates())
    check_failure(info(secure.tls_uri), 23, 'certificate', 'not trusted: certificate /CN=Sumac-test-CA', '--ca')
    check_failure(info(secure.tls_uri, '--ca', certificates('other').ca), 23, 'certificate', 'not trusted', '--ca')
    listener = Relay(secure.tls_port, '127.0.0.2')
    check_failure(info(f'spice+tls://127.0.0.2:{listener.port}', '--ca', certificates().ca), 25, 'host-name',
                  'not for the host 127.0.0.2', '--host-subject')
    check_info(f'spice+tls://127.0.0.2:{listener.port}', '--ca', certificates().ca, '--host-subject',
               'O=Sumac test,CN=localhost')
    listener.close()
    check_failure(info(secure.tls_uri, '--ca', certificates().ca, '--host-subject', 'CN=other'), 26, 'subject',
                  'expected subject')
    check_failure(info(secure.tls_uri, '--host-subject', 'nonsense'), 2, 'option', 'nonsense', 'KEY=VALUE')
    check_failure(info(secure.tls_uri, '--ca', '/does/not/exist'), 27, 'ca-file', '/does/not/exist', 'PEM')


@tap.test('TLS: a certificate that has expired is told from one that is not trusted')
def tls_expired():
    old = certificates('expired', days=0)
    expired = machine('expired machine', certificates=old)
    check_failure(info(expired.tls_uri, '--ca', old.ca), 24, 'certificate-expired', 'expired', 'renewed')


@tap.test('TLS: the wrong kind of port is explained either way')
def tls_ports():
    secure = machine('secure', certificates=certificates())
    check_failure(info(f'spice+tls://127.0.0.1:{secure.port}', '--ca', certificates().ca), 22, 'tls-failed',
                  'does not speak TLS', 'spice://')
    result = info(f'spice://127.0.0.1:{secure.tls_port}', '--timeout', '3s')
    told = json.loads(result.out)['error']
    check(result.code in (15, 20) and 'spice+tls://' in told['cure'], f'{result}')


@tap.test('TLS: a server that insists gets it, when its TLS port is known')
def tls_insisted():
    strict = machine('strict', certificates=certificates(), spice={'tls-channel': 'main'})
    both = f'spice://localhost?port={strict.port}&tls-port={strict.tls_port}'
    told = check_info(both, '--ca', certificates().ca)
    by_kind = {c['kind']: c['secure'] for c in told['channels'] if c['open']}
    check_equal(by_kind['main'], True, 'main is encrypted')
    check_equal(by_kind['display'], False, 'display is not')
    check_failure(info(strict.uri), 20, 'tls-needed', 'only over TLS', r'spice\+tls')


@tap.test('TLS: a connection file that wants it and names no port for it is told so')
def tls_without_port():
    path = stage.path('no port.vv')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('[virt-viewer]\ntype=spice\nhost=localhost\nport=5900\ntls-port=-1\nsecure-channels=main;inputs\n')
    check_failure(info(path), 2, 'option', 'no TLS port of localhost', 'secure-channels')


# ---- What is no SPICE server ----

class Server:
    """A server that does `talk(connection)` to everybody who comes."""

    def __init__(self, talk, address='127.0.0.1'):
        self.listener = socket.create_server((address, 0))
        self.port = self.listener.getsockname()[1]
        self.talk = talk
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.safely, args=(connection,), daemon=True).start()

    def safely(self, connection):
        with connection:
            try:
                self.talk(connection)
            except OSError:
                pass

    def close(self):
        self.listener.close()

    @property
    def uri(self):
        return f'spice://127.0.0.1:{self.port}'


class Relay(Server):
    """Carries bytes to a port of 127.0.0.1."""

    def __init__(self, port, address):
        super().__init__(lambda connection: relay(connection, port), address)


def relay(connection, port):
    with socket.create_connection(('127.0.0.1', port)) as other:
        def carry(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
            except OSError:
                pass
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        back = threading.Thread(target=carry, args=(other, connection), daemon=True)
        back.start()
        carry(connection, other)
        back.join()


def say(data):
    def talk(connection):
        connection.sendall(data)
        connection.recv(4096)
        time.sleep(0.2)
    return talk


def be_silent(connection):
    while connection.recv(4096):
        pass


@tap.test('what is no SPICE server is told from one, and guessed')
def not_spice():
    for data, guess in [(b'HTTP/1.1 400 Bad Request\r\n\r\n', 'web server'), (b'SSH-2.0-OpenSSH_9\r\n', 'SSH server'),
                        (b'RFB 003.008\n', 'VNC server'), (b'\0' * 64, 'does not speak SPICE')]:
        server = Server(say(data))
        check_failure(info(server.uri), 15, 'not-spice', guess, 'SPICE port')
        server.close()
    server = Server(lambda connection: None)
    check_failure(info(server.uri), 15, 'not-spice', 'closed the connection without a word')
    server.close()
    server = Server(be_silent)
    start = time.monotonic()
    check_failure(info(server.uri, '--timeout', '1s'), 15, 'not-spice', 'said nothing for 1000 ms', r'spice\+tls')
    check(time.monotonic() - start < 29, 'took too long')  # 30 s without the option
    server.close()


@tap.test('a server that stops in the middle of the handshake is not waited for')
def half_handshake():
    reply = b'REDQ' + (2).to_bytes(4, 'little') * 2 + (186).to_bytes(4, 'little') + b'\0' * 20
    server = Server(lambda connection: (connection.sendall(reply), be_silent(connection)))
    check_failure(info(server.uri, '--timeout', '1s'), 14, 'timed-out', 'did not finish the handshake')
    server.close()
    server = Server(lambda connection: (connection.sendall(b'REDQ' + b'\xff' * 60), connection.recv(999)))
    check_failure(info(server.uri), 16, 'protocol', 'broke the protocol')
    server.close()


@tap.test('hosts that do not exist, ports without a listener, addresses that make no sense')
def no_connection():
    # More than 63 letters between dots: no name, so that no name server is asked, who might hang or answer.
    name = 'no-such-host' * 6 + '.invalid'
    check_failure(info(f'spice://{name}:5900'), 10, 'host-not-found', name, 'spelling')
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        check_failure(info(f'spice://127.0.0.1:{probe.getsockname()[1]}'), 11, 'refused', 'nobody listens', 'SPICE port')
    check_failure(info('spice://localhost'), 2, 'address', 'no port')
    check_failure(info('spice://joe:secret@localhost:5900'), 2, 'address', 'password before the host', 'SUMAC_PASSWORD')
    check_failure(info('foo://host:1'), 2, 'address', 'wss://', 'ws://HOST:PORT/PATH')
    check_failure(info('spice://127.0.0.1:1', '--proxy', 'ftp://host'), 18, 'proxy', 'neither http', 'https://HOST:PORT')
    check_failure(stage.sumac('--json'), 2, 'usage', 'command is missing')


@tap.test('without --json an error is two lines on the standard error')
def plain_errors():
    result = stage.sumac('info', 'spice://127.0.0.1:1')
    check_equal(result.code, 11, f'exit code ({result})')
    check_equal(result.out, '', 'standard output')
    lines = result.err.strip().split('\n')
    check_equal(len(lines), 2, f'lines of {lines}')
    check(lines[0].startswith('sumac: ') and lines[1].startswith('       '), f'{lines}')


@tap.test('a machine that ends while we look at it is told as such')
def machine_ends():
    doomed = Machine(stage, server='reference')
    doomed.wait_screen()
    child = doomed.watched_by([SUMAC, 'wait', doomed.uri, '--stable', '60s', '--timeout', '2m', '--json'],
                              stdout=subprocess.PIPE)
    time.sleep(0.7)
    doomed.stop()
    out, _ = child.communicate(timeout=60)
    check_equal(child.returncode, 17, f'exit code ({out})')
    check_equal(json.loads(out)['error']['kind'], 'closed', 'kind')


if __name__ == '__main__':
    with stage:
        tap.main()
