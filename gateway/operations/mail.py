"""Alert letters by mail: SMTP with STARTTLS or TLS, every option of it written out."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from pathlib import Path

from gateway.errors import BadAnswerError, TlsError, TransportError, UnreachableError
from gateway.operations.letters import Letter


class MailSecurity(StrEnum):
    """Says how the connection to the mail server is protected.

    NONE is for a relay on this host only.
    """

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """Says which server takes our mail.

    Attributes:
        sender: address in the From line.
        username: account to log in with; None sends without.
        ca: PEM file of the anchors the server must chain to; None takes the system's.
        seconds: longest wait for any answer of the server.
    """

    host: str
    port: int
    security: MailSecurity
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None
    seconds: float = 20.0


class MailCourier:
    """Mails letters to one address."""

    def __init__(self, server: MailServer, address: str) -> None:
        self._server = server
        self._address = address

    def deliver(self, letter: Letter) -> None:
        """Hand ``letter`` over to the mail server.

        Raises:
            TransportError: the server did not take it.
        """
        message = self._message(letter)
        try:
            with self._session() as session:
                if self._server.username is not None:
                    session.login(self._server.username, self._server.password or "")
                session.send_message(message)
        except ssl.SSLError as exc:
            raise TlsError(f"no TLS with the mail server: {exc.reason or exc}") from exc
        except smtplib.SMTPResponseException as exc:
            raise BadAnswerError(f"the mail server answers {exc.smtp_code}") from exc
        except smtplib.SMTPRecipientsRefused as exc:
            raise BadAnswerError("the mail server refuses the recipient") from exc
        except smtplib.SMTPException as exc:
            raise _unusable(exc) from exc
        except OSError as exc:
            raise UnreachableError(
                f"no connection to the mail server: {exc.strerror or type(exc).__name__}"
            ) from exc

    def _session(self) -> smtplib.SMTP:
        server = self._server
        # A name of our own: the standard library would ask the name server for one.
        own = server.sender.rpartition("@")[2]
        if server.security is MailSecurity.TLS:
            return smtplib.SMTP_SSL(
                server.host, server.port, own, timeout=server.seconds, context=self._context()
            )
        session = smtplib.SMTP(server.host, server.port, own, timeout=server.seconds)
        if server.security is MailSecurity.STARTTLS:
            try:
                session.starttls(context=self._context())
            except BaseException:
                session.close()
                raise
        return session

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.check_hostname = True
        if self._server.ca is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        else:
            context.load_verify_locations(cafile=self._server.ca)
        return context

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._server.sender
        message["To"] = self._address
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(letter.written_at)
        message["Message-ID"] = f"<{letter.id}@{self._server.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = str(letter.language)
        message.set_content("\n".join(letter.lines()) + "\n", charset="utf-8")
        return message


def _unusable(exc: smtplib.SMTPException) -> TransportError:
    if isinstance(exc, smtplib.SMTPServerDisconnected):
        return UnreachableError("the mail server ended the connection")
    if isinstance(exc, smtplib.SMTPNotSupportedError):
        return TlsError("the mail server offers no STARTTLS or no login")
    return BadAnswerError(f"the mail server cannot be used ({type(exc).__name__})")
