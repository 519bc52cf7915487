# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the live tests share. Sourcing it makes a scratch directory $WORK and sees to it that, however
# the test ends, everything started here is ended and nothing else.
#
#   network_up NAME...    a network namespace with loopback only, in which the names resolve to $ADDRESS
#   in_net CMD...         runs CMD there
#   start_service ARG...  the stand-in LLM service on port 443 of $ADDRESS
#   start_sensor ARG...   the sensor, on the whole host, writing $WORK/events.json
#   stop_sensor           SIGTERM; fails unless it ends with 0
#   point NAME CMD...     a TAP point: ok when CMD succeeds, its output as the diagnosis
#   expect NAME WHERE... -- HAVE...   an expectation (tests/harness/events) for verify_events
set -euo pipefail

HARNESS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HARNESS/../.." && pwd)
GNOMON=${GNOMON:-$TOP/.output/gnomon}
# Seconds: what the slowest of the machines needs, a VM without KVM.
READY_SECONDS=${READY_SECONDS:-60}
STOP_SECONDS=30

WORK=$(mktemp -d "${TMPDIR:-/tmp}/gnomon-test.XXXXXX")
chmod 711 "$WORK"
EVENTS=$WORK/events.json
SEEN=$WORK/seen.json
FAILED=0
NETNS=
SENSOR=
STARTED=()

cleanup() {
	local status=$? pid
	trap - EXIT
	for pid in ${STARTED[@]+"${STARTED[@]}"} $SENSOR; do
		kill "$pid" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	if [ -n "$NETNS" ]; then
		# what a client left behind, as agents do
		ip netns pids "$NETNS" 2>/dev/null | xargs -r kill 2>/dev/null || true
		ip netns delete "$NETNS" 2>/dev/null || true
		rm -rf "/etc/netns/$NETNS"
	fi
	[ -n "${KEEP_WORK:-}" ] || rm -rf "$WORK"
	[ "$FAILED" = 0 ] || [ "$status" != 0 ] || status=1
	exit "$status"
}
trap cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

comment() {
	sed 's/^/# /'
}

point() {
	local name=$1
	shift
	if "$@" >"$WORK/point" 2>&1; then
		echo "ok $name"
	else
		FAILED=1
		echo "not ok $name"
		comment <"$WORK/point"
	fi
}

skip_point() {
	echo "ok $1 # SKIP $2"
}

give_up() {
	echo "not ok $*"
	if [ -s "$WORK/sensor.err" ]; then
		comment <"$WORK/sensor.err"
	fi
	exit 1
}

