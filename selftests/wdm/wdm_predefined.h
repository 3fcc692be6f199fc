/* SPDX-License-Identifier: GPL-2.0 */
/* Do the routines work where the source defines the Windows words itself? */
#ifndef _WDM_PREDEFINED_H
#define _WDM_PREDEFINED_H

unsigned char wdm_predefined_works(void);

#endif /* _WDM_PREDEFINED_H */
