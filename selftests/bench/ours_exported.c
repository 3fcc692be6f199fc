// SPDX-License-Identifier: GPL-2.0
/* Run-down protection, through the exported symbols. */
#define EX_RUNDOWN_OUT_OF_LINE
#define OURS(name)		bench_##name##_exported
#define OURS_NAME(name)		name "_exported"
#define OURS_TITLE(title)	title ", exported"
#include "ours.h"