# wait_until SECONDS CMD...: polls; fails when CMD has not succeeded by then. SECONDS counts whole ones, so that
# without one more the last could be any part of one.
wait_until() {
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

network_up() {
	local name
	NETNS=gnomon-$$
	# All of 127/8 is loopback: an address of its own tells a test's events from everybody else's.
	ADDRESS=127.$((RANDOM % 200 + 20)).$((RANDOM % 250 + 2)).$((RANDOM % 250 + 2))
	mkdir -p "/etc/netns/$NETNS"
	echo "127.0.0.1 localhost" >"/etc/netns/$NETNS/hosts"
	for name in "$@"; do
		echo "$ADDRESS $name" >>"/etc/netns/$NETNS/hosts"
	done
	ip netns add "$NETNS"
	ip -n "$NETNS" link set lo up
	"$HARNESS/pki" "$WORK/pki" "$@"
	chmod 711 "$WORK/pki"
	# What curl and Python's ssl module trust; a proxy set for this shell is out of reach in there.
	export SSL_CERT_FILE=$WORK/pki/ca.pem CURL_CA_BUNDLE=$WORK/pki/ca.pem
	unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
}

in_net() {
	ip netns exec "$NETNS" "$@"
}

# start_in_net OUT CMD...: in the background; $! is CMD's own pid.
start_in_net() {
	local out=$1
	shift
	ip netns exec "$NETNS" "$@" >"$out" 2>&1 &
}

service_is_ready() {
	grep -qs ready "$WORK/service.out"
}

start_service() {
	start_in_net "$WORK/service.out" "$HARNESS/llm_service" --cert "$WORK/pki/server.pem" \
		--address "$ADDRESS" --log "$WORK/service.log" "$@"
	STARTED+=($!)
	wait_until "$READY_SECONDS" service_is_ready || {
		comment <"$WORK/service.out"
		give_up "the stand-in service starts"
	}
}

sensor_is_ready_or_gone() {
	[ -e "$WORK/ready" ] || ! kill -0 "$SENSOR" 2>/dev/null
}

start_sensor() {
	"$HARNESS/events" follow "$EVENTS" "$SEEN" "$WORK/notify" "$WORK/ready" &
	STARTED+=($!)
	wait_until "$READY_SECONDS" test -S "$WORK/notify" || give_up "the event follower starts"
	NOTIFY_SOCKET=$WORK/notify "$GNOMON" run --output "file:$EVENTS" "$@" \
		>"$WORK/sensor.out" 2>"$WORK/sensor.err" &
	SENSOR=$!
	wait_until "$READY_SECONDS" sensor_is_ready_or_gone || give_up "the sensor becomes ready"
	[ -e "$WORK/ready" ] || give_up "the sensor starts"
}

sensor_is_gone() {
	! kill -0 "$SENSOR" 2>/dev/null
}

stop_sensor() {
	local status=0
	kill -TERM "$SENSOR"
	wait_until "$STOP_SECONDS" sensor_is_gone || {
		echo "no end within $STOP_SECONDS s of SIGTERM"
		return 1
	}
	wait "$SENSOR" || status=$?
	SENSOR=
	# The follower reads the last lines within one of its rounds.
	wait_until "$READY_SECONDS" caught_up
	[ "$status" = 0 ] || {
		echo "exit status $status"
		cat "$WORK/sensor.err"
		return 1
	}
}

caught_up() {
	[ "$(wc -l <"$EVENTS")" = "$(wc -l <"$SEEN")" ]
}

wait_event() {
	"$HARNESS/events" wait "$SEEN" "$@"
}

expect() {
	printf '%q ' "$@" >>"$WORK/expectations"
	echo >>"$WORK/expectations"
}

verify_events() {
	"$HARNESS/events" verify "$SEEN" "$WORK/expectations" || FAILED=1
}

# same NAME WANTED GOT
same() {
	point "$1" is_same "$2" "$3"
}

is_same() {
	[ "$1" = "$2" ] || {
		echo "wanted: $1"
		echo "got:    $2"
		return 1
	}
}

# curl_call HOST PATH MODE MODEL INPUT OUTPUT: one call by curl. Sets CURL_PID and CURL_ENDED.
curl_call() {
	local host=$1 path=$2 mode=$3 model=$4 given=$5 made=$6 extra=
	if [ "$mode" = stream ]; then
		extra=',"stream":true'
		case $path in
		*/chat/completions) extra+=',"stream_options":{"include_usage":true}' ;;
		esac
	fi
	start_in_net "$WORK/curl.out" curl --silent --show-error --http1.1 --max-time 30 \
		-H "Content-Type: application/json" -H "Authorization: Bearer sk-test-0000" \
		-H "x-fake-input: $given" -H "x-fake-output: $made" \
		-d "{\"model\":\"$model\",\"max_tokens\":64,\"messages\":[{\"role\":\"user\",\"content\":\"What casts the shadow?\"}]$extra}" \
		"https://$host$path"
	CURL_PID=$!
	wait "$CURL_PID" || {
		comment <"$WORK/curl.out"
		give_up "curl calls $host"
	}
	# shellcheck disable=SC2034 # for the tests
	CURL_ENDED=$EPOCHREALTIME
}
