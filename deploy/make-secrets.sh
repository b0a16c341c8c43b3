#!/bin/sh
# Makes the secrets of the compose file, once: each program gets a folder with what it may know, and nothing else.
# Files that exist stay as they are, so this may run at every start.
#
#   make-secrets.sh VESTIBULE_FOLDER POSTGRES_FOLDER [VESTIBULE_OWNER] [POSTGRES_OWNER] [BACKUPS_FOLDER]
#
# The folder of backups becomes VESTIBULE_OWNER's, too.
set -eu
umask 077
vestibule=$1
postgres=$2

random_hex() {
    head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

# Under its name only when it is whole: a crash in between must not leave an empty secret.
write_once() {
    [ ! -s "$1" ] || return 0
    cat > "$1.draft"
    mv "$1.draft" "$1"
    echo "made $1"
}

mkdir -p "$vestibule" "$postgres"
random_hex | write_once "$vestibule/secret_key"
random_hex | write_once "$vestibule/metrics_token"
random_hex | write_once "$postgres/password"
# Through its socket: PostgreSQL listens on no network.
echo "postgres://vestibule:$(cat "$postgres/password")@%2Fvar%2Frun%2Fpostgresql/vestibule" |
    write_once "$vestibule/database_url"

chmod 0700 "$vestibule" "$postgres"
chmod 0400 "$vestibule"/* "$postgres"/*
[ -z "${3:-}" ] || chown -R "$3" "$vestibule"
[ -z "${4:-}" ] || chown -R "$4" "$postgres"
[ -z "${5:-}" ] || chown "$3" "$5"
