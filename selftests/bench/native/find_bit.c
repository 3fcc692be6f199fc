// SPDX-License-Identifier: GPL-2.0
#include <lib/find_bit.c>
