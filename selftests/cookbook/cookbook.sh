#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Does each recipe of the cookbook do what it promises?  A recipe exercises itself when it is loaded,
# and says in one line what it saw.
#
# shellcheck disable=SC3043
#
# shellcheck source=selftests/load/tests.sh
. ./tests.sh

# read_open: from the file that is open as 3
read_open() {
	dd bs=4 count=1 <&3 2>&1
}

# A file that stays open over the unplug, which here is that somebody unbinds the driver.
pull_out() {
	local name=rundown_cookbook_chardev said

	[ "$(dd bs=4 count=1 2>/dev/null <&3)" = serp ] || fail "an open file can't be read" || return
	echo $name >/sys/bus/platform/drivers/$name/unbind || return
	[ ! -e /dev/$name ] || fail "/dev/$name is there after the unplug" || return
	said=$(read_open)
	case $said in
	*'No such device'*) ;;
	*) fail "a read after the unplug ended with: $said" || return ;;
	esac
	! rmmod $name 2>/dev/null || fail "the module unloads under an open file"
}

also_chardev() {
	local status=0

	exec 3</dev/rundown_cookbook_chardev || return
	pull_out || status=$?
	exec 3<&-
	return $status
}

# As many as the disk has tags, and no more: who submits the next one meets a busy disk, if it is
# quicker than the interrupts are. The module unloads with requests in flight, if rmmod is.
also_completion() {
	local i=0

	while [ $i -lt 4 ]; do
		i=$((i + 1))
		echo 1 >/sys/module/rundown_cookbook_completion/parameters/submit || return
	done
}

# cook RECIPE
cook() {
	local module=rundown_cookbook_$1 mark="rundown cookbook.sh $$ $1" status=0

	[ -d /sys/module/rundown ] || insmod ./rundown.ko || return
	echo "$mark" >/dev/kmsg
	insmod "./$module.ko" || status=$?
	dmesg | sed "1,/$mark/d" | grep "$module: [^ ]" >./state-said
	cat ./state-said
	[ $status = 0 ] || return
	[ "$(grep -c . ./state-said)" = 1 ] || fail "that is not one line" || return
	grep -q "$module: [1-9]" ./state-said || fail "that is not what it did" || return
	rm ./state-said
	case $1 in
	chardev | completion) "also_$1" || return ;;
	esac
	rmmod "$module"
}

begin 7
check "hot-unplug in a character device" cook chardev
check "stopping and restarting a data path" cook datapath
check "I/O acquired in a system call and completed in an interrupt" cook completion
check "replacing an object under RCU lookup" cook rcu
check "tearing down a thousand objects" cook thousand
check "porting a Windows driver's file" cook windows
check "guarding calls into a module that is going away" cook provider
rm -f ./state-said
unload_all
ktap_finished
