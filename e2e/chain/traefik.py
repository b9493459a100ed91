"""A real Traefik with the files of deploy/traefik: it passes TLS on by its server name and tells the client's address by
PROXY v2."""

import os
import sys
from pathlib import Path

# Beside this interpreter, because Traefik comes as a Python package.
BINARY = Path(sys.executable).parent / "traefik"
FILES = Path(__file__).resolve().parents[2] / "deploy" / "traefik"


def replaced(text, changes):
    """Each of them has to be there, or the files are no longer what is tested."""
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"Traefik's files do not say {old!r}")
        text = text.replace(old, new)
    return text


def command(
    folder, port, domain, target, *,
    other_names="close", site=None, panel=None, panel_target=None, certificate=None, authority=None,
):
    """Writes the files into `folder`, with the addresses of this machine, and tells how to start Traefik on `port`.
    The panel's domain gets `certificate`, a PEM file, or one from the ACME server whose address is `authority`."""
    folder = Path(folder)
    dynamic = folder / "dynamic.yml"
    changes = {"mtpannel-telemt:1234": target, "mtpannel-panel:8080": panel_target or "127.0.0.1:9"}
    text = replaced((FILES / "dynamic.yml").read_text(), changes)
    if certificate:
        text += f"  certificates:\n    - {{certFile: {certificate}, keyFile: {certificate}}}\n"
    dynamic.write_text(text)
    changes = {
        '":8443"': f'"127.0.0.1:{port}"',
        "127.0.0.1:8082": "127.0.0.1:0",
        "/etc/traefik/dynamic.yml": str(dynamic),
        "/acme/acme.json": str(folder / "acme.json"),
    }
    if authority:
        changes["tlsChallenge: {}"] = f"tlsChallenge: {{}}\n      caServer: {authority}"
    static = folder / "traefik.yml"
    static.write_text(replaced((FILES / "traefik.yml").read_text(), changes))
    names = {"TLS_DOMAIN": domain, "PANEL_DOMAIN": panel or "", "OTHER_NAMES": other_names, "MASK_SITE": site or ""}
    return ["env", *(f"{name}={value}" for name, value in names.items()), str(BINARY), f"--configFile={static}"]


if __name__ == "__main__":
    # traefik.py FOLDER PORT DOMAIN HOST:PORT
    line = command(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
    os.execvp(line[0], line)
