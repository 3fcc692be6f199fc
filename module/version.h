/* SPDX-License-Identifier: GPL-2.0 */
/* Which version is this? The one place that says so. */
#ifndef _RUNDOWN_VERSION_H
#define _RUNDOWN_VERSION_H

#define RUNDOWN_VERSION	"0.9.0"

#endif /* _RUNDOWN_VERSION_H */
