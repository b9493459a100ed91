#!/bin/sh
# The end-to-end chain; chain.py tells what it reads from the environment.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
"$here/tools.sh"
MTPANNEL_BIN=$(realpath "${MTPANNEL_BIN:-target/debug/mtpannel}")
export MTPANNEL_BIN PYTHONDONTWRITEBYTECODE=1
exec "$here/../../target/e2e/chain/bin/python" "$here/chain.py"
