# SPDX-License-Identifier: MIT
"""From nothing: an empty Debian 12 (debootstrap, minbase), a clone of this commit, the two commands of the README."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop'))
from peers import ROOT, free_port, shows_desktop
from pictures import Picture
from tap import PATIENCE, Tap, check, note

tap = Tap()
system = tempfile.mkdtemp(prefix='sumac-debian-')
port = free_port()


def inside(script, timeout):
    """Runs a shell script as root in the new system. Mounts and processes are in namespaces of their own, so nothing of
    them stays. Returns (exit code, output)."""
    where = shlex.quote(system)
    outer = (f'mount -t proc proc {where}/proc && mount --rbind /dev {where}/dev && mount -t sysfs sysfs {where}/sys && '
             f'exec chroot {where} env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 '
             f'bash -c {shlex.quote("cd /root/sumac; " + script)}')
    try:
        done = subprocess.run(['unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', outer],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors='replace', timeout=timeout * PATIENCE)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        return None, (error.stdout or b'').decode(errors='replace')


@tap.test('an empty Debian 12 and a clone of this commit')
def _():
    check(os.geteuid() == 0, 'making a system in a folder needs root: sudo ./test guest')
    mirror = [os.environ['SUMAC_MIRROR']] if 'SUMAC_MIRROR' in os.environ else []
    made = subprocess.run(['debootstrap', '--variant=minbase', 'bookworm', system, *mirror], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=300 * PATIENCE)
    check(made.returncode == 0, f'debootstrap: {made.stdout[-1500:]}')
    subprocess.run(['git', 'clone', '-q', '--no-hardlinks', ROOT, os.path.join(system, 'root', 'sumac')], check=True)
    for name in 'resolv.conf', 'hosts':
        if os.path.exists(f'/etc/{name}'):
            shutil.copy(f'/etc/{name}', os.path.join(system, 'etc', name))


@tap.test('./run --no-viewer brings up the desktop, and the command it prints takes a picture of it')
def _():
    code, output = inside(f'''
        ./run --no-viewer --port {port} >/root/run.log 2>&1 &
        run=$!
        until grep -q "desktop is up" /root/run.log; do
            kill -0 $run 2>/dev/null || {{ cat /root/run.log; exit 9; }}
            sleep 1
        done
        cat /root/run.log
        for _ in $(seq 60); do
            $(sed -n "s/^To take a picture of it: //p" /root/run.log) || exit 8
            cmp -s screen.png /root/before.png && break # a slow guest may still have drawn
            cp screen.png /root/before.png
            sleep 3
        done
        kill -TERM $run
        wait $run
        for _ in $(seq 50); do pgrep qemu >/dev/null || break; sleep 0.2; done
        ! pgrep -a qemu || exit 7''', 900)
    note(output[-3000:])
    check(code == 0, f'exit code {code}')
    picture = Picture.load(os.path.join(system, 'root', 'sumac', 'screen.png'))
    check(shows_desktop(picture), f'the picture ({picture.size}, {picture.colours()} colours) is not of the desktop')


@tap.test('./test unit passes')
def _():
    code, output = inside('./test unit', 900)
    note('\n'.join(output.split('\n')[-12:]))
    last = re.search(r'^(\d+) passed, (\d+) failed$', output.strip().split('\n')[-1])
    check(code == 0 and last and int(last.group(1)) > 0 and last.group(2) == '0', f'exit code {code}')


try:
    status = tap.run(sys.argv[1] if len(sys.argv) > 1 else None)
finally:
    if 'SUMAC_KEEP' in os.environ:
        note(f'kept {system}')
    else:
        shutil.rmtree(system, ignore_errors=True)
sys.exit(status)
