"""A mail server of somebody else (aiosmtpd), for the tests of the program.

It binds a port at once, so that nobody else takes it, and refuses connections until standard input says `listen`. Each
line of standard output is JSON: first {"port"}, then every message, read by Python's own parser. It ends with its input.
With TLS it makes an authority and a certificate, as files in the current folder, and names the authority's.
"""

import argparse
import asyncio
import datetime
import email
import email.policy
import ipaddress
import json
import os
import socket
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def say(value):
    print(json.dumps(value), flush=True)


class Inbox:
    """Reports what arrives, waits, and gives the answers it was told to give before it takes anything."""

    def __init__(self, answers, pause, refusal):
        self.answers = list(answers)
        self.pause = pause
        self.refusal = refusal

    async def handle_RCPT(self, server, session, envelope, address, options):
        # Somebody who asks the recipient's own server first, which does not answer.
        if address.startswith("slow"):
            say({"waits": address})
            await asyncio.sleep(500)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 recipient taken"

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.refusal:
            return self.refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 sender taken"

    async def handle_DATA(self, server, session, envelope):
        answer = self.answers.pop(0) if self.answers else "250 2.0.0 taken"
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        say({
            "answer": answer,
            "envelope": {"from": envelope.mail_from, "to": envelope.rcpt_tos},
            "encrypted": server.transport.get_extra_info("ssl_object") is not None,
            "signed_in": session.authenticated,
            "source": envelope.original_content.decode(),
            "headers": [[name, str(value)] for name, value in message.items()],
            "type": message.get_content_type(),
            "parts": [[part.get_content_type(), part.get_content()] for part in message.iter_parts()],
            "defects": [str(defect) for part in message.walk() for defect in part.defects],
        })
        await asyncio.sleep(self.pause)
        if answer == "drop":
            server.transport.abort()
        return answer


def certificates(host):
    """A new authority and a certificate of it for `host`: the files of the authority, and of the certificate and key."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def signed(subject, key, issuer, issuer_key, *extensions):
        name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    server_only = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])
    root = signed("a private authority", root_key, "a private authority", root_key,
                  (x509.BasicConstraints(ca=True, path_length=0), True))
    leaf = signed("relay", key, "a private authority", root_key,
                  (x509.BasicConstraints(ca=False, path_length=None), True), (names, False), (server_only, False))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
    authority, chain = (os.path.abspath(f"{os.getpid()}-{name}.pem") for name in ("authority", "relay"))
    for path, text in [(authority, root), (chain, leaf + private)]:
        with open(path, "wb") as file:
            file.write(text)
    return authority, chain


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1", help="the address that the certificate is for")
    parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
    parser.add_argument("--account", help="user:password that a sender must sign in with")
    parser.add_argument("--answer", action="append", default=[], help="to the first message, to the second, ...; drop: none")
    parser.add_argument("--refuse-sender", help="the answer to every MAIL command")
    parser.add_argument("--utf8", action="store_true", help="take addresses with letters beyond ASCII")
    parser.add_argument("--pause", type=float, default=0, help="seconds between a message and its answer")
    return parser.parse_args()


async def serve(wanted):
    port = socket.socket()
    port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port.bind(("127.0.0.1", 0))
    ready, context = {"port": port.getsockname()[1]}, None
    if wanted.tls != "none":
        ready["authority"], chain = certificates(wanted.host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
    say(ready)

    def allowed(server, session, envelope, mechanism, given):
        pair = f"{given.login.decode()}:{given.password.decode()}"
        return AuthResult(success=pair == wanted.account, handled=False)

    inbox = Inbox(wanted.answer, wanted.pause, wanted.refuse_sender)

    def session():
        return SMTP(
            inbox,
            hostname="relay.example.net",
            require_starttls=wanted.tls == "starttls",
            tls_context=context if wanted.tls == "starttls" else None,
            authenticator=allowed,
            auth_required=wanted.account is not None,
            auth_require_tls=wanted.tls == "starttls",
            enable_SMTPUTF8=wanted.utf8,
        )

    loop = asyncio.get_running_loop()
    while order := await loop.run_in_executor(None, sys.stdin.readline):
        assert order == "listen\n", order
        await loop.create_server(session, sock=port, ssl=context if wanted.tls == "implicit" else None)


asyncio.run(serve(options()))
