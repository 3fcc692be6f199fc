// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading. While another module uses our symbols we can't be unloaded. */
#include <linux/module.h>

#include "drain.h"

static int __init ex_rundown_init(void)
{
	return ex_drain_init();
}

static void __exit ex_rundown_exit(void)
{
	ex_drain_exit();
}

module_init(ex_rundown_init);
module_exit(ex_rundown_exit);

MODULE_DESCRIPTION("Run-down protection (ExAcquireRundownProtection and its family)");
MODULE_LICENSE("GPL");
