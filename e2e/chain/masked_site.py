"""The site that the proxy pretends to be: TLS on loopback with a certificate of its own, and a note of every visit."""

import asyncio
import datetime
import ssl
import sys
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nsite"


def certificate(domain):
    """A self-signed certificate with its key, as PEM, and as DER what a visitor must see."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, domain)])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + built.public_bytes(serialization.Encoding.PEM), built.public_bytes(serialization.Encoding.DER)


class MaskedSite:
    """`visits` has one buffer for each connection, with the bytes that arrived, encrypted or not."""

    def __init__(self, domain):
        pem, self.certificate = certificate(domain)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "site.pem")
            file.write_bytes(pem)
            self._context.load_cert_chain(file)
        self.visits = []

    async def start(self, port=0):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader, writer):
        visit = bytearray()
        self.visits.append(visit)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_side=True)
        try:
            while data := await reader.read(64 * 1024):
                visit += data
                incoming.write(data)
                done = self._step(tls)
                writer.write(outgoing.read())
                await writer.drain()
                if done:
                    break
        except (OSError, asyncio.CancelledError):
            pass  # Over, also when the whole program is.
        finally:
            writer.close()

    @staticmethod
    def _step(tls):
        """Goes on with the conversation; true when it is over."""
        try:
            tls.do_handshake()
            tls.read(64 * 1024)
            tls.write(ANSWER)
            tls.unwrap()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            # Its alert is in the outgoing bytes.
            return True
        return True


async def visit(host, port, domain, header=b"", root=None):
    """What a browser does: the certificate it is shown, and the answer to a request. It trusts `root`, a PEM certificate,
    alone; without it, whatever it is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if root:
        context.load_verify_locations(cadata=root)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(header)
        await writer.drain()
        await writer.start_tls(context, server_hostname=domain)
        writer.write(f"GET / HTTP/1.1\r\nHost: {domain}\r\nConnection: close\r\n\r\n".encode())
        return writer.get_extra_info("ssl_object").getpeercert(binary_form=True), await reader.read()
    finally:
        writer.transport.abort()


async def main():
    site = await MaskedSite(sys.argv[1]).start(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(site.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
