#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files, clipboard and shared folders between here and a guest with stock agents.

usage: files_test.py ours|reference [WORDS OF A TEST]"""

import hashlib
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop'))
from peers import SUMAC, Machine, Stage
from tap import Tap, check, check_equal, note, wait_for

FILE_BYTES = 50 << 20
# The stock agent takes files only if it knows a folder for them. The new one has to belong to the desktop's session.
AGENT = '''pkill -x spice-vdagent; sleep 1; install -d -o user -g user /home/user/in
sh -c 'echo $$ >$(ls -d /sys/fs/cgroup/user.slice/user-1000.slice/session-*.scope)/cgroup.procs
exec su user -c "DISPLAY=:0 spice-vdagent -f /home/user/in -o 0"' >/dev/null 2>&1'''
DAV = 'http://localhost:9843'

tap = Tap()
stage = Stage()
machine = Machine(stage, server=sys.argv[1], guest=True, extra=[
    '-chardev', 'spiceport,name=org.spice-space.webdav.0,id=dav',
    '-device', 'virtserialport,chardev=dav,name=org.spice-space.webdav.0'])
machine.wait_desktop()
machine.run(AGENT.replace('\n', '; ', 1))


def make(name, size):
    data = os.urandom(size)
    path = stage.path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(data)
    return path, hashlib.sha256(data).hexdigest()


def sum_there(path):
    return machine.run(f'sha256sum {path} 2>&1', timeout=120, check=False).split()[0]


def sumac(*arguments, timeout=300):
    result = stage.sumac(*arguments, timeout=timeout)
    check_equal(result.code, 0, f'sumac {arguments}: {result}')
    return json.loads(result.out)


def await_agent():
    wait_for(lambda: json.loads(stage.sumac('info', machine.uri, '--json').out)['agent'], 60, 'the agent', 1)


@tap.test('a file of 50 MB arrives whole')
def _():
    await_agent()
    path, expected = make('large', FILE_BYTES)
    told = sumac('copy', machine.uri, path, '--json', '--timeout', '2m')
    check_equal(told['bytes'], FILE_BYTES, 'bytes')
    note(f'{told["bytes_per_second"] / 1e6:.1f} MB/s')
    check_equal(sum_there('/home/user/in/large'), expected, 'the checksum')


@tap.test('several files and a folder arrive together')
def _():
    await_agent()
    make('tree/inner/deep', 3000)
    make('tree/top', 70000)
    path, expected = make('small', 100)
    empty, nothing = make('none', 0)
    sumac('copy', machine.uri, path, stage.path('tree'), empty, '--json', '--timeout', '2m')
    check_equal(sum_there('/home/user/in/small'), expected, 'the small file')
    check_equal(sum_there('/home/user/in/none'), nothing, 'the empty file')
    machine.run('tar -C /tmp -xf /home/user/in/tree.tar')
    for name in 'tree/top', 'tree/inner/deep':
        with open(stage.path(name), 'rb') as file:
            check_equal(sum_there(f'/tmp/{name}'), hashlib.sha256(file.read()).hexdigest(), name)


@tap.test('text goes through the clipboard both ways')
def _():
    await_agent()
    text = 'Käse, 乳酪\nsecond line'
    setting = stage.start('set', [SUMAC, 'clipboard', machine.uri, 'set', text, '--timeout', '90s'])
    wait_for(lambda: machine.run('timeout 10 xclip -o -selection clipboard -t UTF8_STRING 2>/dev/null', check=False) == text,
             60, 'the text in the guest', 1)
    check_equal(setting.wait(60), 0, 'the end of set')
    getting = stage.start('get', [SUMAC, 'clipboard', machine.uri, 'get', '--timeout', '90s'])
    machine.run("printf 'from the guest' >/tmp/text")

    def copied():
        machine.run('setsid xclip -selection clipboard -i /tmp/text >/dev/null 2>&1 &')
        return not getting.is_running
    wait_for(copied, 60, 'the end of get', 2)
    check_equal(getting.log, 'from the guest', 'what came')


CURL = "curl -m 60 --path-as-is -s -w '%{http_code}'"


def curl(path, *options, out='/dev/null'):
    words = ' '.join(f"'{option}'" for option in options)
    return machine.run(f'{CURL} -o {out} {words} {DAV}/{path.removeprefix("/")}', timeout=90, check=False)


def check_folder(name, *put_options):
    """The guest reads what is in the folder, and writes to it."""
    path, expected = make(f'{name}/inner/file', 3 << 20)
    wait_for(lambda: curl('inner/file', out='/tmp/got') == '200', 60, 'the folder in the guest', 1)
    check_equal(sum_there('/tmp/got'), expected, 'the file read')
    machine.run('head -c 2000000 /dev/urandom >/tmp/new')
    check(curl('inner/new', '-T', '/tmp/new', *put_options) in ('200', '201', '204'), 'the file was not written')
    with open(stage.path(f'{name}/inner/new'), 'rb') as file:
        check_equal(hashlib.sha256(file.read()).hexdigest(), sum_there('/tmp/new'), 'the file written')


@tap.test('a shared folder is read and written, and nothing outside of it')
def _():
    make('share/own', 10)
    make('outside/secret', 10)
    os.symlink('../outside', stage.path('share/way'))
    sharing = stage.start('share', [SUMAC, 'share', machine.uri, stage.path('share')])
    check_folder('share')
    for path in 'way/secret', '../outside/secret', '%2e%2e/outside/secret', '..%2foutside%2fsecret':
        check(curl(path).startswith('4'), f'{path} was given')
    check_equal(curl('way/new', '-T', '/tmp/new'), '403', 'writing outside')
    sharing.stop()
    check(not os.path.exists(stage.path('outside/new')), 'a file was written outside')


@tap.test('a folder shared read-only is only read')
def _():
    path, expected = make('fixed/file', 5000)
    sharing = stage.start('share', [SUMAC, 'share', machine.uri, stage.path('fixed'), '--read-only'])
    wait_for(lambda: curl('file', out='/tmp/got') == '200', 60, 'the folder in the guest', 1)
    check_equal(sum_there('/tmp/got'), expected, 'the file read')
    check_equal(curl('new', '-T', '/tmp/got'), '403', 'a new file')
    check_equal(curl('file', '-X', 'DELETE'), '403', 'a removal')
    sharing.stop()
    check_equal(os.listdir(stage.path('fixed')), ['file'], 'what is there')


@tap.test("the reference's client shares a folder")
def _():
    os.makedirs(stage.path('theirs'))
    client = stage.start('spicy', ['spicy', f'--uri={machine.uri}', f'--spice-shared-dir={stage.path("theirs")}'],
                         {'DISPLAY': stage.x_server()})
    time.sleep(2)
    check_folder('theirs', '-H', 'Expect:')  # their server answers it before the file has come, which stays empty
    client.stop()


# An agent that takes lists of files, which Debian's does not: it asks for the first that is offered, and writes it down.
TAKES_FILES = r"""
open my $port, '+<', '/dev/virtio-ports/com.redhat.spice.0' or die; binmode $port;
sub send_msg { my ($type, $body) = @_; my $msg = pack('VVQ<V', 1, $type, 0, length $body) . $body;
    syswrite $port, pack('VV', 1, length $msg) . $msg }
