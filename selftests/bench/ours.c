// SPDX-License-Identifier: GPL-2.0
/* Run-down protection, in-line. */
#define OURS(name)		bench_##name
#define OURS_NAME(name)		name
#define OURS_TITLE(title)	title
#include "ours.h"
