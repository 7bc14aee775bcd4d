// SPDX-License-Identifier: GPL-2.0
/*
 * Firmware and guest in one, for a VMM inside a test guest: uses the device it is
 * given (an edu) for ever, or attacks through it (an e1000e), and tells of it over
 * the serial port. Runs in 32-bit mode with neither interrupts nor paging.
 *
 * checkpatch: VOLATILE: this is no kernel, and the memory is a device's, too
 */
#define SERIAL		0x3f8
#define CONFIG_ADDRESS	0xcf8
#define CONFIG_DATA	0xcfc

#define BAR		0xf0000000
#define RING		0x00020000
#define PAGE		0x00030000
/* Far above all memory: the IOMMU has nothing there. */
#define STRAY		0x40000000

#define COMMAND_MEMORY_MASTER	0x6

#define EDU_ID		0x11e81234
#define EDU_SRC		0x80
#define EDU_DST		0x88
#define EDU_COUNT	0x90
#define EDU_CMD		0x98
#define EDU_BUFFER	0x40000

#define E1000_ID	0x10d38086
#define E1000_TCTL	0x00400
#define E1000_TDBAL	0x03800
#define E1000_TDLEN	0x03808
#define E1000_TDT	0x03818
#define E1000_RING	256
#define E1000_SEND	0x09000040	/* 64 bytes, end of packet, report */

static void out8(unsigned short port, unsigned char value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void out32(unsigned short port, unsigned int value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static unsigned int in32(unsigned short port)
{
	unsigned int value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void say(const char *text)
{
	while (*text)
		out8(SERIAL, *text++);
}

static unsigned int config(unsigned int slot, unsigned int at)
{
	out32(CONFIG_ADDRESS, 0x80000000 | slot << 11 | at);
	return in32(CONFIG_DATA);
}

static void set_config(unsigned int slot, unsigned int at, unsigned int value)
{
	out32(CONFIG_ADDRESS, 0x80000000 | slot << 11 | at);
	out32(CONFIG_DATA, value);
}

static unsigned int reg(unsigned int at)
{
	return *(volatile unsigned int *)(BAR + at);
}

static void set_reg(unsigned int at, unsigned int value)
{
	*(volatile unsigned int *)(BAR + at) = value;
}

/* Where the device is; 0, which is the host bridge, if there is none. */
static unsigned int find(unsigned int id)
{
	unsigned int slot;

	for (slot = 31; slot; slot--)
		if (config(slot, 0) == id)
			break;
	if (slot) {
		set_config(slot, 0x10, BAR);
		set_config(slot, 0x04, COMMAND_MEMORY_MASTER);
	}
	return slot;
}

static void transfer(unsigned int src, unsigned int dst, unsigned int command)
{
	set_reg(EDU_SRC, src);
	set_reg(EDU_DST, dst);
	set_reg(EDU_COUNT, 4);
	set_reg(EDU_CMD, command);
	while (reg(EDU_CMD) & 1)
		;
}

static void use_edu(void)
{
	volatile unsigned int *page = (void *)PAGE;
	unsigned int number;

	for (number = 1;; number++) {
		page[0] = number;
		page[1] = 0;
		transfer(PAGE, EDU_BUFFER, 1);
		transfer(EDU_BUFFER, PAGE + 4, 3);
		if (page[1] == number)
			say("guest: a transfer arrived\n");
		else
			say("guest: a transfer is lost\n");
	}
}

/* Packets to be fetched from memory that isn't there, one after the other. */
static void abuse_e1000e(void)
{
	volatile unsigned int (*ring)[4] = (void *)RING;
	unsigned int tail = 0, i;

	set_reg(E1000_TDBAL, RING);
	set_reg(E1000_TDLEN, E1000_RING * sizeof(*ring));
	set_reg(E1000_TCTL, 2);
	for (;;) {
		for (i = 0; i < 100; i++) {
			ring[tail][0] = STRAY;
			ring[tail][1] = 0;
			ring[tail][2] = E1000_SEND;
			ring[tail][3] = 0;
			tail = (tail + 1) % E1000_RING;
			set_reg(E1000_TDT, tail);
		}
		say("guest: 100 attacks\n");
	}
}

void guest_main(void);

void guest_main(void)
{
	say("guest: up\n");
	if (find(EDU_ID))
		use_edu();
	if (find(E1000_ID))
		abuse_e1000e();
	say("guest: no device\n");
	for (;;)
		asm volatile("hlt");
}
