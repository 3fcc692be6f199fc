# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC3043
#
# What the tests in shell share; to be sourced. They run in the directory of the collection, where
# the modules lie, under busybox or any other sh that has `local', as the kernel's helpers want.

# shellcheck source=/dev/null
. ../kselftest/ktap_helpers.sh

stress=/sys/kernel/debug/rundown_stress

# Whatever state a test, perhaps one that was killed, has left behind.
unload_all() {
	local module kind tries=0

	if [ -d $stress ]; then
		echo stop >$stress/run
		for kind in basic percpu; do
			while echo "release $kind" >$stress/manual; do :; done
		done
	fi 2>/dev/null
	for module in rundown_fault rundown_bench rundown_stress rundown_wdm rundown_hotplug \
		rundown_second_user rundown_user $(cd /sys/module && ls -d rundown_cookbook_* 2>/dev/null) \
		rundown; do
		# Who waited may have to end yet, and close its file.
		until [ ! -d /sys/module/$module ] || rmmod $module 2>/dev/null; do
			tries=$((tries + 1))
			[ $tries -lt 50 ] || fail "$module does not unload" || return
			sleep 0.1
		done
	done
}

# begin PLAN: how every test begins: as root, with none of our modules loaded, then and at its end.
begin() {
	ktap_print_header
	if [ "$(id -u)" != 0 ]; then
		ktap_skip_all "not root"
		exit "$KSFT_SKIP"
	fi
	trap 'unload_all; online 1; fair_servers_back' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	unload_all
	ktap_set_plan "$1"
}

# check NAME COMMAND...: passes if the command succeeds; what it says is diagnostics.
check() {
	local name=$1 status=0

	shift
	"$@" >./state-check 2>&1 || status=$?
	if [ $status = 0 ]; then
		ktap_test_pass "$name"
	else
		sed 's/^/# /' ./state-check
		ktap_test_fail "$name"
	fi
	rm -f ./state-check
	return $status
}

# skip NAME WHY
skip() {
	echo "# $2"
	ktap_test_skip "$1"
}

fail() {
	echo "$*"
	return 1
}

# total KEY N
total() {
	echo "# total $1 $2"
}

# stats KEY: a number, or word, from the stress module's statistics.
stats() {
	sed -n "s/^$1 //p" $stress/stats
}

# The CPUs that are online, when the first test begins or now.
online_cpus=${RUNDOWN_CPUS:-$(grep -lx 1 /sys/devices/system/cpu/cpu[1-9]*/online 2>/dev/null)}

# Those of them that can go offline: all but the first CPU, which on some machines could, too.
hotpluggable() {
	local file

	for file in $online_cpus; do
		[ ! -w "$file" ] || echo "$file"
	done
}

# The deadline servers of 6.12 warn now and then when a CPU goes (dl_server_stop() of one that has
# stopped: running_bw > old), with or without us: they are off meanwhile.
fair_servers_off() {
	local file

	for file in /sys/kernel/debug/sched/fair_server/cpu*/runtime; do
		[ ! -w "$file" ] || echo "$file $(cat "$file")"
	done >./state-fair-servers
	while read -r file _; do
		set_fair_server 0 "$file"
	done <./state-fair-servers
}

# On that CPU: its server runs as long as a task does, and the same warning comes if it does not.
set_fair_server() { # RUNTIME FILE
	local cpu=${2%/*}

	taskset -c "${cpu##*/cpu}" sh -c 'echo "$1" >"$2"' set "$1" "$2"
}

fair_servers_back() {
	local file runtime

	[ -e ./state-fair-servers ] || return 0
	while read -r file runtime; do
		set_fair_server "$runtime" "$file"
	done <./state-fair-servers
	rm ./state-fair-servers
}

# online 0|1: all of them, or all that can go. Fails, and says so, if one stays what it is.
online() {
	local file tries

	for file in $(hotpluggable); do
		tries=0
		until [ "$(cat "$file")" = "$1" ] || echo "$1" 2>/dev/null >"$file"; do
			tries=$((tries + 1))
			[ $tries -lt 10 ] || fail "$file does not become $1" || return
			sleep 0.1
		done
	done
}

# CPUs go and come, one after the other, until the caller is killed.
cpus_go() {
	local file

	while :; do
		for file in $(hotpluggable); do
			echo 0 >"$file"
			sleep 0.02
			echo 1 >"$file"
		done
	done 2>/dev/null
}

is_long() {
	[ "${PROFILE:-}" = long ]
}
