#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Do our modules take the parameters they should, and no others?
#
# shellcheck disable=SC3043
#
# A parameter that is not in this table fails the test: MODULE PARAMETER MODE, values that are good
# as GIVEN=SHOWN, and after the | those that are refused.
table='
rundown hung_warn_secs 644 0=0 1=1 0x10=16 60=60 | -1 x 1.5 4294967295 4294967296
rundown hung_warnings 644 -1=-1 0=0 0x10=16 2147483647=2147483647 | -2 x 1.5 2147483648 4294967295
rundown_hotplug broken 444 1=Y 0=N y=Y off=N | 2 maybe -1
rundown_wdm failures 444 0=N 1=Y | 2 perhaps
rundown_user threads 444 1=1 16=16 0x3=3 | 0 17 -1 +-1 two 1.5 4294967297 99999999999999999999
rundown_user counts 444 | 0 1 uses
rundown_second_user threads 444 1=1 16=16 | 0 17 -1 two
rundown_second_user counts 444 | 0 1
rundown_fault percpu 600 0=0 7=7 0x10=16 | -1 x 2147483648 99999999999
rundown_fault kthread 600 0=0 3=3 | -1 x 2147483648
'
modules='rundown rundown_stress rundown_hotplug rundown_wdm rundown_user rundown_second_user rundown_fault'

# shellcheck source=selftests/load/tests.sh
. ./tests.sh

# needs MODULE: what must be loaded before it
needs() {
	case $1 in
	rundown | rundown_fault) ;;
	rundown_second_user) echo rundown rundown_user ;;
	*) echo rundown ;;
	esac
}

# load MODULE [PARAMETER=VALUE]
load() {
	local needed

	for needed in $(needs "$1"); do
		[ -d "/sys/module/$needed" ] || insmod "./$needed.ko" || return
	done
	insmod "./$1.ko" ${2:+"$2"}
}

unload() {
	[ ! -d "/sys/module/$1" ] || rmmod "$1"
}

# rows MODULE: of the table
rows() {
	echo "$table" | grep "^$1 "
}

described() {
	tr '\000' '\n' <"./$1.ko" | sed -n 's/^parm=\([^:]*\):.*/\1/p' | sort
}

all_in_table() {
	described=$(described "$1")
	tested=$(rows "$1" | cut -d' ' -f2 | sort)
	[ "$described" = "$tested" ] || fail "described:" $described "- in the table:" $tested || return
	load "$1" || return
	shown=$(cd "/sys/module/$1/parameters" 2>/dev/null && ls | sort)
	[ "$shown" = "$described" ] || fail "in /sys/module:" $shown "- described:" $described
}

unknown_parameter() {
	mark="rundown parameters.sh $$ $1"
	echo "$mark" >/dev/kmsg
	load "$1" no_such_parameter=1 || return
	dmesg | sed "1,/$mark/d" | grep -q "$1: unknown parameter 'no_such_parameter' ignored" ||
		fail "the log does not say: $1: unknown parameter 'no_such_parameter' ignored"
}

good() { # MODULE PARAMETER GIVEN=SHOWN...
	local module=$1 parameter=$2 pair value shown

	shift 2
	for pair; do
		unload "$module" || return
		load "$module" "$parameter=${pair%=*}" || return
		shown=$(cat "/sys/module/$module/parameters/$parameter") || return
		[ "$shown" = "${pair#*=}" ] || fail "$parameter=${pair%=*}: shows $shown" || return
	done
}

bad() { # MODULE PARAMETER VALUE...
	local module=$1 parameter=$2 pair value shown

	shift 2
	for value in "$@" ''; do
		unload "$module" || return
		if said=$(load "$module" "$parameter=$value" 2>&1); then
			fail "$parameter=$value: loaded"
			return
		fi
		case $said in
		*[Ii]"nvalid "* | *"not permitted"* | *"out of range"* | *"range"*) ;;
		*) fail "$parameter=$value: not refused for that: $said" || return ;;
		esac
		[ ! -d "/sys/module/$module" ] || fail "$parameter=$value: refused, but is there" || return
	done
}

mode() { # MODULE PARAMETER MODE
	load "$1" || return
	found=$(stat -c %a "/sys/module/$1/parameters/$2")
	[ "$found" = "$3" ] || fail "mode $found, not $3" || return
	case $3 in
	444) ! echo 1 2>/dev/null >"/sys/module/$1/parameters/$2" || fail "can be written" ;;
	esac
}

# each MODULE NAME COMMAND...: with the module not loaded
each() {
	local name="$1 $2"

	unload "$1"
	shift 2
	check "$name" "$@"
}

present=
for module in $modules; do
	[ ! -e ./$module.ko ] || present="$present $module"
done
n=0
for module in $present; do
	n=$((n + 2 + 3 * $(rows "$module" | grep -c .)))
done

begin $n
# Under emulation grace periods would take most of the time.
expedited=$(cat /sys/kernel/rcu_expedited)
trap 'unload_all; online 1; echo "$expedited" >/sys/kernel/rcu_expedited' EXIT
echo 1 >/sys/kernel/rcu_expedited
for module in $present; do
	unload_all
	each "$module" "has parameters that are described and in this test" all_in_table "$module"
	each "$module" "reports an unknown parameter" unknown_parameter "$module"
	rows "$module" >./state-rows
	while read -r _ parameter mode values; do
		# shellcheck disable=SC2086
		each "$module" "$parameter: good values are taken and shown" \
			good "$module" "$parameter" ${values%%|*}
		# shellcheck disable=SC2086
		each "$module" "$parameter: bad values are refused" \
			bad "$module" "$parameter" ${values#*|}
		each "$module" "$parameter: has mode $mode" mode "$module" "$parameter" "$mode"
	done <./state-rows
done
rm -f ./state-rows
unload_all
ktap_finished
