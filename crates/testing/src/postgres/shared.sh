# Runs the shared server in $2 with the programs in $1. Every $3 seconds it looks whether the server is still wanted:
# it is while the file `used` is younger than $4 minutes or a client is connected. Then it removes the folder.
"$1/postgres" -D "$2/data" </dev/null &
server=$!
others="SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
while sleep "$3" && kill -0 "$server" 2>/dev/null && [ -e "$2/used" ]; do
    [ -n "$(find "$2/used" -mmin "+$4")" ] || continue
    [ "$("$1/psql" -X -h "$2" -U vestibule -d postgres -Atc "$others")" != 0 ] || break
done
kill -QUIT "$server" 2>/dev/null
wait
rm -rf "$2"
