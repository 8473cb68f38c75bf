# SPDX-License-Identifier: MIT
"""The real peers that tests run against: QEMU with our server library or the reference's, the reference's clients, our
command-line client, X servers. Everything runs on free ports and in a folder of its own, and ends with the `Stage` that
started it: at the end of its `with`, on a signal, and even if this process is killed."""

import atexit
import ctypes
import fcntl
import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from pictures import Picture
from tap import PATIENCE, check, check_equal, wait_for

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..'))
BUILD = os.path.abspath(os.environ.get('SUMAC_BUILD', os.path.join(ROOT, 'build')))
SERVER_FOLDER = os.path.join(BUILD, 'server')
SUMAC = os.path.join(BUILD, 'cli', 'sumac')

DESKTOP_READY = 'SUMAC-DESKTOP-READY' # both are what the guest prints on its serial console
CONSOLE_READY = 'SUMAC-CONSOLE'
# Nothing else is said there, however slow the machine: what commands print would be broken by it.
QUIET_CONSOLE = 'quiet loglevel=1 systemd.show_status=false nowatchdog rcupdate.rcu_cpu_stall_suppress=1'
# The stock agent takes files only if it knows a folder for them. Its daemon begins anew with it: systemd gives up a socket whose
# service has ended a few times in ten seconds, and the guest then has no agent at all.
FILE_AGENT = '; '.join([
    'pkill -x spice-vdagent; while pgrep -x spice-vdagent; do sleep 0.2; done',
    'systemctl stop spice-vdagentd.service; systemctl reset-failed spice-vdagentd.service spice-vdagentd.socket',
    'systemctl restart spice-vdagentd.socket; install -d -o user -g user /home/user/in',
    # The new one has to belong to the desktop's session.
    """sh -c 'echo $$ >$(ls -d /sys/fs/cgroup/user.slice/user-1000.slice/session-*.scope)/cgroup.procs
exec su user -c "DISPLAY=:0 spice-vdagent -f /home/user/in -o 0"' >/dev/null 2>&1"""])
DISPLAY_CHANNEL = 2
DESKTOP_TIMEOUT = 240  # seconds; about 32 alone on two cores under an emulated processor
SET_PARENT_DEATH_SIGNAL = 1
_libc = ctypes.CDLL(None)


def die_with_parent():
    _libc.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def have_our_server():
    return os.path.exists(os.path.join(SERVER_FOLDER, 'libspice-server.so.1'))


def have_sumac():
    return os.path.exists(SUMAC)


_ports = []  # open lock files of the ports that are ours until we end


def free_port():
    """A port that nobody listens on, for somebody who binds it later. No connection gets it by chance meanwhile, since it is
    below the range that the system gives out, and no other test that runs beside this one."""
    with open('/proc/sys/net/ipv4/ip_local_port_range', encoding='ascii') as file:
        first = int(file.read().split()[0])
    # Where the system gives out nearly all of them there is no room below.
    low, high = (max(1024, first // 3), first) if first > 4096 else (10000, 30000)
    folder = os.path.join(tempfile.gettempdir(), f'sumac-ports-{os.getuid()}')
    os.makedirs(folder, mode=0o700, exist_ok=True)
    for _ in range(1000):
        port = random.randrange(low, high)
        lock = open(os.path.join(folder, str(port)), 'w')
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(('127.0.0.1', port))
        except OSError:
            lock.close()
            continue
        _ports.append(lock)
        return port
    raise RuntimeError(f'no free port from {low} to {high}')


class Process:
    """A child in a process group of its own, its output in a log."""

    def __init__(self, stage, name, command, env=None):
        self.name = name
        self.log_path = os.path.join(stage.folder, f'{name}-{len(stage.processes)}.log')
        with open(self.log_path, 'wb') as log:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**stage.env, **(env or {})}, preexec_fn=die_with_parent, cwd=stage.folder)

    @property
    def log(self):
        with open(self.log_path, errors='replace') as file:
            return file.read()

    @property
    def pid(self):
        return self.child.pid

    @property
    def is_running(self):
        return self.child.poll() is None

    def wait(self, timeout):
        return self.child.wait(timeout * PATIENCE)

    def kill(self, sig=signal.SIGKILL):
        if self.is_running:
            os.killpg(self.child.pid, sig)

    def stop(self):
        """Asks the process to end, then makes it end."""
        self.kill(signal.SIGTERM)
        try:
            self.child.wait(5 * PATIENCE)  # what it keeps is written at its end
        except subprocess.TimeoutExpired:
            self.kill()
            self.child.wait()


