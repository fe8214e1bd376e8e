# A node of MariaDB. $1 is the node of a Galera cluster that starts before this one, `first` for the
# first of them, or nothing where there is no such cluster.
set -e
PATH=$PATH:/usr/sbin
# As root it would have to be told so everywhere, and rsync would become somebody else. In a user
# namespace of its own it is not root to itself, and to the files here who it was. The scripts by which a
# node gets the data of others look for processes by their numbers in the namespace of these.
if [ "$(id -u)" = 0 ]; then
    exec unshare --mount --propagation slave sh -c 'mount -t proc proc /proc &&
        exec unshare --user --map-user=65534 --map-group=65534 bash start.sh "$@"' sh "$@"
fi

server() { mariadbd --defaults-file="$PWD/my.cnf" "$@"; }

if [ ! -e started ]; then
    mkdir -p data
    case ${1:-first} in
    first)
        mariadb-install-db --defaults-file="$PWD/my.cnf" --auth-root-authentication-method=normal \
            --skip-test-db --skip-name-resolve --extra-file="$PWD/setup.sql" --wsrep-on=OFF
        # Not all of it was brought to the disk, which it has to be before the power is lost.
        find data -exec sync {} +
        [ -z "$1" ] || set -- --wsrep-new-cluster
        ;;
    *)
        # One after another: a node that gives its data away has no time for a second one.
        until (exec 3<> "/dev/tcp/$1/3306") 2> /dev/null; do sleep 0.1; done
        set --
        ;;
    esac
    # A password is in it.
    rm -f setup.sql
    touch started
elif [ -n "$1" ]; then
    # As Debian's service does: how far the node has come is in its tables, and after a crash only there.
    rm -f recovered.txt
    server --wsrep-recover --log-error="$PWD/recovered.txt" || { cat recovered.txt; exit 1; }
    position=$(sed -n 's/.*Recovered position: *//p' recovered.txt)
    set -- ${position:+--wsrep-start-position="$position"}
fi
# rsync, which a node that joins waits for, takes a socket there for its only connection.
exec mariadbd --defaults-file="$PWD/my.cnf" "$@" < /dev/null
