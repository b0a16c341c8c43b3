#!/bin/sh
# Builds the image with buildah, from the Dockerfile as it is. Needs root, buildah and, for the local base, debootstrap;
# no daemon.
#
#   deploy/build-image.sh [IMAGE]                        IMAGE is vestibule:<version> unless given
#   BUILD_BASE=rust:1.95-bookworm deploy/build-image.sh  the public base instead of a local one
#
# Without BUILD_BASE the base of the build is made here, so that no image registry is needed: a minimal Debian by
# debootstrap with gcc, and the Rust toolchain that this working copy uses. It is kept for the next build.
#
#   IMAGE_STORE   where buildah keeps images; a folder of one's own unless given
#   CONTEXT       the folder to build; the repository unless given
set -eu
cd "$(dirname "$0")/.."
repository=$PWD
context=${CONTEXT:-$repository}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
image=${1:-vestibule:$version}
store=${IMAGE_STORE:-/var/tmp/vestibule-images}
debian=bookworm

# vfs and chroot need no support from the kernel: they also work inside a container or a small virtual machine.
run_buildah() {
    command=$1
    shift
    buildah --storage-driver vfs --root "$store/storage" --runroot "$store/run" "$command" "$@"
}

missing() {
    echo "build-image: $1 is missing; on Debian: apt-get install $2" >&2
    exit 1
}

# Names the local base by what it is made of, so that a newer toolchain makes a newer base.
local_base() {
    echo "localhost/vestibule-build-base:$debian-rust-$(rustc --version | cut -d ' ' -f 2)"
}

make_local_base() {
    command -v debootstrap > /dev/null || missing debootstrap debootstrap
    folder=$(mktemp -d "$store/base.XXXXXX")
    trap 'rm -rf "$folder"' EXIT
    debootstrap --variant=minbase --include=ca-certificates,gcc,g++,libc6-dev,make "$debian" "$folder" > "$store/debootstrap.log"
    rm -rf "${folder:?}"/var/cache/apt/archives/*.deb "${folder:?}"/var/lib/apt/lists/* "${folder:?}"/dev/*
    copy_toolchain "$folder/usr/local/rust"
    container=$(run_buildah from scratch)
    run_buildah copy --quiet "$container" "$folder/" / > /dev/null
    run_buildah config \
        --env PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        --env CARGO_HOME=/usr/local/cargo "$container"
    # A network with its own certificate authority: cargo needs it, the finished image does not get it.
    if [ -n "${SSL_CERT_FILE:-}" ]; then
        run_buildah copy --quiet "$container" "$SSL_CERT_FILE" /usr/local/rust/network-ca.pem > /dev/null
        run_buildah config --env CARGO_HTTP_CAINFO=/usr/local/rust/network-ca.pem "$container"
    fi
    run_buildah commit --quiet --rm "$container" "$1" > /dev/null
    rm -rf "$folder"
    trap - EXIT
}

# Only what a build needs: the compiler, cargo and the standard library, about a third of the toolchain.
copy_toolchain() {
    toolchain=$(rustc --print sysroot)
    mkdir -p "$1/bin" "$1/lib/rustlib"
    cp "$toolchain/bin/cargo" "$toolchain/bin/rustc" "$1/bin/"
    cp "$toolchain"/lib/*.so* "$1/lib/"
    for target in "$toolchain"/lib/rustlib/*-linux-*; do
        cp -R "$target" "$1/lib/rustlib/"
    done
}

command -v buildah > /dev/null || missing buildah buildah
[ "$(id -u)" = 0 ] || { echo "build-image: run it as root" >&2; exit 1; }
mkdir -p "$store"

base=${BUILD_BASE:-}
if [ -z "$base" ]; then
    base=$(local_base)
    run_buildah inspect --type image "$base" > /dev/null 2>&1 || make_local_base "$base"
fi

# `docker` format: the OCI format has no place for HEALTHCHECK.
run_buildah build --isolation chroot --format docker --pull=false \
    --build-arg "BUILD_BASE=$base" ${RUN_BASE:+--build-arg "RUN_BASE=$RUN_BASE"} \
    --build-arg "VERSION=$version" --build-arg "REVISION=$(git rev-parse --verify --quiet HEAD 2> /dev/null || echo unknown)" \
    --tag "$image" --file "$repository/Dockerfile" "$context"
echo "built $image in $store"
