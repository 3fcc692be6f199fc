// SPDX-License-Identifier: GPL-2.0
#include <kernel/rcu/rcu_segcblist.c>
