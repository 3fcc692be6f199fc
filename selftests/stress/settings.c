// SPDX-License-Identifier: GPL-2.0
/* What a run is to be like: KEY=VALUE words. */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "stress.h"

const char * const stress_context_names[STRESS_CONTEXTS] = {
	[STRESS_SLEEP] = "sleep",
	[STRESS_MIGRATE] = "migrate",
	[STRESS_PINNED] = "pinned",
	[STRESS_PREEMPT_OFF] = "preempt_off",
	[STRESS_IRQ_OFF] = "irq_off",
	[STRESS_SOFTIRQ] = "softirq",
	[STRESS_HARDIRQ] = "hardirq",
	[STRESS_IRQ_WORK] = "irq_work",
	[STRESS_NMI] = "nmi",
	[STRESS_WORK] = "work",
};

static const struct stress_ops * const variants[] = {
	&stress_basic,
	&stress_percpu,
	&stress_percpu_ex,
	&stress_static,
	&stress_in_place,
	&stress_no_ipi,
	&stress_tracked,
	&stress_tracked_basic,
	&stress_peer_percpu_ref,
	&stress_peer_srcu,
	&stress_peer_rwsem,
	&stress_broken_no_bias,
	&stress_broken_two_steps,
	&stress_broken_no_offline,
};

static const char * const kind_names[] = {
	[STRESS_OURS] = "ours",
	[STRESS_PEER] = "peer",
	[STRESS_BROKEN] = "broken",
};

/* The contexts of @ops that this machine has. */
unsigned long stress_contexts_of(const struct stress_ops *ops)
{
	return stress_have_nmi() ? ops->contexts : ops->contexts & ~BIT(STRESS_NMI);
}

/* Digits only: kstrtouint() would take a sign, too. */
static int parse_number(unsigned int *number, const char *text, unsigned int max)
{
	unsigned int value;

	if (!isdigit(text[0]) || kstrtouint(text, 10, &value) || !value || value > max)
		return -EINVAL;
	*number = value;
	return 0;
}

static int parse_seed(u64 *seed, const char *text)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	return isdigit(text[0]) && !kstrtou64(text, hex ? 16 : 10, seed) ? 0 : -EINVAL;
}

static int parse_variant(const struct stress_ops **ops, const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(variants); i++) {
		if (!strcmp(variants[i]->name, name)) {
			*ops = variants[i];
			return 0;
		}
	}
	return -EINVAL;
}

/* 0 stands for all. */
static int parse_contexts(unsigned long *contexts, char *list)
{
	char *name;
	int i;

	*contexts = 0;
	if (!strcmp(list, "all"))
		return 0;
	while ((name = strsep(&list, ","))) {
		i = match_string(stress_context_names, STRESS_CONTEXTS, name);
		if (i < 0 || *contexts & BIT(i))
			return -EINVAL;
		*contexts |= BIT(i);
	}
	return 0;
}

static int parse_word(struct stress_settings *settings, char *word, unsigned long *seen)
{
	static const char * const keys[] = {
		"variant", "threads", "refs", "waiters", "msecs", "live_us", "seed", "contexts",
	};
	char *value = word;
	int key = match_string(keys, ARRAY_SIZE(keys), strsep(&value, "="));

	if (key < 0 || !value || *seen & BIT(key))
		return -EINVAL;
	*seen |= BIT(key);
	switch (key) {
	case 0:
		return parse_variant(&settings->ops, value);
	case 1:
		return parse_number(&settings->threads, value, 256);
	case 2:
		return parse_number(&settings->refs, value, 1024);
	case 3:
		return parse_number(&settings->waiters, value, 16);
	case 4:
		return parse_number(&settings->msecs, value, 24 * 60 * 60 * MSEC_PER_SEC);
	case 5:
		return parse_number(&settings->live_us, value, 10 * USEC_PER_SEC);
	case 6:
		return parse_seed(&settings->seed, value);
	default:
		return parse_contexts(&settings->contexts, value);
	}
}

/**
 * stress_settings_parse() - read words of the form KEY=VALUE
 * @settings: what is not named gets its default
 * @line:     is cut to pieces
 *
 * Return: 0; -EINVAL if it is malformed or out of range; -EOPNOTSUPP for a context that the variant
 * or this machine does not have.
 */
int stress_settings_parse(struct stress_settings *settings, char *line)
{
	unsigned long seen = 0, have;
	char *word;
	int error;

	*settings = (struct stress_settings){
		.ops = &stress_basic,
		.threads = 4,
		.refs = 4,
		.waiters = 2,
		.msecs = 1000,
		.live_us = 1000,
		.seed = 1,
	};
	while ((word = strsep(&line, " \t"))) {
		if (!*word)
			continue;
		error = parse_word(settings, word, &seen);
		if (error)
			return error;
	}
	if (settings->refs > settings->ops->max_refs)
		return -EINVAL;
	/* All its objects are kept to the end. */
	if (settings->ops->kind == STRESS_BROKEN && settings->msecs > 60 * MSEC_PER_SEC)
		return -EINVAL;
	have = stress_contexts_of(settings->ops);
	if (settings->contexts & ~have)
		return -EOPNOTSUPP;
	if (!settings->contexts)
		settings->contexts = have;
	return 0;
}

static void show_contexts(struct seq_file *file, unsigned long contexts)
{
	const char *comma = "";
	int i;

	for_each_set_bit(i, &contexts, STRESS_CONTEXTS) {
		seq_printf(file, "%s%s", comma, stress_context_names[i]);
		comma = ",";
	}
}

void stress_settings_show(struct seq_file *file, const struct stress_settings *settings)
{
	seq_printf(file, "variant=%s threads=%u refs=%u waiters=%u msecs=%u live_us=%u ",
		   settings->ops->name, settings->threads, settings->refs, settings->waiters,
		   settings->msecs, settings->live_us);
	seq_printf(file, "seed=%llu contexts=", settings->seed);
	show_contexts(file, settings->contexts);
}

void stress_variants_show(struct seq_file *file)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(variants); i++) {
		seq_printf(file, "%s %s ", variants[i]->name, kind_names[variants[i]->kind]);
		show_contexts(file, stress_contexts_of(variants[i]));
		seq_putc(file, '\n');
	}
}
