# SPDX-License-Identifier: MIT
"""The ways from our client to a server: HTTP proxies (tinyproxy, also behind TLS), WebSockets on our server and on the
reference's. The picture has to be the machine's own; what fails has to name the proxy and the cause."""

import json
import re
import socket
import ssl
import sys
import threading

from peers import Certificates, free_port, Machine, Stage
from tap import Tap, check, check_equal, wait_for

tap = Tap()
stage = Stage()
certificates = Certificates(stage, 'ways', hosts='DNS:localhost')
machines = {}


def machine(server):
    if server not in machines:
        machines[server] = Machine(stage, server=server, certificates=certificates)
        machines[server].wait_screen()
    return machines[server]


class Proxy:
    """A tinyproxy, and what it wrote into its log."""

    def __init__(self, name, *rules):
        self.port = free_port()
        path = stage.path(f'{name}.conf')
        with open(path, 'w') as file:
            file.write('\n'.join([f'Port {self.port}', 'Listen 127.0.0.1', 'Timeout 600', 'MaxClients 50', 'LogLevel Connect',
                                  *rules, '']))
        self.process = stage.start(name, ['tinyproxy', '-d', '-c', path])
        wait_for(lambda: answers(self.port), 10, 'the proxy')

    @property
    def tunnels(self):
        return re.findall(r'CONNECT (\S+) HTTP', self.process.log)


