#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Does every variant pass a short stress, and is every broken one caught?
#
# shellcheck source=selftests/load/tests.sh
. ./tests.sh

ours='basic percpu percpu_ex static in_place no_ipi tracked tracked_basic'
peers='percpu_ref srcu rwsem'
broken='broken_no_bias broken_two_steps'
alone='basic percpu'
# So many CPUs, emulated by a few, take long over each.
if [ "$(nproc)" -gt 16 ]; then
	ours='basic percpu'
	peers=
	alone=
	broken=broken_no_bias
fi
seconds=1
# A kernel that checks its locks, or looks for races, does little in a second.
if [ -e /proc/lockdep ] || [ -e /sys/kernel/debug/kcsan ]; then
	seconds=2
fi
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

# So often was a CPU interrupted to call a function.
calls() {
	awk '/Function call interrupts/ { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i }
		END { print n + 0 }' /proc/interrupts
}

# A hundred times how many interrupts come with a run-down of VARIANT, its own and others.
calls_a_rundown() {
	before=$(calls)
	run "$1" >/dev/null || return
	echo $((100 * ($(calls) - before) / $(stats rundowns)))
}

# A run-down of a ref with per-CPU slots interrupts the other CPUs, but those that idle awake. Where
# none does, plain slots have become LOCKed ones, which look the same otherwise.
# What others interrupt for varies: three tries.
interrupts_cpus() {
	for _ in 1 2 3; do
		own=$(calls_a_rundown percpu) && others=$(calls_a_rundown basic) || return
		echo "interrupts in 100 run-downs: $own, of basic refs $others"
		[ $((own - others)) -lt $((50 * ($(nproc) - 1))) ] || return 0
	done
	return 1
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
extra=4
! is_long || extra=5
begin $(($# + extra + $(echo $alone | wc -w)))
[ "$(nproc)" -gt 8 ] || fair_servers_off
check "the modules load" sh -c 'insmod ./rundown.ko && insmod ./rundown_stress.ko'
for variant in $ours $peers; do
	check "$variant passes" run "$variant" && add_totals
done

# With more than one ref, or waiter, the wake for one makes the others look, too, and hides that theirs
# was lost.
for variant in $alone; do
	check "$variant passes with one ref and one waiter" run "$variant" --refs 1 --waiters 1 \
		--live-us 200 && add_totals
done

if [ "$(nproc)" = 1 ]; then
	skip "percpu interrupts CPUs" "not on one CPU"
elif [ "$(nproc)" -gt 16 ]; then
	skip "percpu interrupts CPUs" "more than 16 CPUs: tours at once share interrupts"
else
	check "percpu interrupts CPUs" interrupts_cpus
fi

# As many acquires as can be had, in the long profile: objects live longer for it.
if is_long; then
	seconds=600
	check "percpu passes a soak" run percpu --live-us 100000 && add_totals
fi

# As long as a broken variant may; it ends when it is caught.
seconds=60
[ "$(nproc)" != 1 ] || seconds=2
for variant in $broken; do
	status=0
	run "$variant" --expect-violations >./state-run 2>&1 || status=$?
	if [ $status != 0 ] && [ "$(nproc)" = 1 ] && [ "$(stats violations)" = 0 ]; then
		skip "$variant is caught" "not on one CPU"
	else
		[ $status = 0 ] || sed 's/^/# /' ./state-run
		check "$variant is caught" [ $status = 0 ] && caught
	fi
done
rm -f ./state-run

if [ "$(nproc)" -gt 8 ]; then
	skip "broken_no_offline is caught while CPUs go and come" "more than 8 CPUs"
elif [ -z "$(hotpluggable)" ]; then
	skip "broken_no_offline is caught while CPUs go and come" "no CPU that could go"
else
	check "broken_no_offline is caught while CPUs go and come" \
		run_while_cpus_go broken_no_offline --threads 16 --expect-violations && caught
fi
check "the modules unload" rmmod rundown_stress rundown
ktap_finished
