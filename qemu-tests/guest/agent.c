// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of a test guest: runs commands for the harness over the second UART.
 *
 * The UART is polled from here by port I/O, with no kernel driver and no
 * interrupt, so the channel stays alive while a test breaks interrupt
 * remapping or DMA translation underneath the kernel.
 *
 * From the harness, one request per line, words percent-encoded:
 *   <id> run <arg>...      start a command; its stdin is a pipe
 *   <id> eof <job>         close the stdin of a job
 *   <id> kill <job> <sig>  signal the process group of a job
 *   <id> kmsg              send the kernel log records not sent yet
 * To the harness, one frame per line, text percent-encoded:
 *   @ <id> out <line> | exit <status> | kmsg <record> | ok | err <text>
 * A command killed by a signal exits with 128 + signal.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define UART		0x2f8
#define UART_IER	(UART + 1)
#define UART_FCR	(UART + 2)
#define UART_LCR	(UART + 3)
#define UART_MCR	(UART + 4)
#define UART_LSR	(UART + 5)
#define LSR_DR		0x01
#define LSR_THRE	0x20

#define MAX_JOBS	16
#define MAX_ARGS	64
#define LINE		8192

struct job {
	char id[16];
	pid_t pid;		/* 0: slot is free */
	int in;			/* its stdin, -1 once closed */
	int out;		/* its stdout and stderr */
	size_t used;
	char line[LINE];
};

static struct job jobs[MAX_JOBS];
static int kmsg = -1;

static void uart_init(void)
{
	if (ioperm(UART, 8, 1)) {
		perror("agent: ioperm");
		exit(1);
	}
	outb(0x00, UART_IER);
	outb(0x03, UART_LCR);
	outb(0x07, UART_FCR);
	outb(0x03, UART_MCR);
}

static void uart_putc(unsigned char c)
{
	while (!(inb(UART_LSR) & LSR_THRE))
		usleep(100);
	outb(c, UART);
}

static void uart_puts(const char *s)
{
	while (*s)
		uart_putc(*s++);
}

static void frame(const char *id, const char *kind, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	uart_puts("@ ");
	uart_puts(id);
	uart_putc(' ');
	uart_puts(kind);
	uart_putc(' ');
	for (i = 0; i < len; i++) {
		unsigned char c = text[i];

		if (c < 0x20 || c > 0x7e || c == '%') {
			uart_putc('%');
			uart_putc(hex[c >> 4]);
			c = hex[c & 15];
		}
		uart_putc(c);
	}
	uart_putc('\n');
}

static void frame_str(const char *id, const char *kind, const char *text)
{
	frame(id, kind, text, strlen(text));
}

