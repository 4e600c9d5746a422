"""A network as companies have it: a proxy with credentials in front of everything, and certificates of a CA of their own."""

import base64
import pathlib
import socket
import ssl
import subprocess
import threading

USER, PASSWORD = "corp-user", "p@ss"
BUFFER = 1 << 16
HEAD_BYTES = 1 << 16
DAYS = "2"


class Ca:
    """A certificate authority in a folder."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.file, self.key = folder / "ca.pem", folder / "ca.key"
        self.openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", DAYS),
            *("-subj", "/CN=Corp CA", "-addext", "basicConstraints=critical,CA:TRUE"),
            *("-keyout", self.key, "-out", self.file),
        )

    def openssl(self, *arguments) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30)

    def server(self, host: str) -> ssl.SSLContext:
        """What a server of this name shows."""
        key, request, certificate, names = (self.folder / f"{host}.{end}" for end in ("key", "csr", "pem", "ext"))
        names.write_text(f"subjectAltName=DNS:{host}\n")
        self.openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-subj", f"/CN={host}", "-keyout", key, "-out", request),
        )
        self.openssl(
            *("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.key, "-CAcreateserial"),
            *("-days", DAYS, "-extfile", names, "-out", certificate),
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        return context


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
        password = PASSWORD.replace("@", "%40")
        return f"http://{USER}:{password}@127.0.0.1:{self.address[1]}"

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
            secret = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if method != "CONNECT" or shown.get("proxy-authorization") != f"Basic {secret}" or target not in self.names:
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
