#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Does nobody notice when all CPUs but one go away, and come back, over and over?
#
# HOTPLUG_CYCLES: how often, spread over the variants. In one cycle each CPU that can goes offline,
# and then each comes back.
#
# shellcheck disable=SC3043
#
# shellcheck source=selftests/load/tests.sh
. ./tests.sh

variants='basic percpu percpu_ex static in_place no_ipi'
cycles=${HOTPLUG_CYCLES:-}
if [ -z "$cycles" ]; then
	cycles=6
	! is_long || cycles=200
fi

begin_run() {
	echo "start $* msecs=86400000" >$stress/run
}

end_run() {
	echo stop >$stress/run
	[ "$(stats verdict)" = passed ] || {
		cat $stress/stats
		return 1
	}
}

# storm VARIANT CYCLES
storm() {
	local done=0

	begin_run "variant=$1" || return
	while [ $done -lt "$2" ]; do
		online 0 && online 1 || return
		done=$((done + 1))
		echo $done >./state-cycles
	done
	end_run
}

# within COMMAND...: is it so in 5 seconds?
within() {
	local tries=0

	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 50 ] || return
		sleep 0.1
	done
}

held_with_waiter() { # KIND N
	grep -q "^$1 down held 1 waiting $2\$" $stress/manual
}

# As before suspend: while a wait is blocked only one CPU is left, and there the last holder releases.
wait_on_last_cpu() { # KIND
	local waiter

	echo "acquire $1" >$stress/manual || return
	echo "wait $1" >$stress/manual &
	waiter=$!
	within held_with_waiter "$1" 1 || fail "the wait does not block" || return
	online 0 || return
	held_with_waiter "$1" 1 || fail "the wait ended with the CPUs" || return
	echo "release $1" >$stress/manual
	wait $waiter || fail "the wait failed" || return
	online 1 || return
	echo "reinitialize $1" >$stress/manual
}

# The same with the holder let go of after the CPUs are back.
wait_over_all() { # KIND
	local waiter

	echo "acquire $1" >$stress/manual || return
	online 0 || return
	echo "wait $1" >$stress/manual &
	waiter=$!
	within held_with_waiter "$1" 1 || fail "the wait does not block" || return
	online 1 || return
	held_with_waiter "$1" 1 || fail "the wait ended with the CPUs" || return
	echo "release $1" >$stress/manual
	wait $waiter || fail "the wait failed" || return
	echo "reinitialize $1" >$stress/manual
}

# A run that begins on one CPU and ends on all.
grow() { # VARIANT
	online 0 && begin_run "variant=$1" && sleep 0.3 && online 1 && sleep 0.3 && end_run
}

set -- $variants
nr=$#
if [ -z "$(hotpluggable)" ]; then
	ktap_print_header
	ktap_skip_all "no CPU that could go offline"
	exit "$KSFT_SKIP"
fi
begin $((nr + 8))
fair_servers_off
check "the modules load" sh -c 'insmod ./rundown.ko && insmod ./rundown_stress.ko'
i=0
for variant in $variants; do
	# What does not come out even is the first ones'.
	share=$(((cycles + nr - 1 - i) / nr))
	i=$((i + 1))
	echo 0 >./state-cycles
	check "$variant: $share times all CPUs but one go, under stress" storm "$variant" $share
	total hotplug_cycles "$(cat ./state-cycles)"
	total acquires "$(stats grants)"
	total rundowns "$(stats rundowns)"
	online 1
done
rm -f ./state-cycles
for kind in basic percpu; do
	check "$kind: a wait ends on the last CPU that is left" wait_on_last_cpu $kind
	check "$kind: a wait lasts while all others come back" wait_over_all $kind
	online 1
done
check "a run that begins on one CPU ends on all" grow percpu
online 1
check "then, a run passes" sh -c "./rundown-stress --variant percpu --seconds 2 --quiet"
check "the modules unload" rmmod rundown_stress rundown
ktap_finished
