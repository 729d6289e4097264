#include "fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fail(enum exit_code code, const char *format, ...)
{
	int reason = errno;
	va_list args;
	va_start(args, format);
	fputs("load: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	if (reason != 0 && code != EXIT_USAGE)
		fprintf(stderr, ": %s", strerror(reason));
	fputc('\n', stderr);
	exit(code);
}
