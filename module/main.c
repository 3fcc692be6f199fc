// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading. While another module uses our symbols we can't be unloaded. */
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>

#include "drain.h"
#include "hotplug.h"
#include "scope.h"
#include "track.h"
#include "version.h"
#include "watch.h"

static int __init ex_rundown_init(void)
{
	int error = ex_drain_init();

	if (error)
		return error;
	error = ex_hotplug_init();
	if (error)
		goto no_hotplug;
	error = ex_scope_init();
	if (error)
		goto no_scope;
	ex_track_init();
	error = ex_watch_init();
	if (error)
		goto no_watch;
	pr_info("rundown: version " RUNDOWN_VERSION "\n");
	return 0;

no_watch:
	ex_track_exit();
	ex_scope_exit();
no_scope:
	ex_hotplug_exit();
no_hotplug:
	ex_drain_exit();
	return error;
}

static void __exit ex_rundown_exit(void)
{
	ex_watch_exit();
	/* Refs that are freed by RCU. */
	rcu_barrier();
	ex_track_exit();
	ex_scope_exit();
	ex_hotplug_exit();
	ex_drain_exit();
}

module_init(ex_rundown_init);
module_exit(ex_rundown_exit);

MODULE_DESCRIPTION("Run-down protection (ExAcquireRundownProtection and its family)");
MODULE_VERSION(RUNDOWN_VERSION);
MODULE_LICENSE("GPL");
