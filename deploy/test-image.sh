#!/bin/sh
# Runs the program of an image that deploy/build-image.sh built, under the image's own settings and harder than most
# hosts do: its user, no capabilities, a read-only root, an empty network. Asserts that it serves as uid 65532 and that
# the image's health check answers 0 then and only then; prints the size. Needs root and buildah; no daemon.
#
#   deploy/test-image.sh [IMAGE]
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
image=${1:-vestibule:$version}
store=${IMAGE_STORE:-/var/tmp/vestibule-images}
work=$(mktemp -d)
container=

run_buildah() {
    buildah --storage-driver vfs --root "$store/storage" --runroot "$store/run" "$@"
}

clean_up() {
    [ -z "$container" ] || run_buildah rm "$container" > /dev/null
    rm -rf "$work"
}
trap clean_up EXIT

fail() {
    echo "test-image: $1" >&2
    [ ! -s "$work/log" ] || sed 's/^/  /' "$work/log" >&2
    exit 1
}

container=$(run_buildah from --pull-never "$image")
root=$(run_buildah mount "$container")
config() {
    run_buildah inspect --type image --format "$1" "$image"
}

# What the image says about itself.
user=$(config '{{.Docker.Config.User}}')
[ "$user" = 65532:65532 ] || fail "the user is '$user', not 65532:65532"
# shellcheck disable=SC2016 # a template of Go, not of the shell
config '{{range $path, $_ := .Docker.Config.Volumes}}{{$path}} {{end}}' | grep -qw /data || fail "/data is not a volume"
start=$(config '{{range .Docker.Config.Entrypoint}}{{.}} {{end}}{{range .Docker.Config.Cmd}}{{.}} {{end}}')
[ "$start" = '/usr/local/bin/vestibule serve ' ] || fail "it would start '$start'"
health=$(config '{{range .Docker.Config.Healthcheck.Test}}{{.}} {{end}}')
[ "$health" = 'CMD /usr/local/bin/vestibule healthcheck ' ] || fail "the health check is '$health'"
[ "$(stat -c '%u:%g %a' "$root/data")" = '65532:65532 700' ] || fail "/data is not its user's alone"
config '{{range .Docker.Config.Env}}{{println .}}{{end}}' | sed '/^$/d' > "$work/env"
# The least a server needs beside that: where its pages are, and what to do with mail.
cat >> "$work/env" << 'END'
VESTIBULE_PUBLIC_URL=https://accounts.example.com
VESTIBULE_MAIL_URL=file:/data/mail
VESTIBULE_MAIL_FROM=accounts@example.com
END

# A mount, network and process namespace of its own; the first process starts the program and asks it for its health.
cp -a "$root/data" "$work/data"
cat > "$work/inside" << 'END'
set -eu
mkdir -p "$root/dev"
mount --bind "$root" "$root"
mount --bind "$work/data" "$root/data"
mount -o remount,bind,ro "$root"
# Every container runtime provides these.
mount -t tmpfs -o mode=0755,size=64k tmpfs "$root/dev"
for device in null zero random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
ip link set lo up
# The change of user takes all capabilities away.
program() {
    exec env -i $(cat "$work/env") setpriv --no-new-privs --inh-caps=-all \
        chroot --userspec="$user" --groups= "$root" /usr/local/bin/vestibule "$1"
}
health() { (program healthcheck) > "$work/health" 2>&1; }

if health; then echo "healthy without a server" > "$work/verdict"; exit 1; fi
(program serve) > "$work/log" 2>&1 &
server=$!
tries=0
until health; do
    tries=$((tries + 1))
    if [ "$tries" = 100 ] || ! kill -0 "$server" 2> /dev/null; then
        cat "$work/health" >> "$work/log"
        echo "it did not become healthy" > "$work/verdict"; exit 1
    fi
    sleep 0.1
done
grep -E '^(Uid|Gid|Groups|CapEff|CapPrm|NoNewPrivs|VmRSS):' "/proc/$server/status" | tr -s '\t ' ' ' > "$work/status"
kill "$server"
wait "$server" && code=0 || code=$?
[ "$code" = 0 ] || { echo "it ended with $code after SIGTERM" > "$work/verdict"; exit 1; }
END
export root work user
unshare --mount --net --pid --fork --kill-child --mount-proc sh "$work/inside" || fail "$(cat "$work/verdict" 2> /dev/null || echo "it could not be run")"

grep -q '^Uid: 65532 65532 65532 65532$' "$work/status" || fail "it ran with $(grep Uid: "$work/status")"
grep -q '^Gid: 65532 65532 65532 65532$' "$work/status" || fail "it ran with $(grep Gid: "$work/status")"
grep -q '^CapEff: 0000000000000000$' "$work/status" || fail "it had capabilities: $(grep CapEff: "$work/status")"

echo "ok: $image served on a read-only root, its health check answered 0"
sed 's/^/    /' "$work/status"
echo "size: $(du -sk "$root" | cut -f 1) KiB, of which the program $(($(stat -c %s "$root/usr/local/bin/vestibule") / 1024)) KiB"
