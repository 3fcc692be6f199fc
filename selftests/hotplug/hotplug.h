/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What do rundown_hotplug.ko and the program rundown-hotplug say to each other?
 *
 * There is a device for each kind of ref: /dev/rundown_hotplug_basic, ..._cache_aware. A read uses
 * the backend object behind it and returns one record; UNPLUG takes the object away under the
 * readers, PLUG puts a new one in its place.
 */
#ifndef _RUNDOWN_HOTPLUG_H
#define _RUNDOWN_HOTPLUG_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Who releases the protection that a read acquired. */
enum hotplug_mode {
	HOTPLUG_DIRECT,		/* the reader, at once */
	HOTPLUG_SLEPT,		/* the reader, after a sleep */
	HOTPLUG_TIMER,		/* a timer, in its hard interrupt, after the read has returned */
	HOTPLUG_WORK,		/* a work item, after the read has returned or before */
	HOTPLUG_MODES
};

/* The reader found the object's stamp wrong: it used a freed object. */
#define HOTPLUG_VIOLATION	1

/* @serial counts the objects of a device from 1. */
struct hotplug_record {
	__u64 serial;
	__u32 mode;
	__u32 flags;
};

struct hotplug_unplugged {
	__u64 serial;
	__u64 wait_ns;		/* how long the run-down took */
};

/* Since the module was loaded. With no reader left and unplugged, served is the sum of released. */
struct hotplug_stats {
	__u64 served;
	__u64 refused;
	__u64 released[HOTPLUG_MODES];
	__u64 violations;	/* looks at a stamp that was wrong */
	__u64 cycles;		/* unplugs */
	__u64 wait_ns_sum;
	__u64 wait_ns_max;
};

/* While unplugged, a read and UNPLUG fail with ENODEV; while plugged, PLUG fails with EBUSY. */
#define HOTPLUG_UNPLUG	_IOR('r', 1, struct hotplug_unplugged)
#define HOTPLUG_PLUG	_IO('r', 2)
#define HOTPLUG_STATS	_IOR('r', 3, struct hotplug_stats)

#endif /* _RUNDOWN_HOTPLUG_H */