class Result:
    """What a command that has ended left: its exit code and both outputs as text."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f'exit code {self.code}\nstdout: {self.out}\nstderr: {self.err}'


class Stage:
    """A folder and the processes of one test program."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='sumac-test-')
        self.home = os.path.join(self.folder, 'home')
        os.mkdir(self.home, 0o700)
        self.processes = []
        self.env = {**os.environ, 'HOME': self.home, 'XDG_RUNTIME_DIR': self.home, 'LC_ALL': 'C.UTF-8',
                    'GSETTINGS_BACKEND': 'memory', 'NO_AT_BRIDGE': '1'}
        self.env.pop('DISPLAY', None)
        self.env.pop('WAYLAND_DISPLAY', None)
        atexit.register(self.close)
        for sig in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, lambda number, frame: os._exit(self.close() or 128 + number))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            self.print_logs()
        self.close()

    def close(self):
        for process in reversed(self.processes):
            process.stop()
        self.processes = []
        if os.environ.get('SUMAC_KEEP'):
            print(f'# kept {self.folder}')
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def print_logs(self):
        """The ends of all logs, as TAP diagnostics."""
        for path in sorted(glob.glob(os.path.join(self.folder, '*.log'))):
            with open(path, errors='replace') as file:
                lines = file.read().split('\n')
            for line in lines[-25:]:
                print(f'# {os.path.basename(path)}: {line}')

    def path(self, name):
        return os.path.join(self.folder, name)

    def keep_pictures(self, **pictures):
        """Pictures that should be equal, kept for whoever looks into it."""
        for name, picture in pictures.items():
            path = os.path.join(BUILD, f'{os.path.basename(self.folder)}-{name}.png')
            picture.save(path)
            print(f'# see {path}', flush=True)

    def start(self, name, command, env=None):
        process = Process(self, name, command, env)
        self.processes.append(process)
        return process

    def run(self, command, timeout=60, env=None):
        """Runs a command to its end; past `timeout` seconds of an idle machine its exit code is None."""
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, errors='replace', cwd=self.folder,
                                 env={**self.env, **(env or {})}, start_new_session=True,
                                 preexec_fn=die_with_parent)
        try:
            out, err = child.communicate(timeout=timeout * PATIENCE)
            return Result(child.returncode, out, err)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            return Result(None, out, err)

    def x_server(self, size='1280x1024'):
        """Starts Xvfb on a free display and returns its name."""
        # Without repeating keys: whoever presses one by a program may let it go late.
        server = self.start('xvfb', ['Xvfb', '-displayfd', '1', '-screen', '0', f'{size}x24', '-nolisten',
                                     'tcp', '-noreset', '-r'])
        number = wait_for(lambda: re.search(r'^(\d+)\n', server.log, re.M), 20, 'Xvfb on a display')
        return ':' + number.group(1)

    # The reference's clients. Their trust store lies where they look for it without being told.

    def trust(self, ca_path):
        folder = os.path.join(self.home, '.spicec')
        os.makedirs(folder, exist_ok=True)
        shutil.copy(ca_path, os.path.join(folder, 'spice_truststore.pem'))

    def spicy_screenshot(self, uri, password=None, timeout=60):
        """Takes a picture with the reference client. Returns (Picture or None, Result)."""
        target = tempfile.mktemp(suffix='.ppm', dir=self.folder)
        command = ['spicy-screenshot', f'--uri={uri}', f'--out-file={target}']
        if password is not None:
            command.append(f'--password={password}')
        result = self.run(command, timeout)
        picture = Picture.load(target) if os.path.exists(target) and result.code == 0 else None
        return picture, result

    def sumac(self, *arguments, timeout=60, env=None):
        return self.run([SUMAC, *arguments], timeout, env)

    def sumac_screenshot(self, uri, *arguments, timeout=60):
        """Takes a picture with our client. Returns (Picture or None, Result)."""
        target = tempfile.mktemp(suffix='.png', dir=self.folder)
        result = self.sumac('screenshot', *arguments, uri, target, timeout=timeout)
        picture = Picture.load(target) if os.path.exists(target) and result.code == 0 else None
        return picture, result


