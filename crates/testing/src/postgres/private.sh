# Runs the server in $2 with the programs in $1 until standard input ends: it is a pipe, so that happens when the test
# lets go of the server and also when the test's process dies.
"$1/postgres" -D "$2/data" </dev/null &
read -r _
kill -QUIT $! 2>/dev/null
wait
