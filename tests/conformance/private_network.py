"""A network as companies have it: a proxy with credentials in front of everything, and certificates of a CA of their own."""

import base64
import datetime
import pathlib
import socket
import ssl
import threading
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "corp-user", "c4nary@ss"
QUOTED_PASSWORD = urllib.parse.quote(PASSWORD)
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
BUFFER = 1 << 16
HEAD_BYTES = 1 << 16
VALID, SKEW = datetime.timedelta(days=2), datetime.timedelta(hours=1)


class Ca:
    """A certificate authority; `file` has its certificate, in a folder."""

    def __init__(self, folder: pathlib.Path):
        self.folder, self.file = folder, folder / "ca.pem"
        self.key, self.name = ec.generate_private_key(ec.SECP256R1()), named("Corp CA")
        basic = x509.BasicConstraints(ca=True, path_length=None)
        self.file.write_bytes(pem(self.sign(self.name, self.key, basic, critical=True)))

    def sign(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, says: x509.ExtensionType, critical: bool = False):
        now = datetime.datetime.now(datetime.UTC)
        made = x509.CertificateBuilder(self.name, name, key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(now - SKEW).not_valid_after(now + VALID)
        return made.add_extension(says, critical).sign(self.key, hashes.SHA256())

    def server(self, host: str) -> ssl.SSLContext:
        """What a server of this name shows."""
        key, file = ec.generate_private_key(ec.SECP256R1()), self.folder / f"{host}.pem"
        certificate = self.sign(named(host), key, x509.SubjectAlternativeName([x509.DNSName(host)]))
        form = serialization.PrivateFormat.PKCS8
        own = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        file.write_bytes(own + pem(certificate))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class Listener:
    """Accepts on a free loopback port; each connection has a thread, which ends with it."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = self.socket.getsockname()
        self.accepted = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        # an accept that waits does not notice that its socket is closed
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Terminator(Listener):
    """TLS in front of a plain server."""

    def __init__(self, context: ssl.SSLContext, upstream: tuple[str, int]):
        self.context, self.upstream = context, upstream
        super().__init__()

    def serve(self, client):
        try:
            with self.context.wrap_socket(client, server_side=True) as secure:
                with socket.create_connection(self.upstream) as server:
                    join(secure, server)
        except OSError:
            client.close()


class Proxy(Listener):
    """Tunnels by CONNECT to the names that it knows, for who shows the credentials; `asked` has every target."""

    def __init__(self, names: dict[str, tuple[str, int]]):
        self.names, self.asked, self.refused = names, [], 0
        super().__init__()

    @property
    def url(self) -> str:
        return f"http://{USER}:{QUOTED_PASSWORD}@127.0.0.1:{self.address[1]}"

    def serve(self, client):
        with client:
            head = b""
            while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES:
                piece = client.recv(BUFFER)
                if not piece:
                    return
                head += piece
            lines = head.decode("latin-1").split("\r\n")
            method, target, _ = lines[0].split(" ")
            shown = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            if method != "CONNECT" or shown.get("proxy-authorization") != f"Basic {BASIC}" or target not in self.names:
                self.refused += 1
                client.sendall(b"HTTP/1.1 407 Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                return
            self.asked.append(target)
            with socket.create_connection(self.names[target]) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                join(client, server)


def join(one: socket.socket, other: socket.socket) -> None:
    """Copies both ways until both have ended."""
    back = threading.Thread(target=copy, args=(other, one), daemon=True)
    back.start()
    copy(one, other)
    back.join()


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(BUFFER):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except (OSError, ValueError):
        # the other side has gone: what waits on this one must notice
        for side in (source, target):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
