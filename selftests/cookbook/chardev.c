// SPDX-License-Identifier: GPL-2.0
/*
 * Hot-unplug in a character device.
 *
 * Files stay open when the device behind them is pulled out, and may be read at any time. So what a
 * read needs in order to be refused, struct gadget with the ref, lives until the last file is
 * closed; and what belongs to the hardware lives until nobody uses it any more.
 */
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ex_rundown_scope.h"
#include "exercise.h"

#define SAMPLE	0x70726573U

/* Mapped in probe(), unmapped when the driver is unbound. */
struct registers {
	u32 sample;
};

struct gadget {
	struct kref kref;		/* one for the device, one for each open file */
	struct ex_rundown_ref ref;	/* protects: */
	struct registers *registers;
	struct miscdevice misc;
};

static atomic_long_t served, refused, wrong;

static void gadget_free(struct kref *kref)
{
	kfree(container_of(kref, struct gadget, kref));
}

/* Called under the lock that misc_deregister() takes: the device is there. */
static int gadget_open(struct inode *inode, struct file *file)
{
	struct gadget *gadget = container_of(file->private_data, struct gadget, misc);

	kref_get(&gadget->kref);
	file->private_data = gadget;
	return 0;
}

static int gadget_release(struct inode *inode, struct file *file)
{
	struct gadget *gadget = file->private_data;

	kref_put(&gadget->kref, gadget_free);
	return 0;
}

static int gadget_sample(struct gadget *gadget, u32 *sample)
{
	ex_with_rundown_protection(&gadget->ref, return -ENODEV) {
		*sample = READ_ONCE(gadget->registers->sample);
	}
	return 0;
}

static ssize_t gadget_read(struct file *file, char __user *buffer, size_t size, loff_t *position)
{
	u32 sample;
	int error;

	if (size < sizeof(sample))
		return -EINVAL;
	error = gadget_sample(file->private_data, &sample);
	if (error)
		return error;
	/* After the release: a fault may take as long as user space likes. */
	return copy_to_user(buffer, &sample, sizeof(sample)) ? -EFAULT : sizeof(sample);
}

static const struct file_operations gadget_fops = {
	.owner = THIS_MODULE,
	.open = gadget_open,
	.release = gadget_release,
	.read = gadget_read,
};

static void gadget_unplug(void *arg)
{
	struct gadget *gadget = arg;

	misc_deregister(&gadget->misc);				/* no new files */
	ex_rundown_wait(&gadget->ref);	/* no reads in the old ones */
	WRITE_ONCE(gadget->registers->sample, ~SAMPLE);		/* and devm unmaps */
	kref_put(&gadget->kref, gadget_free);
}

static int gadget_probe(struct platform_device *pdev)
{
	struct registers *registers;
	struct gadget *gadget;
	int error;

	/* Before the action below, so freed after it. */
	registers = devm_kzalloc(&pdev->dev, sizeof(*registers), GFP_KERNEL);
	gadget = kzalloc(sizeof(*gadget), GFP_KERNEL);
	if (!registers || !gadget) {
		kfree(gadget);
		return -ENOMEM;
	}
	registers->sample = SAMPLE;
	kref_init(&gadget->kref);
	ex_initialize_rundown_protection(&gadget->ref);
	gadget->registers = registers;
	gadget->misc.minor = MISC_DYNAMIC_MINOR;
	gadget->misc.name = KBUILD_MODNAME;
	gadget->misc.fops = &gadget_fops;
	gadget->misc.parent = &pdev->dev;
	error = misc_register(&gadget->misc);
	if (error) {
		kfree(gadget);
		return error;
	}
	platform_set_drvdata(pdev, gadget);
	return devm_add_action_or_reset(&pdev->dev, gadget_unplug, gadget);
}

static struct platform_driver gadget_driver = {
	.driver.name = KBUILD_MODNAME,
	.probe = gadget_probe,
};

/* Read as by open files while the device is pulled out. */
static void read_on(void *gadget)
{
	u32 sample;

	if (gadget_sample(gadget, &sample))
		atomic_long_inc(&refused);
	else
		atomic_long_inc(sample == SAMPLE ? &served : &wrong);
}

static struct platform_device *plug_in(void)
{
	return platform_device_register_simple(KBUILD_MODNAME, PLATFORM_DEVID_NONE, NULL, 0);
}

static int pull_out(void)
{
	struct exercise readers = { .fn = read_on };
	struct platform_device *pdev = plug_in();
	struct gadget *gadget;
	int error;

	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	device_lock(&pdev->dev);
	gadget = platform_get_drvdata(pdev);	/* NULL if the probe failed */
	if (gadget)
		kref_get(&gadget->kref);
	device_unlock(&pdev->dev);
	readers.arg = gadget;
	error = gadget ? exercise_start(&readers) : -ENODEV;
	if (!error)
		error = exercise_more(&served, 500);
	platform_device_unregister(pdev);
	if (!error)
		error = exercise_more(&refused, 50) ?: expect(!atomic_long_read(&wrong));
	exercise_stop(&readers);
	if (gadget)
		kref_put(&gadget->kref, gadget_free);
	return error;
}

static struct platform_device *plugged;

static int __init chardev_init(void)
{
	int error = platform_driver_register(&gadget_driver);

	if (error)
		return error;
	error = pull_out();
	if (!error) {
		/* To be played with: README.md has how. */
		plugged = plug_in();
		error = PTR_ERR_OR_ZERO(plugged);
	}
	if (error) {
		platform_driver_unregister(&gadget_driver);
		return error;
	}
	pr_info("%s: %ld reads, %ld refused, none of them of freed memory\n", KBUILD_MODNAME,
		atomic_long_read(&served), atomic_long_read(&refused));
	return 0;
}

static void __exit chardev_exit(void)
{
	platform_device_unregister(plugged);
	platform_driver_unregister(&gadget_driver);
}

module_init(chardev_init);
module_exit(chardev_exit);
MODULE_DESCRIPTION("Run-down protection cookbook: hot-unplug in a character device");
MODULE_LICENSE("GPL");