sub fetch { my ($size) = @_; my $got = '';
    while (length $got < $size) { sysread($port, my $piece, $size - length $got) or select undef, undef, undef, 0.05;
        $got .= $piece // '' }
    $got }
send_msg(6, pack 'VV', 1, 0x10060);
my $in = '';
while (1) {
    my ($to, $size) = unpack 'VV', fetch(8); my $piece = fetch($size); $in .= $piece if $to == 1;
    while (length $in >= 20) {
        my (undef, $type, undef, $size) = unpack 'VVQ<V', $in; last if length $in < 20 + $size;
        my $body = substr $in, 20, $size; substr($in, 0, 20 + $size) = '';
        send_msg(6, pack 'VV', 0, 0x10060) if $type == 6 && unpack 'V', $body;
        send_msg(8, pack 'VV', 0, 6) if $type == 7 && grep { $_ == 6 } unpack 'V*', substr $body, 4;
        if ($type == 4) { open my $out, '>', '/tmp/list.new'; print $out substr $body, 8; close $out;
            rename '/tmp/list.new', '/tmp/list'; exit } } }
"""


@tap.test('files that are copied here are read where they are pasted, by an agent that takes lists of files')
def _():
    path, expected = make('desk/Käse 1', 3 << 20)
    inner, _ = make('desk/tree/inner', 50)
    make('desk/beside', 50)
    machine.run('systemctl stop spice-vdagentd.socket spice-vdagentd; pkill -x spice-vdagent; rm -f /tmp/list', check=False)
    machine.run(f"cat >/tmp/agent.pl <<'END'\n{TAKES_FILES}\nEND\nperl /tmp/agent.pl >/tmp/agent.log 2>&1 &")
    await_agent()
    setting = stage.start('files', [SUMAC, 'clipboard', machine.uri, 'set', '--type', 'files', path, os.path.dirname(inner),
                                    '--timeout', '90s', '--json'])
    wait_for(lambda: machine.run('ls /tmp/list', check=False).strip() == '/tmp/list', 60, 'the list of files in the guest', 1)
    action, first, second, end = machine.run("tr '\\0' '\\n' </tmp/list; echo END").split('\n')
    check_equal((action, end), ('copy', 'END'), 'the list')
    check(first.startswith('/.spice-clipboard/') and first.endswith('/Käse 1') and second.endswith('/tree'), f'{first}, {second}')
    url = first.replace(' ', '%20').replace('ä', '%C3%A4')
    wait_for(lambda: curl(url, out='/tmp/got') == '200', 60, 'the file in the guest', 1)
    # At once: where nothing is read for a while the command takes it for done.
    asked = [second + '/inner', second + '/../beside', second + '/%2e%2e/beside', os.path.dirname(first) + '/beside']
    codes = machine.run(f'for path in {" ".join(asked)}; do {CURL} -o /dev/null {DAV}$path; echo; done; '
                        f'{CURL} -o /dev/null -T /tmp/got {DAV}{second}/inner', timeout=90).split()
    check(codes[0] == '200' and all(code.startswith('4') for code in codes[1:]), f'{asked}, then writing: {codes}')
    check_equal(sum_there('/tmp/got'), expected, 'the file pasted')
    check_equal(setting.wait(90), 0, f'the end of set, when nothing is read any more: {setting.log}')
    check_equal(json.loads(setting.log)['files'], 2, 'files')


with stage:
    status = tap.run(*sys.argv[2:3])
sys.exit(status)
