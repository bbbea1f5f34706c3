"""HOLD and the closed network on simpy, as its users would write them; see bench/draws.hpp.

usage: simpy_model.py hold PENDING EVENTS | network COMPLETIONS
"""

import json
import math
import sys
import time

import simpy

MASK = (1 << 64) - 1
NUMBERS = 1 << 20
RINGS = 16
CUSTOMERS = 64


def random_numbers(seed, count):
    """SplitMix64, as sim/random.hpp."""
    state = seed
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def in_turn(numbers):
    """The first NUMBERS over and over; drawn before the clock runs."""
    while True:
        yield from numbers


def exponential_draws(mean):
    # 1 - u as in bench/draws.hpp, where u has 53 bits.
    return in_turn([int(-math.log(1.0 - (z >> 11) * 2.0**-53) * mean)
                    for z in random_numbers(1, NUMBERS)])


class Meter:
    def __init__(self, env, warm_up, events):
        self.env, self.warm_up, self.last = env, warm_up, warm_up + events
        self.counted = 0
        self.start = self.seconds = 0.0
        self.done = env.event()

    def count(self):
        self.counted += 1
        if self.counted == self.warm_up:
            self.start = time.perf_counter()
        elif self.counted == self.last:
            self.seconds = time.perf_counter() - self.start
            self.end = self.env.now
            self.done.succeed()

    def run(self):
        self.env.run(until=self.done)
        print(json.dumps({"events": self.last - self.warm_up, "seconds": self.seconds,
                          "end": self.end, "bytes": 0, "peak_kb": peak_memory_kb()}))


def peak_memory_kb():
    with open("/proc/self/status", encoding="ascii") as status:
        return next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)


def hold(pending, events):
    env = simpy.Environment()
    meter = Meter(env, 2 * pending, events)
    draws = exponential_draws(1e6)

    def again():
        while True:
            yield env.timeout(next(draws))
            meter.count()

    for _ in range(pending):
        env.process(again())
    meter.run()


def network(completions):
    env = simpy.Environment()
    meter = Meter(env, 1000, completions)
    service = exponential_draws(1e9)
    route = in_turn([z % RINGS for z in random_numbers(2, NUMBERS)])
    rings = [simpy.Resource(env) for _ in range(RINGS)]

    def customer():
        while True:
            with rings[next(route)].request() as turn:
                yield turn
                yield env.timeout(next(service))
            meter.count()

    for _ in range(CUSTOMERS):
        env.process(customer())
    meter.run()


def main(arguments):
    match arguments:
        case ["hold", pending, events]:
            hold(int(pending), int(events))
        case ["network", completions]:
            network(int(completions))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