def answers(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
        return True
    except OSError:
        return False


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in source, target:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def tls_front(port):
    """A port with TLS in front of another one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.folder + '/server-cert.pem', certificates.folder + '/server-key.pem')
    listener = socket.create_server(('127.0.0.1', 0))

    def serve(plain):
        try:
            front = context.wrap_socket(plain, server_side=True)
        except OSError:
            return
        back = socket.create_connection(('127.0.0.1', port))
        threading.Thread(target=copy, args=(front, back), daemon=True).start()
        copy(back, front)

    def run():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1]


def shows(vm, uri, *arguments, env=None):
    """Our client's picture of the machine is the machine's own."""
    target = stage.path('ways.png')
    result = stage.sumac('screenshot', *arguments, uri, target, env=env)
    check_equal(result.code, 0, f'{uri}: {result}')
    from pictures import Picture
    check_equal(vm.screendump().differences(Picture.load(target)), None, uri)


def fails(uri, kind, cause, cure, *arguments, env=None):
    result = stage.sumac('info', '--json', *arguments, uri, env=env)
    error = json.loads(result.out)['error']
    check_equal(error['kind'], kind, str(error))
    check(re.search(cause, error['cause']), f'the cause says nothing of {cause!r}: {error}')
    check(re.search(cure, error['cure']), f'the cure says nothing of {cure!r}: {error}')


@tap.test('every channel goes through an HTTP proxy, plain and with TLS')
def _():
    vm, proxy = machine('ours'), Proxy('proxy')
    env = {'SPICE_PROXY': f'127.0.0.1:{proxy.port}'}
    shows(vm, vm.uri, env=env)
    check(len(proxy.tunnels) >= 2, f'tunnels: {proxy.tunnels}')
    check_equal(set(proxy.tunnels), {f'127.0.0.1:{vm.port}'}, 'where they lead')
    shows(vm, vm.tls_uri, '--ca', certificates.ca, env=env)
    check(f'localhost:{vm.tls_port}' in proxy.tunnels, f'the proxy resolves the name: {proxy.tunnels}')


@tap.test('a proxy behind TLS is used when the system trusts it, else its certificate is named')
def _():
    vm, proxy = machine('reference'), Proxy('hidden')
    port = tls_front(proxy.port)
    env = {'SPICE_PROXY': f'https://localhost:{port}/', 'SSL_CERT_FILE': certificates.ca}
    shows(vm, vm.uri, env=env)
    check(proxy.tunnels, 'nothing went through the proxy')
    fails(vm.uri, 'certificate', f'the proxy localhost:{port}.*Sumac-test-CA', 'trust',
          env={'SPICE_PROXY': f'https://localhost:{port}'})
    fails(vm.uri, 'timed-out', 'the proxy .* did not answer in time', 'http://', '--timeout', '2',
          env={'SPICE_PROXY': f'https://localhost:{proxy.port}'})


@tap.test('a proxy wants user and password, from a connection file too')
def _():
    vm, proxy = machine('ours'), Proxy('login', 'BasicAuth joe sesame')
    place = f'127.0.0.1:{proxy.port}'
    fails(vm.uri, 'proxy-login', f'{place} wants a user', 'USER:PASSWORD', env={'SPICE_PROXY': place})
    fails(vm.uri, 'proxy-login', f'{place} did not accept', 'check user', env={'SPICE_PROXY': f'joe:wrong@{place}'})
    shows(vm, vm.uri, env={'SPICE_PROXY': f'http://joe:sesame@{place}'})
    path = stage.path('proxy.vv')
    with open(path, 'w') as file:
        file.write(f'[virt-viewer]\ntype=spice\nhost=127.0.0.1\nport={vm.port}\nproxy=http://joe:sesame@{place}\n')
    before = len(proxy.tunnels)
    shows(vm, path)
    check(len(proxy.tunnels) > before, 'the key proxy was not looked at')


@tap.test('what a proxy refuses or cannot do is told with its name')
def _():
    vm, proxy = machine('ours'), Proxy('strict', 'ConnectPort 443')
    place = f'127.0.0.1:{proxy.port}'
    fails(vm.uri, 'proxy', f'{place} does not allow connections to 127.0.0.1:{vm.port} .403', 'allow CONNECT',
          env={'SPICE_PROXY': place})
    open_proxy = Proxy('open')
    nobody = free_port()
    fails(f'spice://127.0.0.1:{nobody}', 'proxy', f'127.0.0.1:{open_proxy.port} could not connect to 127.0.0.1:{nobody} .50',
          'as the proxy sees', env={'SPICE_PROXY': f'127.0.0.1:{open_proxy.port}'})
    fails(vm.uri, 'refused', f'the proxy 127.0.0.1:{nobody} was refused', 'SPICE_PROXY',
          env={'SPICE_PROXY': f'127.0.0.1:{nobody}'})
    fails(vm.uri, 'proxy', 'does not answer as an HTTP proxy|ended the connection', 'HTTP proxy',
          env={'SPICE_PROXY': f'127.0.0.1:{vm.port}'})
    fails(vm.uri, 'proxy', 'not valid: its port', 'HOST', env={'SPICE_PROXY': 'proxy:0'})


for server in 'ours', 'reference':
    @tap.test(f'WebSockets lead to {server}, plain, over TLS and through a proxy')
    def _(server=server):
        vm = machine(server)
        shows(vm, f'ws://127.0.0.1:{vm.port}')
        shows(vm, f'ws://127.0.0.1:{vm.port}/websockify?token=x')
        shows(vm, f'wss://localhost:{vm.tls_port}/', '--ca', certificates.ca)
        proxy = Proxy(f'web-{server}')
        shows(vm, f'wss://localhost:{vm.tls_port}/', '--ca', certificates.ca, env={'SPICE_PROXY': f'localhost:{proxy.port}'})
        check(proxy.tunnels, 'nothing went through the proxy')


@tap.test('a certificate that will not do is named: whose it is, for whom, by whom, until when')
def _():
    vm = machine('ours')
    fails(vm.tls_uri, 'certificate', 'certificate /CN=Sumac-test-CA, signed by itself', '--ca')
    fails(f'spice+tls://127.0.0.1:{vm.tls_port}', 'host-name', 'is not for the host 127.0.0.1: .* is for localhost$',
          'name in the certificate', '--ca', certificates.ca)
    old = Certificates(stage, 'old', hosts='DNS:localhost', days=-1)
    stale = Machine(stage, certificates=old, plain=False)
    fails(stale.tls_uri, 'certificate-expired', r'has expired on 20\d\d-\d\d-\d\d$', 'renewed', '--ca', old.ca)
    stale.stop()
    fails(vm.tls_uri, 'subject', "subject is /O=Sumac test/CN=localhost", 'entry by entry', '--ca', certificates.ca,
          '--host-subject', 'O=Sumac test,CN=other')


@tap.test('a WebSocket that is none, or somebody else\'s, is told with the cause')
def _():
    vm, proxy = machine('ours'), Proxy('no-socket')
    fails(f'ws://127.0.0.1:{proxy.port}/', 'not-spice', 'no WebSocket to .*refused the WebSocket upgrade', 'path')
    fails(f'wss://localhost:{vm.tls_port}/', 'certificate', 'is not trusted', 'authority')
    fails(f'wss://localhost:{vm.port}/', 'tls-failed', 'TLS', 'TLS')


with stage:
    code = tap.run(sys.argv[1] if len(sys.argv) > 1 else None)
sys.exit(code)
