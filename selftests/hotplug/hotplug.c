// SPDX-License-Identifier: GPL-2.0
/*
 * Can a device be unplugged under its readers, over and over, without one of them ever touching the
 * freed backend?
 *
 * Each read acquires protection, or is refused with -ENODEV; only then does it fetch the backend
 * object, whose stamp it checks at the start, in the middle and at the end. The object loses its
 * stamp before it is freed, so a reader that is still there is counted as a violation. Some readers
 * sleep in between; some hand their protection to a timer, which checks and releases in its hard
 * interrupt, and some to a work item. Unplug waits for the run-down, frees the object, and leaves
 * the device to refuse readers until a new object is plugged in.
 *
 * Is a count of zero violations worth anything? With broken=1 the unplug does not wait, and they
 * must show up. Objects are then kept until the module goes, so that readers look at valid memory.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "../compat.h"
#include "ex_rundown.h"
#include "hotplug.h"

#define HOTPLUG_STAMP	0x70726573656e7421ULL
#define HOTPLUG_POISON	0x676f6e6521212121ULL

/* How many reads a device can have handed over at once. */
#define HOTPLUG_HANDOVERS	64

static bool broken;
module_param(broken, bool, 0444);
MODULE_PARM_DESC(broken, "Unplug without waiting: violations must show up");

struct hotplug_object {
	u64 stamp;
	u64 serial;
	struct list_head grave;
};

/* Protection on its way to a timer or a work item. Belongs to who turned @busy from 0 to 1. */
struct hotplug_handover {
	struct hrtimer timer;
	struct work_struct work;
	struct hotplug_device *dev;
	struct hotplug_object *object;
	atomic_t busy;
};

struct hotplug_counts {
	unsigned long served;
	unsigned long refused;
	unsigned long released[HOTPLUG_MODES];
	unsigned long violations;
};

/* One kind of ref. */
struct hotplug_ops {
	int (*create)(struct hotplug_device *dev);
	void (*destroy)(struct hotplug_device *dev);
	bool (*acquire)(struct hotplug_device *dev);
	void (*release)(struct hotplug_device *dev);
	void (*wait)(struct hotplug_device *dev);
	void (*reinitialize)(struct hotplug_device *dev);
};

struct hotplug_device {
	struct miscdevice misc;
	const struct hotplug_ops *ops;
	struct ex_rundown_ref basic;
	struct ex_rundown_ref_cache_aware *cache_aware;
	struct hotplug_object *object;		/* to be fetched under protection only */
	struct hotplug_counts __percpu *counts;
	struct workqueue_struct *workqueue;
	struct hotplug_handover handovers[HOTPLUG_HANDOVERS];

	struct mutex lock;			/* plug and unplug, and what follows */
	bool plugged;
	u64 serial;
	u64 cycles;
	u64 wait_ns_sum;
	u64 wait_ns_max;
	struct list_head graveyard;
};

static int basic_create(struct hotplug_device *dev)
{
	ex_initialize_rundown_protection(&dev->basic);
	return 0;
}

static void basic_destroy(struct hotplug_device *dev)
{
}

static bool basic_acquire(struct hotplug_device *dev)
{
	return ex_acquire_rundown_protection(&dev->basic);
}

static void basic_release(struct hotplug_device *dev)
{
	ex_release_rundown_protection(&dev->basic);
}

static void basic_wait(struct hotplug_device *dev)
{
	ex_wait_for_rundown_protection_release(&dev->basic);
}

static void basic_reinitialize(struct hotplug_device *dev)
{
	ex_reinitialize_rundown_protection(&dev->basic);
}

static const struct hotplug_ops basic_ops = {
	.create = basic_create,
	.destroy = basic_destroy,
	.acquire = basic_acquire,
	.release = basic_release,
	.wait = basic_wait,
	.reinitialize = basic_reinitialize,
};

static int cache_aware_create(struct hotplug_device *dev)
{
	dev->cache_aware = ex_allocate_cache_aware_rundown_protection(GFP_KERNEL);
	return dev->cache_aware ? 0 : -ENOMEM;
}

static void cache_aware_destroy(struct hotplug_device *dev)
{
	ex_free_cache_aware_rundown_protection(dev->cache_aware);
}

static bool cache_aware_acquire(struct hotplug_device *dev)
{
	return ex_acquire_rundown_protection_cache_aware(dev->cache_aware);
}

