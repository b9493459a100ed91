#!/bin/sh
# check-tag.sh TAG: refuses a tag that is not the version in Cargo.toml, or whose version CHANGELOG.md does not describe.
set -eu

cd "$(dirname "$0")/.."
tag=$1
version=$(sed -n '/^\[workspace\.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
if [ "$tag" != "v$version" ]; then
    echo "the tag is $tag, but Cargo.toml has version $version" >&2
    exit 1
fi
awk -v start="## [$version] - " '
    /^## / { found = index($0, start) == 1 && substr($0, length(start) + 1) ~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$/ }
    found && /^- / { described = 1 }
    END { exit !described }
' CHANGELOG.md || {
    echo "CHANGELOG.md has no section \"## [$version] - YEAR-MONTH-DAY\" with a change in it" >&2
    exit 1
}
