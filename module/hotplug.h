/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUNDOWN_HOTPLUG_H
#define _RUNDOWN_HOTPLUG_H

int ex_hotplug_init(void);
void ex_hotplug_exit(void);

#endif /* _RUNDOWN_HOTPLUG_H */
