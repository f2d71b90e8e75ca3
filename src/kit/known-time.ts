// Whether a wall clock can be right at all: a machine without a battery for its clock begins in 1970, or where its image was built,
// until the network sets it. Pure.

/** No wall clock that shows less has been set. */
export const SANE_FROM = Date.UTC(2024, 0, 1);

export const isTimeKnown = (wall: number): boolean => wall >= SANE_FROM;
