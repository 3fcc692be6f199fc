// SPDX-License-Identifier: GPL-2.0
/* The routines that Windows has, with each grant recorded. */
#define EX_RUNDOWN_TRACK
#include "calls.h"

int outside_tracked(void)
{
	int error = basic_calls();

	return error ?: cache_aware_calls();
}