class Certificates:
    """A certificate authority and a server certificate, in the layout that QEMU's x509-dir asks for."""

    def __init__(self, stage, name='tls', subject='/O=Sumac test/CN=localhost', hosts='DNS:localhost,IP:127.0.0.1',
                 days=2):
        self.folder = stage.path(name)
        os.mkdir(self.folder)
        self.ca = os.path.join(self.folder, 'ca-cert.pem')
        ca_key, key = (os.path.join(self.folder, file) for file in ('ca-key.pem', 'server-key.pem'))
        request, extensions = (os.path.join(self.folder, file) for file in ('request.pem', 'extensions'))
        with open(extensions, 'w') as file:
            file.write(f'subjectAltName={hosts}\n' if hosts else 'basicConstraints=CA:FALSE\n')
        for command in (
                f'req -x509 -newkey rsa:2048 -nodes -days {max(days, 1)} -subj /CN=Sumac-test-CA '
                f'-keyout {ca_key} -out {self.ca}',
                ['req', '-newkey', 'rsa:2048', '-nodes', '-subj', subject, '-keyout', key, '-out', request],
                f'x509 -req -in {request} -CA {self.ca} -CAkey {ca_key} -CAcreateserial -days {days} '
                f'-extfile {extensions} -out {self.folder}/server-cert.pem'):
            words = command.split() if isinstance(command, str) else command
            result = stage.run(['openssl', *words])
            if result.code != 0:
                raise AssertionError(f'openssl {words}: {result}')


def configure_sasl(stage, user, password):
    """A folder with the library's configuration for QEMU, and a database with one user."""
    folder = stage.path('sasl')
    os.mkdir(folder)
    with open(f'{folder}/qemu.conf', 'w', encoding='ascii') as file:
        file.write('mech_list: DIGEST-MD5\npwcheck_method: auxprop\nauxprop_plugin: sasldb\n'
                   f'sasldb_path: {folder}/users.db\n')
    result = stage.run(['sh', '-c', f"printf '%s' '{password}' | saslpasswd2 -p -c -u {os.uname().nodename} "
                                    f'-f {folder}/users.db {user}'], env={'PATH': os.environ['PATH'] + ':/usr/sbin'})
    check(result.code == 0, f'saslpasswd2: {result}')
    return folder


VGA_DEVICES = {'qxl': 'qxl-vga', 'std': 'VGA', 'virtio': 'virtio-vga'}


