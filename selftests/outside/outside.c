// SPDX-License-Identifier: GPL-2.0
/*
 * A module that knows rundown only from what `make install' has installed. Loading it calls every
 * exported function and uses every macro of the headers; it fails if one does not do what it
 * should. The script `build' beside it checks that nothing is left out.
 */
#include <linux/kernel.h>
#include <linux/module.h>

#include "outside.h"

static int (*const parts[])(void) = {
	outside_in_line,
	outside_out_of_line,
	outside_tracked,
	outside_generic,
	outside_beyond,
	outside_scopes,
	outside_windows,
	outside_words,
};

static int __init outside_init(void)
{
	int i, error;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		error = parts[i]();
		if (error)
			return error;
	}
	return 0;
}

static void __exit outside_exit(void)
{
}

module_init(outside_init);
module_exit(outside_exit);

MODULE_DESCRIPTION("Run-down protection test: a module from outside that calls everything");
MODULE_LICENSE("GPL");
