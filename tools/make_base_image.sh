#!/bin/sh
# Makes the image that containers of models start from, where no registry is reachable: Debian's smallest system with
# Python and OpenMP, about a minute. Safe to run again: an image that is there is left alone.
#
#   tools/make_base_image.sh [NAME]      NAME is mlops-base:bookworm if left out
#
# SUITE and MIRROR may be set: the suite's Python must be the engine's (bookworm has 3.11, trixie 3.13).
set -eu

name=${1:-mlops-base:bookworm}
suite=${SUITE:-bookworm}
mirror=${MIRROR:-http://deb.debian.org/debian}

fail() {
    echo "$1" >&2
    exit 1
}

command -v docker >/dev/null 2>&1 || fail "The docker command is not on the PATH; on Debian: apt-get install docker.io."
docker version >/dev/null 2>&1 || fail "Docker does not answer; start it, or join the group that may use it."
if docker image inspect "$name" >/dev/null 2>&1; then
    echo "The image $name is there."
    exit 0
fi
[ "$(id -u)" -eq 0 ] || fail "debootstrap needs root: run this with sudo."
command -v debootstrap >/dev/null 2>&1 || fail "debootstrap is not on the PATH; on Debian: apt-get install debootstrap."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "Making $name from Debian $suite (about a minute) ..."
debootstrap --variant=minbase --include=python3,libgomp1,ca-certificates "$suite" "$folder/root" "$mirror" \
    >"$folder/log" 2>&1 || { tail -n 5 "$folder/log" >&2; fail "debootstrap failed; its last lines are above."; }
rm -rf "$folder"/root/var/cache/apt/archives/*.deb "$folder"/root/var/lib/apt/lists/* "$folder"/root/usr/share/doc/* \
    "$folder"/root/usr/share/man/* "$folder"/root/usr/share/locale/*
python=$(chroot "$folder/root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
tar -C "$folder/root" --numeric-owner -c . |
    docker import --change "LABEL mlops.base=$suite" --change "LABEL mlops.python=$python" - "$name" >/dev/null
echo "Made $name, with Python $python."
