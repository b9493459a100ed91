"""A real Traefik before the proxy: it passes TLS on by its server name and tells the client's address by PROXY v2."""

import json
import os
import sys
from pathlib import Path

# Beside this interpreter, because Traefik comes as a Python package.
BINARY = Path(sys.executable).parent / "traefik"


def command(folder, port, domain, target):
    """Writes the configuration into `folder` and tells how to start Traefik on `port`. JSON is also YAML."""
    services = Path(folder, "services.yml")
    services.write_text(json.dumps({
        "tcp": {
            "routers": {
                "proxy": {
                    "entryPoints": ["front"],
                    "rule": f"HostSNI(`{domain}`)",
                    "service": "proxy",
                    "tls": {"passthrough": True},
                }
            },
            "services": {
                "proxy": {"loadBalancer": {"serversTransport": "proxy", "servers": [{"address": target}]}}
            },
            "serversTransports": {"proxy": {"proxyProtocol": {"version": 2}}},
        }
    }))
    static = Path(folder, "traefik.yml")
    static.write_text(json.dumps({
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "INFO"},
        "entryPoints": {"front": {"address": f"127.0.0.1:{port}"}},
        "providers": {"file": {"filename": str(services), "watch": False}},
    }))
    return [str(BINARY), f"--configFile={static}"]


if __name__ == "__main__":
    # traefik.py FOLDER PORT DOMAIN HOST:PORT
    line = command(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
    os.execv(line[0], line)
