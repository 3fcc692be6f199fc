// SPDX-License-Identifier: GPL-2.0
/* The routines that Windows has, in-line. */
#include "calls.h"

int outside_in_line(void)
{
	int error = basic_calls();

	return error ?: cache_aware_calls();
}
