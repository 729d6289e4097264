/* Ends of the program. */
#pragma once

enum exit_code {
	EXIT_DONE = 0,
	EXIT_STALLED = 1, /* a queue did not give back what it was given */
	EXIT_USAGE = 2,
	EXIT_HOST = 3, /* this host cannot do it */
};

/* Says one sentence on stderr, with the reason from errno where it is not 0, and ends the program. */
_Noreturn void fail(enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
