// SPDX-License-Identifier: GPL-2.0
/* The one process of the kernel under test: load the module, power off. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	int fd = open("/vfio-guard-kunit.ko", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		printf("init: vfio-guard-kunit: %s\n", strerror(errno));
	else if (syscall(SYS_delete_module, "vfio_guard_kunit", 0))
		printf("init: unload: %s\n", strerror(errno));
	else
		puts("init: done");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 1;
}
