# Owns one throw-away cluster: $1 is its directory, $2 where the PostgreSQL programs are.
#
# Commands come on standard input, one a line, and each gets a one-line answer. The other end of
# that pipe belongs to the test process alone, so its end of file means that the process is gone,
# however it died: the server is then killed and the directory removed.
dir=$1 bin=$2
shift 2
server=

# A test process that dies while it is being answered must not take this shell with it.
trap '' PIPE

halt() {
    if [ -n "$server" ]; then
        kill -s "$1" "$server" 2>/dev/null
        # One that is asked to end while it recovers from a crash may wait for ever for a process that has not heard of it.
        (sleep 30 && kill -s QUIT "$server") </dev/null >/dev/null 2>&1 &
        patience=$!
        wait "$server"
        kill "$patience" 2>/dev/null
        server=
    fi
}

# `jobs` makes the shell notice a server that has ended, so that its number is never trusted after.
alive() {
    jobs >/dev/null
    if [ -n "$server" ] && kill -s 0 "$server" 2>/dev/null; then
        return 0
    fi
    server=
    return 1
}

while read -r word port; do
    answer=ok
    case $word in
    init)
        "$bin/initdb" --no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C \
            --pgdata="$dir/data" </dev/null >>"$dir/log" 2>&1 || answer=failed
        ;;
    start)
        halt INT
        "$bin/postgres" -D "$dir/data" -p "$port" "$@" </dev/null >>"$dir/log" 2>&1 &
        server=$!
        ;;
    alive) alive || answer=no ;;
    fast) halt INT ;;
    immediate) halt QUIT ;;
    *) answer=unknown ;;
    esac
    echo "$answer"
done

halt QUIT
cd /
rm -rf "$dir"