static void cache_aware_release(struct hotplug_device *dev)
{
	ex_release_rundown_protection_cache_aware(dev->cache_aware);
}

static void cache_aware_wait(struct hotplug_device *dev)
{
	ex_wait_for_rundown_protection_release_cache_aware(dev->cache_aware);
}

static void cache_aware_reinitialize(struct hotplug_device *dev)
{
	ex_reinitialize_rundown_protection_cache_aware(dev->cache_aware);
}

static const struct hotplug_ops cache_aware_ops = {
	.create = cache_aware_create,
	.destroy = cache_aware_destroy,
	.acquire = cache_aware_acquire,
	.release = cache_aware_release,
	.wait = cache_aware_wait,
	.reinitialize = cache_aware_reinitialize,
};

static bool hotplug_acquire(struct hotplug_device *dev)
{
	if (!dev->ops->acquire(dev))
		return false;
	/* A broken unplug leaves the ref live and refuses with nothing but this flag. */
	if (broken && !READ_ONCE(dev->plugged)) {
		dev->ops->release(dev);
		return false;
	}
	return true;
}

/* The object is the caller's no more. Counted first: who waits reads the counts next. */
static void hotplug_release(struct hotplug_device *dev, enum hotplug_mode mode)
{
	this_cpu_inc(dev->counts->released[mode]);
	dev->ops->release(dev);
}

static bool hotplug_check(struct hotplug_device *dev, struct hotplug_object *object)
{
	if (likely(READ_ONCE(object->stamp) == HOTPLUG_STAMP))
		return true;
	this_cpu_inc(dev->counts->violations);
	return false;
}

static void hotplug_finish(struct hotplug_handover *handover, enum hotplug_mode mode)
{
	struct hotplug_device *dev = handover->dev;

	hotplug_check(dev, handover->object);
	hotplug_release(dev, mode);
	/*
	 * The next owner may arm the timer, or queue the work, while its function is still
	 * returning: both allow that. Release order: we are done with ->object.
	 */
	atomic_set_release(&handover->busy, 0);
}

static enum hrtimer_restart hotplug_timer(struct hrtimer *timer)
{
	hotplug_finish(container_of(timer, struct hotplug_handover, timer), HOTPLUG_TIMER);
	return HRTIMER_NORESTART;
}

static void hotplug_work(struct work_struct *work)
{
	hotplug_finish(container_of(work, struct hotplug_handover, work), HOTPLUG_WORK);
}

static struct hotplug_handover *hotplug_claim_handover(struct hotplug_device *dev, u32 random)
{
	struct hotplug_handover *handover;
	unsigned int i;

	for (i = 0; i < HOTPLUG_HANDOVERS; i++) {
		handover = &dev->handovers[(random + i) % HOTPLUG_HANDOVERS];
		if (!atomic_cmpxchg(&handover->busy, 0, 1))
			return handover;
	}
	return NULL;
}

/* Three of 16 reads are special. @random has 32 bits; how it is used up is of no importance. */
static enum hotplug_mode hotplug_pick_mode(u32 random)
{
	switch (random >> 28) {
	case 0:
		return HOTPLUG_SLEPT;
	case 1:
		return HOTPLUG_TIMER;
	case 2:
		return HOTPLUG_WORK;
	default:
		return HOTPLUG_DIRECT;
	}
}

/* Under protection, which this consumes: it is released or handed over on return. */
static void hotplug_use(struct hotplug_device *dev, u32 random, struct hotplug_record *record)
{
	/* Not before the grant: until then it may be yesterday's, or none. */
	struct hotplug_object *object = READ_ONCE(dev->object);
	enum hotplug_mode mode = hotplug_pick_mode(random);
	struct hotplug_handover *handover = NULL;
	unsigned int pause_us = 50 + random % 450;
	bool intact = hotplug_check(dev, object);

	if (mode == HOTPLUG_TIMER || mode == HOTPLUG_WORK) {
		handover = hotplug_claim_handover(dev, random);
		if (!handover)
			mode = HOTPLUG_DIRECT;
	}
	if (mode == HOTPLUG_SLEPT)
		usleep_range(pause_us, pause_us + 50);
	intact &= hotplug_check(dev, object);

	record->serial = object->serial;
	record->mode = mode;
	intact &= hotplug_check(dev, object);
	record->flags = intact ? 0 : HOTPLUG_VIOLATION;

	if (!handover) {
		hotplug_release(dev, mode);
		return;
	}
	handover->object = object;
	if (mode == HOTPLUG_TIMER)
		hrtimer_start(&handover->timer, ns_to_ktime(pause_us * NSEC_PER_USEC),
			      HRTIMER_MODE_REL_HARD);
	else
		queue_work(dev->workqueue, &handover->work);
}

