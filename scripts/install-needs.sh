#!/bin/sh
# What the run of the installer needs.
set -eu
# shellcheck source=scripts/needs.sh
. "$(dirname "$0")/needs.sh"

need dockerd docker.io
need debootstrap debootstrap
need nsenter util-linux
need ss iproute2
need strip binutils
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing="$missing python3-venv"
install_missing
