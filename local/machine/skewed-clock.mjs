/**
 * Loaded before a program that is to believe in another time: SKEW_MS is added to the wall clock, and to nothing else, as on a machine
 * whose clock is off. The monotonic clock goes on as it is.
 */
const skewMs = Number(process.env.SKEW_MS ?? 0);
const RealDate = globalThis.Date;
globalThis.Date = class extends RealDate {
	constructor(...args) {
		if (args.length === 0) super(RealDate.now() + skewMs);
		else super(...args);
	}
	static now() {
		return RealDate.now() + skewMs;
	}
};