static struct hotplug_device *hotplug_of(struct file *file)
{
	return container_of(file->private_data, struct hotplug_device, misc);
}

static ssize_t hotplug_read(struct file *file, char __user *buffer, size_t size, loff_t *position)
{
	struct hotplug_device *dev = hotplug_of(file);
	struct hotplug_record record = {};

	if (size < sizeof(record))
		return -EINVAL;
	if (!hotplug_acquire(dev)) {
		this_cpu_inc(dev->counts->refused);
		return -ENODEV;
	}
	this_cpu_inc(dev->counts->served);
	/* The position counts what was read from this file, so it picks the mode. */
	hotplug_use(dev, hash_64(*position ^ (unsigned long)file, 32), &record);

	if (copy_to_user(buffer, &record, sizeof(record)))
		return -EFAULT;
	*position += sizeof(record);
	return sizeof(record);
}

/* Put an object in place. The caller lets the readers in. */
static int hotplug_attach(struct hotplug_device *dev)
{
	struct hotplug_object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (!object)
		return -ENOMEM;
	object->stamp = HOTPLUG_STAMP;
	object->serial = ++dev->serial;
	/* No order needed: the reinitialize and the grant that it allows order this. */
	WRITE_ONCE(dev->object, object);
	return 0;
}

/* Nobody uses the object, unless we are broken. */
static void hotplug_detach(struct hotplug_device *dev)
{
	struct hotplug_object *object = dev->object;

	WRITE_ONCE(object->stamp, HOTPLUG_POISON);
	if (broken) {
		/* Readers go on to look at it. */
		list_add(&object->grave, &dev->graveyard);
		return;
	}
	WRITE_ONCE(dev->object, NULL);
	kfree(object);
}

static int hotplug_plug(struct hotplug_device *dev)
{
	int error;

	if (dev->plugged)
		return -EBUSY;
	error = hotplug_attach(dev);
	if (error)
		return error;
	if (!broken)
		dev->ops->reinitialize(dev);
	/* Readers that are broken go by this flag: after the object. */
	smp_store_release(&dev->plugged, true);
	return 0;
}

static int hotplug_unplug(struct hotplug_device *dev, struct hotplug_unplugged *unplugged)
{
	u64 start_ns;

	if (!dev->plugged)
		return -ENODEV;
	unplugged->serial = dev->serial;
	WRITE_ONCE(dev->plugged, false);

	start_ns = ktime_get_ns();
	if (!broken)
		dev->ops->wait(dev);
	unplugged->wait_ns = ktime_get_ns() - start_ns;

	hotplug_detach(dev);
	dev->cycles++;
	dev->wait_ns_sum += unplugged->wait_ns;
	dev->wait_ns_max = max(dev->wait_ns_max, unplugged->wait_ns);
	return 0;
}

static void hotplug_get_stats(struct hotplug_device *dev, struct hotplug_stats *stats)
{
	int cpu, mode;

	for_each_possible_cpu(cpu) {
		struct hotplug_counts *counts = per_cpu_ptr(dev->counts, cpu);

		stats->served += READ_ONCE(counts->served);
		stats->refused += READ_ONCE(counts->refused);
		for (mode = 0; mode < HOTPLUG_MODES; mode++)
			stats->released[mode] += READ_ONCE(counts->released[mode]);
		stats->violations += READ_ONCE(counts->violations);
	}
	stats->cycles = dev->cycles;
	stats->wait_ns_sum = dev->wait_ns_sum;
	stats->wait_ns_max = dev->wait_ns_max;
}

