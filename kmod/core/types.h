/* SPDX-License-Identifier: GPL-2.0 */
/* The few types core/ needs, in the kernel and in userspace alike. */
#ifndef VG_CORE_TYPES_H
#define VG_CORE_TYPES_H

#ifdef __KERNEL__
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define U64_MAX (~0ULL)
#endif

/* Little-endian loads from any alignment; core/ serves x86-64 only. */
static inline u16 vg_get_le16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

static inline u32 vg_get_le32(const u8 *p)
{
	return vg_get_le16(p) | (u32)vg_get_le16(p + 2) << 16;
}

static inline u64 vg_get_le64(const u8 *p)
{
	return vg_get_le32(p) | (u64)vg_get_le32(p + 4) << 32;
}

/* Requester ID as PCIe carries it: bus 15:8, device 7:3, function 2:0. */
#define VG_RID(bus, devfn) ((u16)((bus) << 8 | (devfn)))

/**
 * struct vg_table_err - where and why an ACPI table was rejected
 * @offset: byte offset into the table of the structure at fault
 * @why: constant text, NULL while nothing is wrong
 */
struct vg_table_err {
	size_t offset;
	const char *why;
};

#endif /* VG_CORE_TYPES_H */