/* In place; @s is one word. */
static void decode(char *s)
{
	char *to = s;
	unsigned int byte;

	for (; *s; s++) {
		if (*s == '%' && sscanf(s + 1, "%2x", &byte) == 1) {
			*to++ = byte;
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static struct job *find_job(const char *id)
{
	int i;

	for (i = 0; i < MAX_JOBS; i++)
		if (jobs[i].pid && !strcmp(jobs[i].id, id))
			return &jobs[i];
	return NULL;
}

static void start_job(const char *id, char **argv)
{
	int in[2], out[2];
	struct job *job = NULL;
	int i;

	for (i = 0; i < MAX_JOBS && !job; i++)
		if (!jobs[i].pid)
			job = &jobs[i];
	if (!job) {
		frame_str(id, "err", "too many jobs");
		return;
	}
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) {
		frame_str(id, "err", strerror(errno));
		return;
	}
	snprintf(job->id, sizeof(job->id), "%s", id);
	job->used = 0;
	job->pid = fork();
	if (!job->pid) {
		setsid();
		signal(SIGPIPE, SIG_DFL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(out[1], 2);
		execvp(argv[0], argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	job->in = in[1];
	job->out = out[0];
	fcntl(job->out, F_SETFL, O_NONBLOCK);
	if (job->pid < 0) {
		frame_str(id, "err", strerror(errno));
		close(job->in);
		close(job->out);
		job->pid = 0;
	}
}

/* Sends the whole lines that arrived; true if there was anything to read. */
static bool drain_job(struct job *job)
{
	ssize_t n = read(job->out, job->line + job->used, LINE - job->used);
	char *start = job->line, *end;

	if (n <= 0)
		return false;
	job->used += n;
	while ((end = memchr(start, '\n', job->line + job->used - start))) {
		frame(job->id, "out", start, end - start);
		start = end + 1;
	}
	job->used -= start - job->line;
	memmove(job->line, start, job->used);
	if (job->used == LINE) {
		frame(job->id, "out", job->line, job->used);
		job->used = 0;
	}
	return true;
}

static void end_job(struct job *job, int status)
{
	char text[16];

	while (drain_job(job))
		;
	if (job->used)
		frame(job->id, "out", job->line, job->used);
	close(job->out);
	if (job->in >= 0)
		close(job->in);
	job->pid = 0;
	snprintf(text, sizeof(text), "%d",
		 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	frame_str(job->id, "exit", text);
}

static bool reap(void)
{
	bool any = false;
	int status, i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < MAX_JOBS; i++)
			if (jobs[i].pid == pid)
				end_job(&jobs[i], status);
		any = true;
	}
	return any;
}

static void send_kmsg(const char *id)
{
	char record[LINE];
	ssize_t n;

	for (;;) {
		n = read(kmsg, record, sizeof(record));
		if (n > 0)
			frame(id, "kmsg", record, n);
		else if (n < 0 && errno == EPIPE)
			frame_str(id, "kmsg", "4,0,0,-;agent: records were lost\n");
		else
			break;
	}
	frame_str(id, "ok", "");
}

static void obey(char *line)
{
	char *argv[MAX_ARGS + 1], *word, *id, *verb, *save;
	struct job *job;
	int argc = 0;

	id = strtok_r(line, " ", &save);
	verb = strtok_r(NULL, " ", &save);
	if (!id || !verb)
		return;
	while (argc < MAX_ARGS && (word = strtok_r(NULL, " ", &save))) {
		decode(word);
		argv[argc++] = word;
	}
	argv[argc] = NULL;

	if (!strcmp(verb, "run") && argc) {
		start_job(id, argv);
		return;
	}
	if (!strcmp(verb, "kmsg")) {
		send_kmsg(id);
		return;
	}
	job = argc ? find_job(argv[0]) : NULL;
	if (!strcmp(verb, "eof") && job && job->in >= 0) {
		close(job->in);
		job->in = -1;
	} else if (!strcmp(verb, "kill") && job && argc == 2) {
		kill(-job->pid, atoi(argv[1]));
	} else if (strcmp(verb, "eof") && strcmp(verb, "kill")) {
		frame_str(id, "err", "unknown request");
		return;
	}
	frame_str(id, "ok", "");
}

static bool hear(void)
{
	static char line[LINE];
	static size_t used;
	bool any = false;

	while (inb(UART_LSR) & LSR_DR) {
		char c = inb(UART);

		any = true;
		if (c == '\n') {
			line[used] = '\0';
			used = 0;
			obey(line);
		} else if (used < LINE - 1) {
			line[used++] = c;
		}
	}
	return any;
}

static void mount_all(void)
{
	static const char * const mounts[][2] = {
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "devtmpfs", "/dev" },
		{ "tmpfs", "/tmp" },
		{ "debugfs", "/sys/kernel/debug" },
		{ "tracefs", "/sys/kernel/tracing" },
		{ "securityfs", "/sys/kernel/security" },
		{ NULL, NULL },
	};
	int i;

	for (i = 0; mounts[i][0]; i++) {
		mkdir(mounts[i][1], 0755);
		if (mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, NULL) && errno != EBUSY)
			fprintf(stderr, "agent: mount %s: %s\n", mounts[i][1], strerror(errno));
	}
}

int main(void)
{
	int idle = 0, i, fd;
	bool busy;

	mount_all();
	klogctl(8, NULL, 8);	/* the boot was quiet, the tests shall not be */
	fd = open("/dev/null", O_RDWR);
	if (fd >= 0)
		dup2(fd, 0);
	setenv("PATH", "/bin", 1);
	setenv("HOME", "/tmp", 1);
	signal(SIGPIPE, SIG_IGN);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	uart_init();
	frame_str("0", "ok", "");

	for (;;) {
		busy = hear();
		for (i = 0; i < MAX_JOBS; i++)
			if (jobs[i].pid)
				busy |= drain_job(&jobs[i]);
		busy |= reap();
		idle = busy ? 0 : idle + 1;
		/* Answer fast in a conversation, cost little in a long wait. */
		usleep(idle < 100 ? 500 : idle < 300 ? 4000 : 50000);
	}
}