static long hotplug_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct hotplug_device *dev = hotplug_of(file);
	struct hotplug_unplugged unplugged = {};
	struct hotplug_stats stats = {};
	const void *answer = NULL;
	size_t size = 0;
	long error;

	error = mutex_lock_interruptible(&dev->lock);
	if (error)
		return error;
	switch (command) {
	case HOTPLUG_UNPLUG:
		error = hotplug_unplug(dev, &unplugged);
		answer = &unplugged;
		size = sizeof(unplugged);
		break;
	case HOTPLUG_PLUG:
		error = hotplug_plug(dev);
		break;
	case HOTPLUG_STATS:
		hotplug_get_stats(dev, &stats);
		answer = &stats;
		size = sizeof(stats);
		break;
	default:
		error = -ENOTTY;
	}
	mutex_unlock(&dev->lock);

	if (!error && size && copy_to_user((void __user *)argument, answer, size))
		return -EFAULT;
	return error;
}

static const struct file_operations hotplug_fops = {
	.owner = THIS_MODULE,
	.read = hotplug_read,
	.unlocked_ioctl = hotplug_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct hotplug_device basic_device = {
	.misc.name = "rundown_hotplug_basic",
	.ops = &basic_ops,
};

static struct hotplug_device cache_aware_device = {
	.misc.name = "rundown_hotplug_cache_aware",
	.ops = &cache_aware_ops,
};

/*
 * No file is open: those hold a reference to the module. So nobody reads, plugs or unplugs; what
 * there may still be is protection that was handed over, and the wait is for that. But the wait
 * returns in the middle of the release, which here is a call from this module: a thread may still
 * be on its way out of hotplug_timer() or hotplug_work(), and the code must not be unmapped under
 * it. hrtimer_cancel() waits until the timer interrupt has left the function, destroy_workqueue()
 * until the worker has.
 */
static void hotplug_destroy(struct hotplug_device *dev)
{
	struct hotplug_object *object, *next;
	int i;

	dev->ops->wait(dev);
	for (i = 0; i < HOTPLUG_HANDOVERS; i++)
		hrtimer_cancel(&dev->handovers[i].timer);
	destroy_workqueue(dev->workqueue);

	if (dev->plugged)
		kfree(dev->object);
	list_for_each_entry_safe(object, next, &dev->graveyard, grave)
		kfree(object);
	dev->ops->destroy(dev);
	free_percpu(dev->counts);
	mutex_destroy(&dev->lock);
}

static int hotplug_create(struct hotplug_device *dev)
{
	int error, i;

	mutex_init(&dev->lock);
	INIT_LIST_HEAD(&dev->graveyard);
	for (i = 0; i < HOTPLUG_HANDOVERS; i++) {
		struct hotplug_handover *handover = &dev->handovers[i];

		handover->dev = dev;
		hrtimer_setup(&handover->timer, hotplug_timer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_HARD);
		INIT_WORK(&handover->work, hotplug_work);
	}

	dev->counts = alloc_percpu(struct hotplug_counts);
	if (!dev->counts)
		return -ENOMEM;
	dev->workqueue = alloc_workqueue("%s", WQ_UNBOUND, 0, dev->misc.name);
	if (!dev->workqueue) {
		error = -ENOMEM;
		goto free_counts;
	}
	error = dev->ops->create(dev);
	if (error)
		goto destroy_workqueue;
	/* The ref is live. */
	error = hotplug_attach(dev);
	if (error)
		goto destroy_ref;
	dev->plugged = true;
	return 0;

destroy_ref:
	dev->ops->destroy(dev);
destroy_workqueue:
	destroy_workqueue(dev->workqueue);
free_counts:
	free_percpu(dev->counts);
	return error;
}

static int hotplug_register(struct hotplug_device *dev)
{
	int error = hotplug_create(dev);

	if (error)
		return error;
	dev->misc.minor = MISC_DYNAMIC_MINOR;
	dev->misc.fops = &hotplug_fops;
	error = misc_register(&dev->misc);
	if (error)
		hotplug_destroy(dev);
	return error;
}

static void hotplug_unregister(struct hotplug_device *dev)
{
	misc_deregister(&dev->misc);
	hotplug_destroy(dev);
}

static int __init hotplug_init(void)
{
	int error = hotplug_register(&basic_device);

	if (error)
		return error;
	error = hotplug_register(&cache_aware_device);
	if (error)
		hotplug_unregister(&basic_device);
	return error;
}

static void __exit hotplug_exit(void)
{
	hotplug_unregister(&cache_aware_device);
	hotplug_unregister(&basic_device);
}

module_init(hotplug_init);
module_exit(hotplug_exit);

MODULE_DESCRIPTION("Run-down protection test: surprise removal under readers");
MODULE_LICENSE("GPL");
