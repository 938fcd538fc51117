"""django-pyas2 end to end: its own sending code, its receiver under gunicorn, a database each.

Signed message, signed synchronous MDN; HTTP without TLS.  The steps of sending are those of its
command ``sendas2message``.
"""

import logging
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from loop import serve

FOLDER = Path(sys.argv[1])
DOCUMENT = (FOLDER / "document.xml").read_bytes()
KEY, CERT = (FOLDER / "key-and-cert.pem").read_bytes(), (FOLDER / "cert-2048.pem").read_bytes()
HERE = str(Path(__file__).resolve().parent)
START_SECONDS = 30


def environment(role):
    """Return the environment of a site in one role."""
    return {
        **os.environ,
        "BENCH_FOLDER": str(FOLDER),
        "BENCH_ROLE": role,
        "DJANGO_SETTINGS_MODULE": "pyas2_site",
        "PYTHONPATH": HERE,
        "NO_PROXY": "127.0.0.1",
    }


def set_up(own, other, url):
    """Make the database of this process's site, with one organization and one partner."""
    import django
    from django.core.management import call_command

    django.setup()
    from pyas2.models import Organization, Partner, PrivateKey, PublicCertificate

    call_command("migrate", verbosity=0)
    key = PrivateKey.objects.create(name="bench", key=KEY, key_pass="bench")
    cert = PublicCertificate.objects.create(name="bench", certificate=CERT, verify_cert=False)
    organization = Organization.objects.create(name=own, as2_name=own, signature_key=key)
    partner = Partner.objects.create(
        name=other,
        as2_name=other,
        target_url=url,
        content_type="application/XML",
        signature="sha256",
        signature_cert=cert,
        mdn=True,
        mdn_mode="SYNC",
        mdn_sign="sha256",
    )
    return organization, partner


def listen(port):
    """Return a running receiver, one worker, once it takes connections."""
    command = [sys.executable, "-m", "gunicorn", "--workers=1", "--log-level=error"]
    process = subprocess.Popen(
        [*command, f"--bind=127.0.0.1:{port}", "pyas2_site:application"],
        env=environment("receiver"),
        stdout=sys.stderr,
    )
    over = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        if process.poll() is not None or time.monotonic() > over:
            raise SystemExit("gunicorn does not answer")
        time.sleep(0.1)


def sending(organization, partner):
    """Return the work of one exchange."""
    from pyas2.models import Message
    from pyas2lib import Message as As2Message

    def exchange():
        as2message = As2Message(sender=organization.as2org, receiver=partner.as2partner)
        as2message.build(
            DOCUMENT,
            filename="certificate.xml",
            subject=partner.subject,
            content_type=partner.content_type,
            disposition_notification_to=organization.email_address or "no-reply@pyas2.com",
        )
        message, _ = Message.objects.create_from_as2message(
            as2message=as2message,
            payload=DOCUMENT,
            filename="certificate.xml",
            direction="OUT",
            status="P",
        )
        message.send_message(as2message.headers, as2message.content)
        if message.status != "S":
            raise ValueError(f"not delivered: {message.status} {message.detailed_status}")

    return exchange


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    """Set both sites up, serve one, send from the other."""
    logging.disable(logging.CRITICAL)
    for role in ("sender", "receiver"):
        (FOLDER / role).mkdir()
    port = free_port()
    url = f"http://127.0.0.1:{port}/pyas2/as2receive"
    code = f"import run_django_pyas2 as r; r.set_up('kenya', 'zambia', {url!r})"
    command = [sys.executable, "-c", code, str(FOLDER)]
    subprocess.run(command, env=environment("receiver"), check=True, stdout=sys.stderr)
    os.environ.update(environment("sender"))
    organization, partner = set_up("zambia", "kenya", url)
    receiver = listen(port)
    try:
        serve({"exchange": sending(organization, partner)})
    finally:
        receiver.terminate()
        receiver.wait()


if __name__ == "__main__":
    main()
