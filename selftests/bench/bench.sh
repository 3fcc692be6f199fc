#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Can every subject of the benchmark be measured, and is nonsense refused?
#
# shellcheck source=selftests/load/tests.sh
. ./tests.sh

bench=/sys/kernel/debug/rundown_bench

# refused LINE...: each with EINVAL, and what was measured last is still there.
refused() {
	before=$(cat $bench/result)
	for line; do
		# Not the shell's own, which may not say why.
		if said=$(/bin/echo "$line" 2>&1 >$bench/run) || ! printf '%s' "$said" | grep -q Invalid; then
			fail "'$line' ended with: ${said:-nothing}" || return
		fi
	done
	[ "$before" = "$(cat $bench/result)" ] || fail "the result is another"
}

all_measured() {
	./rundown-bench --json --rounds 1 --samples 2 --refs 2 --pairs 2000 >./state-json 2>./state-log ||
		{ tail -n 3 ./state-log; return 1; }
	for subject in $(cut -d ' ' -f 1 $bench/subjects); do
		grep -q "\"subject\":\"$subject\"" ./state-json || fail "nothing of $subject" || return
	done
}

begin 7
check "the modules load" sh -c 'insmod ./rundown.ko && insmod ./rundown_bench.ko'
check "every subject is measured" all_measured
check "a loop has a result" sh -c "echo pairs percpu 1000 1 shared >$bench/run && [ \$(wc -l <$bench/result) = 1 ]"
check "words that are none are refused" refused "" " " "run percpu 1 1 shared" "pairs" "pairs nobody 1 1 shared" \
	"pairs percpu 1 1 mine" "pairs percpu 1 1" "pairs percpu 1 1 shared more" "down rcu_sched 1 1 0" \
	"refused rcu 1 1 shared" "pairs rcu_expedited 1 1 shared" "down percpu x 1 0" "down percpu 1 1 -1" \
	"$(head -c 300 /dev/zero | tr '\0' p)"
check "numbers out of range are refused" refused "pairs percpu 0 1 shared" "pairs percpu 1000000001 1 shared" \
	"pairs percpu 1 0 shared" "pairs percpu 1 $(($(nproc) + 1)) shared" "down percpu 0 1 0" "down percpu 10001 1 0" \
	"down percpu 1 0 0" "down percpu 1 10001 0" "down percpu 1 1 $(($(nproc) + 1))" "down percpu 99999999999999999999 1 0"
check "rundown-bench refuses a subject that is none" sh -c '! ./rundown-bench --subject nobody 2>/dev/null'
check "the modules unload" rmmod rundown_bench rundown
rm -f ./state-json ./state-log
ktap_finished
