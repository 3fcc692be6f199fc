// SPDX-License-Identifier: GPL-2.0
/*
 * The in-line functions of the header once more, as exported symbols: for other languages, for
 * kprobes, and for modules that are built without the header.
 */
#include <linux/export.h>

#define EX_RUNDOWN_EXPORT
#include "ex_rundown.h"

EXPORT_SYMBOL_GPL(ex_initialize_rundown_protection);
EXPORT_SYMBOL_GPL(ex_acquire_rundown_protection);
EXPORT_SYMBOL_GPL(ex_acquire_rundown_protection_ex);
EXPORT_SYMBOL_GPL(ex_release_rundown_protection);
EXPORT_SYMBOL_GPL(ex_release_rundown_protection_ex);
EXPORT_SYMBOL_GPL(ex_acquire_rundown_protection_cache_aware);
EXPORT_SYMBOL_GPL(ex_acquire_rundown_protection_cache_aware_ex);
EXPORT_SYMBOL_GPL(ex_release_rundown_protection_cache_aware);
EXPORT_SYMBOL_GPL(ex_release_rundown_protection_cache_aware_ex);
