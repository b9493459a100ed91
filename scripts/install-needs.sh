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
install_missing