class Machine:
    """A QEMU of Debian's with our server library (server='ours') or the reference's ('reference').

    Without a guest it boots screen.S: a coloured text screen that is there in two seconds, stays still, and shows the keys
    that are pressed. (The firmware's own screen has a blinking cursor.) With guest=True it boots the guest of tools/guest, whose disk it does not change; the serial console is
    a root shell."""

    def __init__(self, stage, server='ours', vga='qxl', guest=False, password=None, certificates=None,
                 plain=True, unix=False, spice=None, agent=True, memory_mb=None, extra=(), accel=None, env=None, kernel='', disk=None):
        self.stage, self.server = stage, server
        self.port = self.tls_port = self.unix_path = None
        for attempt in range(3):  # somebody may take a free port between our look and QEMU's bind
            self._name = f'qemu{len(stage.processes)}'
            command = self._command(vga, guest, password, certificates, plain, unix, dict(spice or {}), agent,
                                    memory_mb, extra, accel, kernel, disk)
            self.process = stage.start(self._name, command, {**self._library(), **(env or {})})
            if self._connect():
                break
            if 'in use' not in self.process.log or attempt == 2:
                raise AssertionError(f'QEMU did not start: {self.process.log[-2000:]}')
        if guest:
            self._serial = socket.socket(socket.AF_UNIX)
            self._serial.connect(stage.path(self._name + '.serial'))
            self._heard = bytearray()
            threading.Thread(target=_listen, args=(self._serial, self._heard), daemon=True).start()

    def _library(self):
        if self.server == 'reference':
            return {'LD_LIBRARY_PATH': ''}
        if not have_our_server():
            raise AssertionError(f'{SERVER_FOLDER} has no libspice-server.so.1')
        return {'LD_LIBRARY_PATH': SERVER_FOLDER}

    def _command(self, vga, guest, password, certificates, plain, unix, spice, agent, memory_mb, extra, accel, kernel,
                 disk):
        path = self.stage.path
        options = {'addr': '127.0.0.1', **spice}
        if unix:
            self.unix_path = path(self._name + '.spice')
            options.update(addr=self.unix_path, unix='on')
        elif plain:
            self.port = options['port'] = free_port()
        if certificates:
            self.tls_port = options['tls-port'] = free_port()
            options['x509-dir'] = certificates.folder
        secret = []
        if password is None:
            options['disable-ticketing'] = 'on'
        else:
            secret = ['-object', f'secret,id=ticket,data={password}']
            options['password-secret'] = 'ticket'
        accel = accel or os.environ.get('SUMAC_ACCEL', 'tcg')
        command = ['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-display', 'none',
                   '-accel', 'kvm' if accel == 'kvm' else 'tcg,thread=multi',
                   '-cpu', 'host' if accel == 'kvm' else 'max', '-smp', '2',
                   '-m', str(memory_mb or (1024 if guest else 128)), *(['-device', VGA_DEVICES[vga]] if vga else []), *secret,
                   '-spice', ','.join(f'{key}={value}' for key, value in options.items()),
                   '-qmp', f'unix:{path(self._name)}.qmp,server=on,wait=off',
                   '-chardev', f'socket,id=serial,path={path(self._name)}.serial,server=on,wait=off,'
                               f'logfile={path(self._name)}.console.log',
                   '-serial', 'chardev:serial']
        if agent:
            command += ['-device', 'virtio-serial-pci', '-chardev', 'spicevmc,id=agent,name=vdagent',
                        '-device', 'virtserialport,chardev=agent,name=com.redhat.spice.0']
        if guest:
            folder = guest_folder()
            command += ['-kernel', f'{folder}/vmlinuz', '-initrd', f'{folder}/initrd',
                        '-append', f'root=/dev/vda rw console=ttyS0 {QUIET_CONSOLE} mitigations=off {kernel}',
                        '-drive', f'file={folder}/disk.img,if=virtio,format=raw,snapshot=on']
        else:
            command += ['-drive', f'file={disk or boot_disk(self.stage)},if=ide,format=raw,snapshot=on']
        return command + list(extra)

    def _connect(self):
        """Waits for the control socket; false if QEMU ended."""
        self._qmp = socket.socket(socket.AF_UNIX)
        self._qmp.settimeout(60 * PATIENCE)
        deadline = time.monotonic() + 30 * PATIENCE
        while time.monotonic() < deadline and self.process.is_running:
            try:
                self._qmp.connect(self.stage.path(self._name + '.qmp'))
                self._qmp_file = self._qmp.makefile('r')
                json.loads(self._qmp_file.readline())
                self.qmp('qmp_capabilities')
                return True
            except (OSError, ValueError):
                time.sleep(0.05)
        return False

    @property
    def is_running(self):
        return self.process.is_running

    @property
    def uri(self):
        if self.unix_path:
            return f'spice+unix://{self.unix_path}'
        return f'spice://127.0.0.1:{self.port}'

    @property
    def peer_tls_uri(self):
        """The address of the encrypted port as the reference's clients write it."""
        return f'spice://localhost?tls-port={self.tls_port}'

    @property
    def tls_uri(self):
        return f'spice+tls://localhost:{self.tls_port}'

    def stop(self):
        self.process.stop()

    # The machine from outside: QEMU's own control protocol.

    def qmp(self, command, **arguments):
        self._qmp.sendall(json.dumps({'execute': command, 'arguments': arguments}).encode() + b'\n')
        while True:
            line = self._qmp_file.readline()
            if not line:
                raise AssertionError(f'QEMU ended during {command}: {self.process.log[-2000:]}')
            answer = json.loads(line)
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                raise AssertionError(f'{command}: {answer["error"]["desc"]}')

    def screendump(self):
        """The picture as the display device itself sees it: the truth that clients are compared with."""
        target = tempfile.mktemp(suffix='.ppm', dir=self.stage.folder)
        self.qmp('screendump', filename=target)
        return Picture.load(target)

    def shows_to(self):
        """How many displays of clients are connected."""
        return sum(channel['channel-type'] == DISPLAY_CHANNEL for channel in self.qmp('query-spice').get('channels', ()))

    def watched_by(self, command, **settings):
        """Starts a client while no other one is here, waits until it is connected, and returns it."""
        wait_for(lambda: self.shows_to() == 0, 20, 'the clients before to be gone')
        child = subprocess.Popen(command, text=True, env=self.stage.env, preexec_fn=die_with_parent, **settings)
        try:
            wait_for(lambda: self.shows_to() > 0 or child.poll() is not None, 20, f'the display of {command}')
        except BaseException:
            child.kill()
            child.wait()
            raise
        return child

    def send_keys(self, *names):
        """Presses the keys (QEMU's names) together, then releases them."""
        self.qmp('send-key', keys=[{'type': 'qcode', 'data': name} for name in names])

    def wait_still(self, still_s=2.0, timeout=60):
        """Waits until the screen has not changed for `still_s` seconds and returns its picture."""
        last, since, deadline = self.screendump(), time.monotonic(), time.monotonic() + timeout * PATIENCE
        while time.monotonic() - since < still_s:
            time.sleep(0.3)
            now = self.screendump()
            if now.size != last.size or now.rgb != last.rgb:
                last, since = now, time.monotonic()
            if time.monotonic() > deadline:
                raise AssertionError(f'the screen kept changing for {timeout} s')
        return last

    def check_seen(self, *clients):
        """Each of the clients, (name, function that takes an address and returns a picture and how it went), sees what the
        device holds: the same before and after, since a slow guest may draw on meanwhile. Returns that picture."""
        truth = self.wait_still()
        for name, take in clients:
            for _ in range(20):
                picture, result = take(self.uri)
                check(picture, f'{name} took no picture: {result}')
                difference, after = truth.differences(picture), self.screendump()
                if not difference or not truth.differences(after):
                    break
                truth = self.wait_still(4.0)
            if difference:
                self.stage.keep_pictures(**{'device': truth, name: picture})
            check_equal(difference, None, f"the device's picture and {name}'s")
        return truth

    def wait_screen(self, timeout=60):
        """Without a guest: waits for the test screen and returns its picture."""
        wait_for(lambda: self.screendump().colours() > 8, timeout, 'the test screen')
        return self.wait_still(1.0)

    # The machine from inside: a root shell on the serial console.

    @property
    def console(self):
        # Not QEMU's log of it: a character that our socket takes late stands there twice.
        return self._heard.decode(errors='replace').replace('\r', '')

    def wait_desktop(self, timeout=DESKTOP_TIMEOUT):
        """Waits until the guest's desktop is up and its screen is still; returns the picture."""
        self._wait_console(CONSOLE_READY, timeout)
        self._wait_console(DESKTOP_READY, timeout)
        return self.wait_still()

    def _wait_console(self, text, timeout):
        def seen():
            if not self.is_running:
                raise AssertionError(f'QEMU ended: {self.process.log[-2000:]}')
            return text in self.console
        wait_for(seen, timeout, f'{text!r} on the serial console', 0.3)

    @staticmethod
    def insist(action, condition, what, first_s=10, times=4):
        """Acts, and again if nothing has come of it for long, and then for twice as long: a slow guest may have missed it, or
        need more time. Returns when it last acted and what the condition was."""
        for number in range(times):
            start = time.monotonic()
            if number and (found := condition()):  # it needed more time
                return start, found
            try:
                action()
                return start, wait_for(condition, first_s << number, what, 0.3)
            except AssertionError as error:
                print(f'# {error}', flush=True)
        raise AssertionError(f'{what}: not in {times} attempts')

    def take_files(self, timeout=60):
        """Has the agent of the desktop take files into /home/user/in, and waits until it does."""
        first = self.stage.path('first file')
        with open(first, 'w', encoding='ascii') as file:
            file.write('1')
        # Its daemon may not know yet that it is there, or that the session is the active one. And the desktop may have started
        # its own beside it after all.
        self.insist(lambda: self.run(FILE_AGENT, timeout=timeout),
                    lambda: self.stage.sumac('copy', self.uri, first, '--timeout', '60s').code == 0, 'an agent that takes files')
        self.run("rm -f /home/user/in/*")

    def run(self, command, timeout=60, check=True):
        """Runs a shell command in the guest as root, with DISPLAY set; returns what it printed."""
        mark = f'mark-{time.monotonic_ns()}'
        start = len(self.console)
        self._serial.sendall(f"{{ {command}\n}} </dev/null; echo; echo '{mark[:4]}''{mark[4:]}' $?\n".encode())
        ended = re.compile(rf'\n{mark} (\d+)\n')
        found = wait_for(lambda: ended.search(self.console, start), timeout, f'{command!r} in the guest')
        output = self.console[start:found.start()].removesuffix('\n')
        if check and found.group(1) != '0':
            raise AssertionError(f'{command!r} in the guest: exit code {found.group(1)}: {output}')
        return output


