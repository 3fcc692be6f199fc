#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Do the tracepoints tell what happens, and only to who asks?
#
# In an instance of tracefs of its own: who traces this machine is not disturbed.
#
# shellcheck disable=SC3043
#
# shellcheck source=selftests/load/tests.sh
. ./tests.sh

all='rundown_wait_begin rundown_harvest rundown_wait_end rundown_refused rundown_misuse'

# Where it is mounted, if it is.
tracefs=$(sed -n 's/^[^ ]* \([^ ]*\) tracefs .*/\1/p' /proc/mounts | head -n 1)
instance=$tracefs/instances/rundown-trace-sh
events=$instance/events/rundown

# are STATE: all events, as their files say
are() {
	local event

	for event in $all; do
		[ "$(cat "$events/$event/enable")" = "$1" ] || fail "$event: $(cat "$events/$event/enable")" || return
	done
}

# seen EVENT: how often
seen() {
	grep -c " $1: ref=" "$instance/trace"
}

# shows EVENT REST: a line, whose rest is an extended regular expression
shows() {
	grep -qE " $1: ref=[^ ]+ $2\$" "$instance/trace" || {
		echo "no $1: ref=... $2 in:"
		grep -v '^#' "$instance/trace"
		return 1
	}
}

clear_trace() {
	echo >"$instance/trace"
}

turn() { # 0|1
	echo "$1" >"$events/enable"
}

# A life of the ref, by hand, with one who is refused and one who is waited for.
life() { # KIND
	local waiter tries=0

	echo "acquire $1" >$stress/manual || return
	echo "wait $1" >$stress/manual &
	waiter=$!
	until grep -q '^[^#]' /sys/kernel/debug/rundown/waiters; do
		tries=$((tries + 1))
		[ $tries -lt 50 ] || fail "the wait does not block" || return
		sleep 0.1
	done
	# A time that is one of nanoseconds.
	sleep 0.1
	! echo "acquire $1" 2>/dev/null >$stress/manual || fail "was not refused" || return
	echo "release $1" >$stress/manual || return
	wait $waiter || return
	echo "reinitialize $1" >$stress/manual
}

silent() {
	local event

	clear_trace
	life basic && life percpu && run basic || return
	for event in $all; do
		[ "$(seen "$event")" = 0 ] || fail "$event, $(seen "$event") times" || return
	done
}

run() { # VARIANT
	./rundown-stress --variant "$1" --seconds "$seconds" --quiet
}

# In which function of the stress module it was done.
in='caller=[a-z_]+\+0x[0-9a-f]+/0x[0-9a-f]+ \[rundown_stress\]'

lives() {
	clear_trace
	life basic || return
	shows rundown_wait_begin "$in" && shows rundown_harvest 'cpu=-1 held=1' && shows rundown_refused "$in" &&
		shows rundown_wait_end "$in ns=[1-9][0-9]{7,} run down" || return
	clear_trace
	# Most of those that are refused are, in line, and not traced.
	life percpu || return
	shows rundown_wait_begin "$in" && shows rundown_harvest 'cpu=[0-9]+ held=1' &&
		shows rundown_wait_end "$in ns=[1-9][0-9]{7,} run down" || return
	[ "$(seen rundown_wait_begin)" = 1 ] && [ "$(seen rundown_wait_end)" = 1 ] ||
		fail "begins $(seen rundown_wait_begin), ends $(seen rundown_wait_end)"
}

misuse() {
	clear_trace
	echo "expect-splat begin: rundown: " >/dev/kmsg
	echo "misuse basic" >$stress/manual
	echo "misuse percpu" >$stress/manual
	echo "expect-splat end" >/dev/kmsg
	[ "$(seen rundown_misuse)" = 2 ] || fail "$(seen rundown_misuse) of 2" || return
	shows rundown_misuse "$in acquires a count of 0 .*; refused"
}

# Everywhere at once. What is lost since it does not fit in is the oldest.
storm() {
	local event

	clear_trace
	run "$1" || return
	for event in rundown_wait_begin rundown_harvest rundown_wait_end; do
		[ "$(seen "$event")" -gt 0 ] || fail "no $event" || return
	done
}

stormed() {
	echo "# in the buffer: $(for event in $all; do printf '%s %s ' "$event" "$(seen "$event")"; done)"
	total acquires "$(stats grants)"
	total rundowns "$(stats rundowns)"
}

# A wait that was not seen to begin has no duration.
end_alone() {
	turn 0
	clear_trace
	echo 1 >"$events/rundown_wait_end/enable"
	life basic || return
	shows rundown_wait_end "$in ns=0 run down" && [ "$(seen rundown_wait_begin)" = 0 ]
}

off() {
	turn 0
	are 0 && silent
}

not_here() {
	ktap_print_header
	ktap_skip_all "$1"
	exit "$KSFT_SKIP"
}

[ -n "$tracefs" ] || not_here "no tracefs is mounted (CONFIG_EVENT_TRACING?)"
[ -d "$tracefs/events" ] || not_here "the kernel has no trace events (CONFIG_EVENT_TRACING)"
seconds=1
! is_long || seconds=10

begin 10
rmdir "$instance" 2>/dev/null
check "an instance of tracefs is made" mkdir "$instance"
trap 'unload_all; rmdir "$instance" 2>/dev/null' EXIT
check "the modules load" sh -c 'insmod ./rundown.ko && insmod ./rundown_stress.ko'
check "all events are there, and off" are 0
check "nothing is traced that nobody asked for" silent
turn 1
check "two lives, with who waited, how long and for what" lives
check "a misuse" misuse
for variant in basic percpu; do
	check "under stress, $variant" storm $variant && stormed
done
check "an end without its begin" end_alone
check "off again, nothing is traced" off
unload_all
rmdir "$instance"
ktap_finished
