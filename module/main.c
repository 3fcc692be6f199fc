// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading. While another module uses our symbols we can't be unloaded. */
#include <linux/module.h>

#include "drain.h"
#include "watch.h"

static int __init ex_rundown_init(void)
{
	int error = ex_drain_init();

	if (!error)
		ex_watch_init();
	return error;
}

static void __exit ex_rundown_exit(void)
{
	ex_watch_exit();
	ex_drain_exit();
}

module_init(ex_rundown_init);
module_exit(ex_rundown_exit);

MODULE_DESCRIPTION("Run-down protection (ExAcquireRundownProtection and its family)");
MODULE_LICENSE("GPL");
