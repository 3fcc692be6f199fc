#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Does every variant pass a short stress, and is every broken one caught?
#
# shellcheck source=selftests/load/tests.sh
. ./tests.sh

ours='basic percpu percpu_ex static in_place no_ipi'
peers='percpu_ref srcu rwsem'
broken='broken_no_bias broken_two_steps'
seconds=1
# A kernel that checks its locks does little in a second.
[ ! -e /proc/lockdep ] || seconds=2
if is_long; then
	seconds=30
fi

# run VARIANT OPTION...
run() {
	variant=$1
	shift
	./rundown-stress --variant "$variant" --seconds $seconds --quiet --ktap "$@"
}

add_totals() {
	total acquires "$(stats grants)"
	total rundowns "$(stats rundowns)"
}

caught() {
	total violations_caught "$(stats violations)"
	total first_violation_ms "$(stats first_violation_ms)"
	echo "# $variant: after $(stats first_violation_ms) ms, $(stats violations) in all"
}

# While it runs, CPUs go and come.
run_while_cpus_go() {
	cpus_go &
	go=$!
	status=0
	run "$@" || status=$?
	kill $go
	wait $go
	online 1 || return
	return $status
}

set -- $ours $peers $broken
begin $(($# + 5))
check "the modules load" sh -c 'insmod ./rundown.ko && insmod ./rundown_stress.ko'
for variant in $ours $peers; do
	check "$variant passes" run "$variant"
	add_totals
done

# With more than one ref, or waiter, the wake for one makes the others look, too, and hides that theirs
# was lost.
for variant in basic percpu; do
	check "$variant passes with one ref and one waiter" run "$variant" --refs 1 --waiters 1 --live-us 200
	add_totals
done

for variant in $broken; do
	status=0
	run "$variant" --expect-violations >/tmp/rundown-run 2>&1 || status=$?
	if [ $status != 0 ] && [ "$(nproc)" = 1 ] && [ "$(stats violations)" = 0 ]; then
		skip "$variant is caught" "not on one CPU"
	else
		[ $status = 0 ] || sed 's/^/# /' /tmp/rundown-run
		check "$variant is caught" [ $status = 0 ]
		caught
	fi
done
rm -f /tmp/rundown-run

if [ -z "$(hotpluggable)" ]; then
	skip "broken_no_offline is caught while CPUs go and come" "no CPU that could go"
else
	seconds=20
	fair_servers_off
	check "broken_no_offline is caught while CPUs go and come" \
		run_while_cpus_go broken_no_offline --expect-violations
	caught
fi
check "the modules unload" rmmod rundown_stress rundown
ktap_finished