def shows_desktop(picture):
    """Whether a picture shows the guest's desktop: the backgrounds of its two terminals fill their windows."""
    pixels = [picture.rgb[i:i + 3] for i in range(0, len(picture.rgb), 3)]
    return pixels.count(b'\x1d\x27\x33') > 60000 and pixels.count(b'\xfd\xfd\xf8') > 120000


def _listen(connection, heard):
    """Gathers what a guest says until its machine ends; if nobody took it away, the guest would wait."""
    try:
        while data := connection.recv(65536):
            heard += data
    except OSError:
        pass


def boot_disk(stage, name='screen.S'):
    """Assembles a boot sector into a disk; returns its path."""
    disk = stage.path(name.replace('.S', '.img'))
    if not os.path.exists(disk):
        source, part = os.path.join(os.path.dirname(__file__), name), stage.path(name.replace('.S', '.o'))
        for command in (['gcc', '-m32', '-c', '-o', part, source],
                        ['ld', '-m', 'elf_i386', '-Ttext', '0x7c00', '-e', '_start', '--oformat', 'binary',
                         '-o', disk, part]):
            result = stage.run(command)
            if result.code != 0:
                raise AssertionError(f'{command}: {result}')
        os.truncate(disk, 1 << 20)
    return disk


def guest_folder():
    """The folder of the test guest, which is made now if it is not there."""
    made = subprocess.run([os.path.join(ROOT, 'tools/guest/build')], stdout=subprocess.PIPE, text=True, check=True)
    return made.stdout.strip()
