// SPDX-License-Identifier: GPL-2.0
/* The routines that Windows has, as the exported functions. */
#define EX_RUNDOWN_OUT_OF_LINE
#include "calls.h"

int outside_out_of_line(void)
{
	int error = basic_calls();

	return error ?: cache_aware_calls();
}
