/* A seeded stream of numbers (splitmix64): the same seed gives the same run. */
#pragma once

#include <stdint.h>

struct random_stream {
	uint64_t state;
};

static inline uint64_t random_next(struct random_stream *stream)
{
	uint64_t z = stream->state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* A number of 0 .. below-1. */
static inline unsigned random_below(struct random_stream *stream, unsigned below)
{
	return random_next(stream) % below;
}
