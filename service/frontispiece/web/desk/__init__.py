"""The review desk: the queue, one illustration, and all that can be done to it."""
