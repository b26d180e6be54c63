# Sourced by every script here. Where things are, and the few helpers they share.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export CLOUD=${CLOUD:-${TMPDIR:-/tmp}/openstack-lab}   # where it keeps its state
export ETC=$CLOUD/etc DATA=$CLOUD/data LOG=$CLOUD/log RUN=$CLOUD/run LIB=$CLOUD/lib
# Debian's python3 only (a pyenv shim ahead of it breaks everything). Node may be elsewhere.
export CALLERS_PATH=${CALLERS_PATH:-$PATH}
export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH=$LIB LC_ALL=C.UTF-8
export PYTHONWARNINGS=ignore PYTHONDONTWRITEBYTECODE=1
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
export PASS=lab                               # one password for everyone
export ROUTER_PORT=8085 ADMIN_PORT=9085       # horizon-realtime: for browsers, for operators
mkdir -p "$ETC" "$DATA" "$LOG" "$RUN" "$LIB"

rabbit_env() {   # our own node, own epmd, loopback only
    export HOME=$DATA/rabbit RABBITMQ_NODENAME=cloud@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 \
        RABBITMQ_NODE_PORT=5672 RABBITMQ_DIST_PORT=25672 ERL_EPMD_PORT=4369 ERL_EPMD_ADDRESS=127.0.0.1 \
        RABBITMQ_MNESIA_BASE=$DATA/rabbit/mnesia RABBITMQ_LOG_BASE=$LOG/rabbit \
        RABBITMQ_ENABLED_PLUGINS_FILE=$DATA/rabbit/enabled_plugins RABBITMQ_PID_FILE=$DATA/rabbit/pid \
        RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE=$ETC/rabbitmq \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
    mkdir -p "$HOME" "$LOG/rabbit"
}
ctl() { ( rabbit_env; /usr/lib/rabbitmq/bin/rabbitmqctl -q "$@" ); }   # rabbitmqctl on our node
sql() { mariadb -S "$RUN/mysql.sock" -u root "$@"; }
born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }   # start time: a pid alone may be someone else's
pid() { local p b; [ -e "$RUN/$1.pid" ] && read -r p b <"$RUN/$1.pid" && [ "$(born "$p")" = "$b" ] && echo "$p"; }
alive() { pid "$1" >/dev/null; }
start() {   # start NAME COMMAND...   (a foreground process; session leader; pid file)
    local n=$1; shift
    alive "$n" && return 0
    setsid "$@" >>"$LOG/$n.log" 2>&1 </dev/null &
    echo "$! $(born $!)" >"$RUN/$n.pid"
}
stop() {   # stop NAME...   (all are told first, then waited for; the stubborn one's process group is killed)
    local n p i
    for n; do p=$(pid "$n") && kill -TERM "$p"; done
    for n; do
        for ((i = 0; i < 60; i++)); do alive "$n" || break; sleep 0.5; done
        p=$(pid "$n") && { echo "$n did not stop: killing its process group"; kill -KILL -- "-$p"; }
        rm -f "$RUN/$n.pid"
    done
    return 0
}
wait_for() {   # wait_for SECONDS WHAT COMMAND...
    local t=$1 w=$2 i; shift 2
    for ((i = 0; i < t * 2; i++)); do "$@" >/dev/null 2>&1 && return 0; sleep 0.5; done
    echo "timed out waiting for $w" >&2; return 1
}
listening() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
as() {   # as USER PROJECT: point the openstack client at our keystone
    export OS_AUTH_URL=http://127.0.0.1:5000/v3 OS_IDENTITY_API_VERSION=3 OS_USERNAME=$1 OS_PROJECT_NAME=$2 \
        OS_PASSWORD=$PASS OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default OS_REGION_NAME=lab
}
