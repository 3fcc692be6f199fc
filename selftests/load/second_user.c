// SPDX-License-Identifier: GPL-2.0
/* The user once more, in a module that shares the refs of the first. */
#define RUNDOWN_SECOND_USER
#include "user.c"
