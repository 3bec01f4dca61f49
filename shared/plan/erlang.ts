/** How many channels a load needs. Pure. */

/** More than any fleet has; a load beyond it is a mistake. */
export const MAX_ERLANGS = 1_000_000;

/** Little's law: calls in progress in the mean. @param cps calls per second @param holdSec mean time of a call on its channel */
export const erlangsOf = (cps: number, holdSec: number): number => cps * holdSec;

/**
 * The least number of channels on which at most so large a part of the attempts finds none free (Erlang B).
 *
 * By the recursion B(0) = 1, B(n) = A·B(n-1) / (n + A·B(n-1)): factorials and powers would overflow, this stays between 0 and 1.
 * @param erlangs offered load @param blocking part of the attempts, above 0 and below 1
 */
export const channelsFor = (erlangs: number, blocking: number): number => {
	let channels = 0;
	for (let blocked = erlangs > 0 ? 1 : 0; blocked > blocking; ) {
		channels += 1;
		blocked = (erlangs * blocked) / (channels + erlangs * blocked);
	}
	return channels;
};
